import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { connectQmp } from '../../src/endpoint/qmp.ts';
import { usedIndexReader } from '../../src/share/used-index.ts';

const greeting = { QMP: { version: { qemu: { major: 11, minor: 1, micro: 3 } }, capabilities: [] } };
const open: { server: Server; directory: string; clients: Set<Socket> }[] = [];

/** A machine that answers each command by a function; undefined: it says nothing. */
async function machine(answer: (command: string, args: Record<string, unknown>) => unknown): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'vfs-verify-qmp-'));
  const path = join(directory, 'qmp.sock');
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    clients.add(client);
    let said = Promise.resolve();
    client.on('error', () => {});
    client.write(`${JSON.stringify(greeting)}\n`);
    client.on('data', (data) => {
      for (const line of String(data).trim().split('\n')) {
        const { execute, arguments: args } = JSON.parse(line);
        const message = execute === 'qmp_capabilities' ? { return: {} } : answer(execute, args);
        if (message === undefined) continue;
        // An event in between, and an answer in two parts.
        const text = `{"event":"RESUME"}\n${JSON.stringify(message)}\n`;
        said = said.then(async () => {
          client.write(text.slice(0, 30));
          await new Promise((resolve) => setTimeout(resolve, 5));
          client.write(text.slice(30));
        });
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  open.push({ server, directory, clients });
  return path;
}

afterEach(() => {
  for (const { server, directory, clients } of open.splice(0)) {
    for (const client of clients) client.destroy();
    server.close();
    rmSync(directory, { recursive: true, force: true });
  }
});

describe("a machine's own line", () => {
  it('answers commands, whatever else it says between them', async () => {
    const qmp = await connectQmp(await machine((command) => ({ return: command })));
    expect(qmp.version).toBe('11.1.3');
    expect(await Promise.all([qmp.execute('one'), qmp.execute('two')])).toEqual(['one', 'two']);
    qmp.close();
    await expect(qmp.execute('three')).rejects.toMatchObject({ code: 'qmp-lost' });
  });

  it("passes on QEMU's own words when it refuses", async () => {
    const qmp = await connectQmp(
      await machine(() => ({ error: { class: 'GenericError', desc: 'no such thing' } })),
    );
    await expect(qmp.execute('query')).rejects.toMatchObject({
      code: 'qmp-refused',
      message: 'QEMU refused query: no such thing',
    });
    qmp.close();
  });

  it('does not wait for ever', async () => {
    const qmp = await connectQmp(await machine(() => undefined), { timeoutMs: 50 });
    await expect(qmp.execute('query')).rejects.toMatchObject({ code: 'qmp-silent' });
  });

  it('says when nobody is there', async () => {
    await expect(connectQmp('/nonexistent/qmp.sock')).rejects.toMatchObject({ code: 'qmp-unreachable' });
  });
});

describe('the used index of a share', () => {
  it('is read from the ring of each queue of the device with the tag', async () => {
    const path = await machine((command, args) => {
      if (command === 'x-query-virtio')
        return {
          return: [
            { name: 'virtio-net', path: '/net' },
            { name: 'virtio-user-fs', path: '/a' },
            { name: 'virtio-user-fs', path: '/b' },
          ],
        };
      if (command === 'qom-get') return { return: args.path === '/b' ? 'm1' : 'm0' };
      if (command === 'x-query-virtio-vhost-queue-status')
        return Number(args.queue) < 2
          ? { return: { 'used-phys': 0x1000 * (Number(args.queue) + 1) } }
          : { error: { desc: 'Invalid vhost virtqueue number 2' } };
      return {
        return: `${args['command-line'] === 'xp /1hx 0x1002' ? '00001002: 0x0003' : '00002002: 0xff01'}\r\n`,
      };
    });
    const qmp = await connectQmp(path);
    const read = await usedIndexReader(qmp, 'm1');
    expect(await read()).toEqual([3, 0xff01]);
    await expect(usedIndexReader(qmp, 'other')).rejects.toMatchObject({ code: 'no-queue' });
    qmp.close();
  });
});

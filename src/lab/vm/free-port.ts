import { createServer } from 'node:net';

/**
 * A TCP port of the loopback address that is free now. Somebody may take it before it is used: who uses it
 * must be ready to ask for another.
 */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

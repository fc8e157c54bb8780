import { createReadStream } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { BulkWriter, type Bundle, saveBundle } from '../bundle.ts';
import { itemRedactor, type Redaction, redactedBundle } from './bundle.ts';
import { namesInBundle, namesInItem } from './names-in.ts';

/** The components of all paths in a bundle and its bulk results. */
export async function namesBelow(directory: string, bundle: Bundle): Promise<ReadonlySet<string>> {
  const names = new Set(namesInBundle(bundle));
  for (const { file } of bulkOf(bundle))
    for await (const item of itemsOf(path.join(directory, file)))
      for (const name of namesInItem(item)) names.add(name);
  return names;
}

/** Writes a bundle with its bulk results, redacted, to another directory. Returns it. */
export async function redactDirectory(
  from: string,
  to: string,
  bundle: Bundle,
  redaction: Redaction,
): Promise<Bundle> {
  const redacted = redactedBundle(bundle, redaction);
  await saveBundle(to, redacted);
  for (const { file, record } of bulkOf(bundle)) {
    const redactItem = itemRedactor(bundle, record, redaction);
    const writer = new BulkWriter(path.join(to, file));
    for await (const item of itemsOf(path.join(from, file))) await writer.write([redactItem(item)]);
    await writer.end();
  }
  return redacted;
}

function bulkOf(bundle: Bundle) {
  return bundle.cases.flatMap((record) => Object.values(record.bulk).map((file) => ({ file, record })));
}

async function* itemsOf(file: string): AsyncGenerator<unknown> {
  const lines = createInterface({
    input: createReadStream(file, 'utf8'),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  for await (const line of lines) if (line !== '') yield JSON.parse(line);
}

import { createReadStream } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { BulkWriter, type Bundle, saveBundle } from '../bundle.ts';
import { namesIn, type Redaction, redactedBundle, redactedItem } from './bundle.ts';

/** The components of all paths in a bundle and its bulk results. */
export async function namesBelow(directory: string, bundle: Bundle): Promise<ReadonlySet<string>> {
  const names = new Set(namesIn(bundle));
  for (const { file } of bulkOf(bundle))
    for await (const item of itemsOf(path.join(directory, file)))
      for (const name of namesIn(item)) names.add(name);
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
    const writer = new BulkWriter(path.join(to, file));
    for await (const item of itemsOf(path.join(from, file)))
      await writer.write([redactedItem(item, bundle, record, redaction)]);
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

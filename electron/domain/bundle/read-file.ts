/** The one pass over a file of a bundle: hashed, scanned or kept as text where the gate needs it, and handed on to be stored. */
import { createHash } from 'node:crypto';
import { gateLimits } from './limits.ts';
import type { BundleFile } from './containers/container.ts';
import type { KnownFile } from './known-files.ts';
import { layoutTexts } from './layouts/layout.ts';
import type { ScanAnswer } from './scan/answer.ts';
import { startScanner, type ScanLimits } from './scan/process.ts';
import { isSignatureFile } from './signatures/check.ts';

export const wellKnown = {
  card: 'bom.cdx.json',
  pipeline: 'pipeline.json',
  golden: 'golden/cases.json',
  reference: 'reference.csv',
} as const;

export interface ReadFile<Stored> {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly stored: Stored;
  readonly text: Uint8Array | undefined;
  /** Of a model: what the scanner process answered. */
  readonly scan: ScanAnswer | undefined;
  readonly startsWith: string;
  /** Where it came from, if not from the medium. */
  readonly from?: KnownFile<Stored>['from'] | undefined;
}

export async function readFile<Stored>(
  file: BundleFile,
  options: {
    readonly store: (content: AsyncIterable<Uint8Array>) => Promise<Stored>;
    readonly onBytes?: (count: number) => void;
    readonly signal?: AbortSignal;
    readonly scanLimits?: Partial<ScanLimits>;
    readonly from?: KnownFile<Stored>['from'];
  },
): Promise<ReadFile<Stored>> {
  const hash = createHash('sha256');
  const isModel = /\.onnx$/i.test(file.path);
  const isText = !isModel && isReadAsText(file.path);
  const parts: Uint8Array[] = [];
  await using scanner = isModel ? await startScanner(options.scanLimits) : undefined;
  let head = Buffer.alloc(0);
  let bytes = 0;
  async function* tapped(): AsyncGenerator<Uint8Array> {
    for await (const chunk of file.content) {
      options.signal?.throwIfAborted();
      hash.update(chunk);
      bytes += chunk.length;
      if (head.length < 16) head = Buffer.concat([head, chunk.subarray(0, 16)]).subarray(0, 16);
      if (isText && bytes <= gateLimits.textBytes) parts.push(Uint8Array.from(chunk));
      const taken = scanner?.write(chunk);
      options.onBytes?.(chunk.length);
      yield chunk;
      // The source may use the chunk again.
      await taken;
    }
  }
  const stored = await options.store(tapped());
  return {
    path: file.path,
    bytes,
    sha256: hash.digest('hex'),
    stored,
    text: isText && bytes <= gateLimits.textBytes ? Buffer.concat(parts) : undefined,
    scan: await scanner?.end(),
    startsWith: head.toString('latin1'),
    from: options.from,
  };
}

function isReadAsText(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return (
    isSignatureFile(name) ||
    name === wellKnown.card ||
    name === wellKnown.pipeline ||
    layoutTexts.includes(name) ||
    path.endsWith(wellKnown.golden)
  );
}

/** The one pass over a file of a bundle: hashed, scanned or kept as text where the gate needs it, and handed on to be stored. */
import { createHash } from 'node:crypto';
import { observed, type Content } from '#platform/content.ts';
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

/** Whoever takes a file of a bundle in says what its content was. */
export interface Digested {
  /** SHA-256 of the content, hex. */
  readonly sha256: string;
}

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

export async function readFile<Stored extends Digested>(
  file: BundleFile,
  options: {
    readonly store: (content: Content) => Promise<Stored>;
    readonly onBytes?: (count: number) => void;
    readonly signal?: AbortSignal;
    readonly scanLimits?: Partial<ScanLimits>;
    readonly from?: KnownFile<Stored>['from'];
  },
): Promise<ReadFile<Stored>> {
  const isModel = isModelFile(file.path);
  const isText = !isModel && isReadAsText(file.path);
  const parts: Uint8Array[] = [];
  await using scanner = isModel ? await startScanner(options.scanLimits) : undefined;
  let head = Buffer.alloc(0);
  let bytes = 0;
  const content = observed(file.content, (chunk) => {
    options.signal?.throwIfAborted();
    bytes += chunk.length;
    if (head.length < 16) head = Buffer.concat([head, chunk.subarray(0, 16)]).subarray(0, 16);
    if (isText && bytes <= gateLimits.textBytes) parts.push(Uint8Array.from(chunk));
    options.onBytes?.(chunk.length);
    return scanner?.write(chunk);
  });
  const stored = await options.store(content);
  return {
    path: file.path,
    bytes,
    sha256: stored.sha256,
    stored,
    text: isText && bytes <= gateLimits.textBytes ? Buffer.concat(parts) : undefined,
    scan: await scanner?.end(),
    startsWith: head.toString('latin1'),
    from: options.from,
  };
}

/** In the place of a store, for those who keep nothing. */
export async function digestOf(content: Content): Promise<Digested> {
  const hash = createHash('sha256');
  for await (const chunk of content) hash.update(chunk);
  return { sha256: hash.digest('hex') };
}

/** By name; what is in it, the scanner says. */
export function isModelFile(path: string): boolean {
  return /\.onnx$/i.test(path);
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

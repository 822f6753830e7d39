/** The one pass over a file of a bundle: hashed, outlined or kept as text where the gate needs it, and handed on to be stored. */
import { createHash } from 'node:crypto';
import { AppError } from '#shared/errors.ts';
import { createOutlineReader, type OnnxModel, type OutlineReader } from '#domain/onnx/index.ts';
import { gateLimits } from './limits.ts';
import { GateBreach } from './containers/breach.ts';
import type { BundleFile } from './containers/container.ts';
import { layoutTexts } from './layouts/layout.ts';
import { signatureFileName } from './signature.ts';

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
  readonly outline: { readonly model: OnnxModel } | { readonly error: AppError } | undefined;
  readonly startsWith: string;
}

export async function readFile<Stored>(
  file: BundleFile,
  options: {
    readonly store: (content: AsyncIterable<Uint8Array>) => Promise<Stored>;
    readonly onBytes?: (count: number) => void;
    readonly signal?: AbortSignal;
  },
): Promise<ReadFile<Stored>> {
  const hash = createHash('sha256');
  const isModel = /\.onnx$/i.test(file.path);
  const isText = !isModel && isReadAsText(file.path);
  const parts: Uint8Array[] = [];
  const outline = isModel ? createOutline() : undefined;
  let head = Buffer.alloc(0);
  let bytes = 0;
  async function* tapped(): AsyncGenerator<Uint8Array> {
    for await (const chunk of file.content) {
      options.signal?.throwIfAborted();
      hash.update(chunk);
      bytes += chunk.length;
      if (head.length < 16) head = Buffer.concat([head, chunk.subarray(0, 16)]).subarray(0, 16);
      if (isText && bytes <= gateLimits.textBytes) parts.push(Uint8Array.from(chunk));
      if (isModel && bytes > gateLimits.modelBytes)
        throw new GateBreach(
          'SR-LIMIT-001',
          file.path,
          'The model file is larger than 2 GiB; larger models keep their weights in external data.',
        );
      outline?.write(chunk);
      options.onBytes?.(chunk.length);
      yield chunk;
    }
  }
  const stored = await options.store(tapped());
  return {
    path: file.path,
    bytes,
    sha256: hash.digest('hex'),
    stored,
    text: isText && bytes <= gateLimits.textBytes ? Buffer.concat(parts) : undefined,
    outline: outline?.end(),
    startsWith: head.toString('latin1'),
  };
}

/** An outline reader that remembers the first error instead of stopping the pass: the file's digest is needed anyway. */
function createOutline(): {
  write(chunk: Uint8Array): void;
  end(): { readonly model: OnnxModel } | { readonly error: AppError };
} {
  const reader: OutlineReader = createOutlineReader();
  let error: AppError | undefined;
  const attempt = <T>(step: () => T): T | undefined => {
    try {
      return step();
    } catch (cause) {
      if (!(cause instanceof AppError)) throw cause;
      error = cause;
      return undefined;
    }
  };
  return {
    write(chunk) {
      if (error === undefined) attempt(() => reader.write(chunk));
    },
    end() {
      const model = error === undefined ? attempt(() => reader.end()) : undefined;
      return model === undefined
        ? { error: error ?? new AppError('corrupt', 'The file is not an ONNX model.') }
        : { model };
    },
  };
}

function isReadAsText(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return (
    name === signatureFileName ||
    name === wellKnown.card ||
    name === wellKnown.pipeline ||
    layoutTexts.includes(name) ||
    path.endsWith(wellKnown.golden)
  );
}

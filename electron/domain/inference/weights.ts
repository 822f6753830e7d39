/**
 * In the child: where the decrypted weights lie while the runtime makes a session. Best in files of the child's own folder,
 * if that lies in memory: the runtime maps them, where it would copy what it is given as buffers, several times over. So large
 * tensors inside of the model move out into such a file too. The folder ends with the child, and no disk sees it.
 */
import { mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { OnnxModel, OnnxTensor } from '#domain/onnx/index.ts';
import type { SealedModel } from './protocol.ts';
import { openSealed } from './sealed-file.ts';

export interface Weights {
  /** The model as the runtime is to be given it. */
  readonly model: OnnxModel;
  readonly externalData: readonly { readonly path: string; readonly data: Uint8Array }[];
  /** Where the runtime finds the files that the model names. */
  readonly folder?: string;
  /** Once the session is there, which has its own copies or has the files mapped. */
  drop(): Promise<void>;
}

export async function weightsInMemory(
  model: OnnxModel,
  external: SealedModel['external'],
): Promise<Weights> {
  const externalData: { path: string; data: Uint8Array }[] = [];
  for (const { location, file } of external)
    externalData.push({ path: location, data: await (await openSealed(file)).readAll() });
  return {
    model,
    externalData,
    async drop() {
      for (const { data } of externalData) data.fill(0);
    },
  };
}

export async function weightsInFolder(
  model: OnnxModel,
  external: SealedModel['external'],
): Promise<Weights> {
  for (const { location, file } of external) {
    await mkdir(dirname(location), { recursive: true });
    await using output = await open(location, 'wx', 0o600);
    await (await openSealed(file)).writeTo(output);
  }
  const files = new Set(external.map(({ location }) => location));
  let location = 'weights';
  while (files.has(location)) location += '-';
  const moved = await moveOut(model, location);
  if (moved !== undefined) files.add(location);
  return {
    model: moved ?? model,
    externalData: [],
    folder: process.cwd(),
    async drop() {
      for (const file of files) await rm(file);
    },
  };
}

/** Smaller ones stay: the runtime computes shapes from them before it maps anything. */
const leastMovedBytes = 64 * 1024;
/** Mapped from a multiple of the page size. */
const alignmentBytes = 4096;

/** Undefined, and no file, where no tensor is large. */
async function moveOut(model: OnnxModel, location: string): Promise<OnnxModel | undefined> {
  const isLarge = ({ rawData }: OnnxTensor): boolean => (rawData?.length ?? 0) >= leastMovedBytes;
  if (model.graph?.initializers.some(isLarge) !== true) return undefined;
  await using output = await open(location, 'wx', 0o600);
  let offset = 0;
  const initializers: OnnxTensor[] = [];
  for (const tensor of model.graph.initializers) {
    const { rawData, ...rest } = tensor;
    if (rawData === undefined || !isLarge(tensor)) {
      initializers.push(tensor);
      continue;
    }
    for (let done = 0; done < rawData.length;) {
      const { bytesWritten } = await output.write(rawData, done, null, offset + done);
      done += bytesWritten;
    }
    initializers.push({
      ...rest,
      dataLocation: externalLocation,
      externalData: [
        { key: 'location', value: location },
        { key: 'offset', value: String(offset) },
        { key: 'length', value: String(rawData.length) },
      ],
    });
    offset += Math.ceil(rawData.length / alignmentBytes) * alignmentBytes;
  }
  return { ...model, graph: { ...model.graph, initializers } };
}

/** TensorProto.DataLocation EXTERNAL. */
const externalLocation = 1;

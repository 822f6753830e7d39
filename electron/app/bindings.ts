/** What says which columns feed a version: its own `pipeline.json`, what an analyst saved, or nothing until a file is there. */
import { createHash } from 'node:crypto';
import { AppError } from '#shared/errors.ts';
import type { ShownBinding } from '#shared/contract/bindings.ts';
import { canonicalJson } from '#platform/canonical-json.ts';
import { inferPipeline, type Pipeline } from '#domain/pipeline/index.ts';
import type { ResolvedVersion } from '#domain/registry/index.ts';
import type { TableColumn } from '#domain/tables/index.ts';
import { atOnce } from './catalog-acts.ts';
import type { CallContext } from './handler.ts';
import { hasOwnPipeline, readPipeline, requireRunnable } from './model-access.ts';

export async function showBinding(
  { open }: CallContext,
  { version: reference }: { readonly version: string },
): Promise<ShownBinding> {
  const { vault, registry } = open();
  const version = registry.resolve(reference);
  const pipeline = await readPipeline(vault, version);
  const text = pipeline === undefined ? null : canonicalJson(pipeline);
  // A signature of MLflow is a word of the bundle too.
  const isOwn = hasOwnPipeline(version) || version.binding === undefined;
  return {
    model: version.model,
    version: version.version,
    source: pipeline === undefined ? 'none' : isOwn ? 'bundle' : 'saved',
    savedBy: isOwn ? null : (version.binding?.savedBy ?? null),
    savedAt: isOwn ? null : (version.binding?.savedAt ?? null),
    digest: text === null ? null : digestOf(text),
    inputs: pipeline === undefined ? [] : inputsOf(pipeline),
    steps: pipeline?.schemaVersion === 2 ? pipeline.steps.map(({ step }) => step) : [],
    outputSteps: pipeline?.schemaVersion === 2 ? pipeline.outputs.map(({ step }) => step) : [],
    pipeline: text,
  };
}

export async function saveBinding(
  context: CallContext,
  asked: {
    readonly version: string;
    readonly inputs: Readonly<Record<string, readonly string[]>> | undefined;
    readonly columnsOf: (version: ResolvedVersion) => Promise<readonly TableColumn[]>;
  },
  clock: () => Date,
): Promise<{
  readonly model: string;
  readonly version: number;
  readonly digest: string;
  readonly inputs: ShownBinding['inputs'];
}> {
  const version = context.open().registry.resolve(asked.version);
  const name = `${version.model}@${version.version}`;
  context.note({ objects: [{ type: 'version', id: name, digest: version.digest }] });
  requireRunnable(version);
  if (hasOwnPipeline(version))
    throw new AppError(
      'conflict',
      `The bundle of ${name} says itself which columns feed it (pipeline.json), and that cannot be changed here.`,
    );
  const known = await readPipeline(context.open().vault, version);
  const pipeline = inferPipeline({
    inputs: version.facts.inputs,
    facts: known?.columns ?? [],
    columns: await asked.columnsOf(version),
    chosen: asked.inputs ?? {},
  });
  const text = canonicalJson(pipeline);
  const digest = digestOf(text);
  return atOnce(context, ({ registry, session }) => {
    registry.saveBinding(name, {
      pipeline: text,
      savedBy: session.user,
      savedAt: clock().toISOString(),
    });
    return [
      {
        model: version.model,
        version: version.version,
        digest,
        inputs: inputsOf(pipeline),
      },
      {
        objects: [
          { type: 'version', id: name, digest: version.digest },
          { type: 'binding', id: 'pipeline', digest },
        ],
      },
    ];
  });
}

/** By which a binding is known in the log, in records of runs and in receipts. */
export function bindingDigest(pipeline: Pipeline): string {
  return digestOf(canonicalJson(pipeline));
}

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

function inputsOf(pipeline: Pipeline): ShownBinding['inputs'] {
  if (pipeline.schemaVersion === 2)
    return Object.entries(pipeline.inputs).map(([input, columns]) => ({
      input,
      columns: typeof columns === 'string' ? [columns] : columns,
    }));
  const { matrix, columns } = pipeline;
  const inMatrix = new Set(matrix?.columns);
  return [
    ...(matrix === undefined ? [] : [{ input: matrix.input, columns: matrix.columns }]),
    ...columns
      .filter(({ name }) => !inMatrix.has(name))
      .map(({ name, input = name }) => ({ input, columns: [name] })),
  ];
}

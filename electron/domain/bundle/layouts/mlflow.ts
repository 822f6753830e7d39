/** A model as MLflow saves it: `MLmodel` (YAML) names the flavours, and the ONNX flavour its file. */
import { parse } from 'yaml';
import { z } from 'zod';
import type { Layout, LayoutFile } from './layout.ts';

const descriptionFile = 'MLmodel';
const text = z.string().max(10_000);

const description = z.object({
  flavors: z.record(
    z.string(),
    z.object({ data: text.optional(), onnx_version: z.coerce.string().optional() }).loose(),
  ),
  mlflow_version: z.coerce.string().optional(),
  model_uuid: z.coerce.string().optional(),
  /** Each is JSON in a string: a list of columns or tensors. */
  signature: z
    .object({ inputs: text.nullish(), outputs: text.nullish(), params: text.nullish() })
    .nullish(),
});

const declaredValues = z
  .array(
    z.object({
      name: z.string().optional(),
      type: z.string(),
      'tensor-spec': z.object({ dtype: z.string(), shape: z.array(z.number()) }).optional(),
    }),
  )
  .max(20_000);

/** Undefined for a bundle without `MLmodel`. */
export function mlflowLayout(files: readonly LayoutFile[]): Layout | undefined {
  const file = files.find(({ path }) => path === descriptionFile);
  if (file === undefined) return undefined;
  const without = (
    ruleId: 'SR-BUNDLE-001' | 'SR-BUNDLE-004',
    message: string,
    facts: Layout['facts'] = [],
  ): Layout => ({
    layout: 'mlflow',
    model: undefined,
    facts,
    problem: { ruleId, path: descriptionFile, message },
  });
  let said: z.infer<typeof description>;
  try {
    // No aliases: they are how a small document unfolds to a large one.
    const yaml: unknown = parse(Buffer.from(file.text ?? '').toString('utf8'), {
      maxAliasCount: 0,
      schema: 'core',
      logLevel: 'silent',
    });
    said = description.parse(yaml);
  } catch {
    return without('SR-BUNDLE-004', 'It is not as MLflow writes it.');
  }
  const facts = [
    { name: 'MLflow', value: said.mlflow_version },
    { name: 'Flavours', value: Object.keys(said.flavors).join(', ') },
    { name: 'Declared inputs', value: listed(said.signature?.inputs) },
    { name: 'Declared outputs', value: listed(said.signature?.outputs) },
  ].flatMap(({ name, value }) => (value === undefined || value === '' ? [] : [{ name, value }]));
  const onnx = said.flavors['onnx'];
  if (onnx === undefined)
    return without('SR-BUNDLE-001', 'The MLflow model has no flavour "onnx".', facts);
  const path = (onnx.data ?? 'model.onnx').replace(/^\.\//, '').replace(/\/+$/, '');
  const found = [path, `${path}/model.onnx`].find(
    (at) => /\.onnx$/i.test(at) && files.some((other) => other.path === at),
  );
  return found === undefined
    ? without(
        'SR-BUNDLE-001',
        'The file that it names for the flavour "onnx" is not in the bundle.',
        facts,
      )
    : { layout: 'mlflow', model: found, facts };
}

/** `name: type [shape]` for each; undefined if the text is not as MLflow writes it. */
function listed(json: string | null | undefined): string | undefined {
  if (json === null || json === undefined) return undefined;
  try {
    return declaredValues
      .parse(JSON.parse(json))
      .map(({ name, type, 'tensor-spec': tensor }) => {
        const form = tensor === undefined ? type : `${tensor.dtype} [${tensor.shape.join(', ')}]`;
        return name === undefined ? form : `${name}: ${form}`;
      })
      .join(', ')
      .slice(0, 2000);
  } catch {
    return undefined;
  }
}

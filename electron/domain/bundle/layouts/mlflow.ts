/** A model as MLflow saves it: `MLmodel` (YAML) names the flavours, and the ONNX flavour its file. */
import { isScalar, parseDocument, visit } from 'yaml';
import { z } from 'zod';
import { declaredType, type Signature } from '#domain/pipeline/index.ts';
import { utf8Text } from '#platform/utf8.ts';
import type { Layout, LayoutFile } from './layout.ts';

export const descriptionFile = 'MLmodel';
/** A model of thousands of columns declares them in less. */
const maxBytes = 512 * 1024;
const text = z.string().max(maxBytes);

const description = z.object({
  flavors: z.record(
    z.string(),
    z
      .object({ data: z.string().max(1024).optional(), onnx_version: z.coerce.string().optional() })
      .loose(),
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
      required: z.boolean().optional(),
      'tensor-spec': z
        .object({ dtype: z.string().min(1).max(200), shape: z.array(z.int().min(-1)).max(32) })
        .optional(),
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
    said = description.parse(readYaml(file.text ?? new Uint8Array()));
  } catch {
    return without('SR-BUNDLE-004', 'It is not as MLflow writes it.');
  }
  const facts = [
    { name: 'MLflow', value: said.mlflow_version },
    { name: 'Flavours', value: Object.keys(said.flavors).join(', ').slice(0, 500) },
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

/** What the signature declares of the inputs: columns or tensors. Nothing where it is not there, or has columns without names. */
export function mlflowSignature(bytes: Uint8Array): Signature {
  const { signature } = description.parse(readYaml(bytes));
  const { data = [] } = declaredValues.safeParse(parseJson(signature?.inputs ?? '[]'));
  const tensors = data.flatMap(({ name, 'tensor-spec': tensor }) =>
    tensor === undefined ? [] : [{ ...(name === undefined ? {} : { name }), ...tensor }],
  );
  if (tensors.length > 0) return { columns: [], tensors };
  const columns = data.flatMap(({ name, type, required = true }) => {
    const known = declaredType.safeParse(type);
    return name === undefined || !known.success ? [] : [{ name, type: known.data, required }];
  });
  return { columns: columns.length === data.length ? columns : [], tensors: [] };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Throws for what is no plain document. */
function readYaml(bytes: Uint8Array): unknown {
  if (bytes.length > maxBytes) throw new RangeError('The document is too long.');
  const document = parseDocument(utf8Text(bytes), {
    schema: 'core',
    logLevel: 'silent',
    // The library compares every key with every other, which takes minutes for a document of many.
    uniqueKeys: false,
  });
  if (document.errors.length > 0) throw new SyntaxError('It is not YAML.');
  visit(document, {
    Map(_, { items }) {
      const keys = new Set(items.map(({ key }) => (isScalar(key) ? String(key.value) : undefined)));
      if (keys.size < items.length || keys.has(undefined))
        throw new SyntaxError('A key comes twice, or is no plain text.');
    },
  });
  // No aliases: they are how a small document unfolds to a large one.
  return document.toJS({ maxAliasCount: 0 });
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

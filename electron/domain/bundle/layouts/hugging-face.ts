/** A folder as on Hugging Face: `config.json` at the top and the exports of the model in `onnx/`. */
import { z } from 'zod';
import { utf8Text } from '#platform/utf8.ts';
import type { Layout, LayoutFile } from './layout.ts';

/** Undefined for any other folder. */
export function huggingFaceLayout(files: readonly LayoutFile[]): Layout | undefined {
  const exports = files
    .map(({ path }) => path)
    .filter((path) => /^onnx\/[^/]+\.onnx$/i.test(path))
    .sort();
  const config = files.find(({ path }) => path === 'config.json');
  if (config === undefined || exports.length === 0) return undefined;
  const model =
    exports.find((path) => path === 'onnx/model.onnx') ??
    (exports.length === 1 ? exports[0] : undefined);
  const others = exports.filter((path) => path !== model).map((path) => path.slice(5));
  const facts = [
    ...said(config.text),
    ...(others.length === 0
      ? []
      : [{ name: 'Other exports', value: others.join(', ').slice(0, 500) }]),
  ];
  return model === undefined
    ? {
        layout: 'hugging-face',
        model,
        facts,
        problem: {
          ruleId: 'SR-BUNDLE-002',
          path: 'onnx',
          message: `The folder has ${exports.length} models, and none is called model.onnx.`,
        },
      }
    : { layout: 'hugging-face', model, facts };
}

const configSays = z.object({
  architectures: z.array(z.string().max(200)).max(20).optional().catch(undefined),
  model_type: z.string().max(200).optional().catch(undefined),
});

function said(text: Uint8Array | undefined): Layout['facts'] {
  try {
    const config = configSays.parse(JSON.parse(utf8Text(text ?? new Uint8Array())));
    return [
      { name: 'Architecture', value: config.architectures?.join(', ') },
      { name: 'Type', value: config.model_type },
    ].flatMap(({ name, value }) => (value === undefined || value === '' ? [] : [{ name, value }]));
  } catch {
    return []; // a config that says nothing
  }
}

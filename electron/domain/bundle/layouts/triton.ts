/**
 * A model as the Triton inference server keeps it: `[MODEL/]VERSION/model.onnx`, where VERSION is a number that does not
 * start with 0, with an optional `config.pbtxt` beside the versions. Without a version policy Triton serves the highest
 * number, and so do we. `model.onnx` may be a folder with the model of that name and its weights.
 */
import type { Layout, LayoutFile } from './layout.ts';

const versionFolder = /^[1-9]\d*$/;

/** Undefined for what is no Triton model or repository. */
export function tritonLayout(files: readonly LayoutFile[]): Layout | undefined {
  const models = new Set<string>();
  for (const { path } of files) {
    const match = /^(?:([^/]+)\/)?(?:config\.pbtxt|\d+\/.+)$/.exec(path);
    const folder = match?.[1] ?? '';
    // A number is a version, and no name of a model.
    if (match !== null) models.add(/^\d+$/.test(folder) ? '' : folder);
  }
  const candidates = [...models].map((folder) => modelAt(files, folder === '' ? '' : `${folder}/`));
  const known = candidates.filter((candidate) => candidate !== undefined);
  const [first, second] = known;
  if (first !== undefined && second !== undefined)
    return {
      layout: 'triton',
      model: undefined,
      facts: [],
      problem: {
        ruleId: 'SR-BUNDLE-002',
        path: '',
        message: `The Triton repository has ${known.length} models. Bring the folder of one of them.`,
      },
    };
  return first;
}

function modelAt(files: readonly LayoutFile[], root: string): Layout | undefined {
  const config = files.find(({ path }) => path === `${root}config.pbtxt`);
  const settings = config?.text === undefined ? '' : Buffer.from(config.text).toString('utf8');
  const main = setting(settings, 'default_model_filename') ?? 'model.onnx';
  const folders = new Set(
    files
      .filter(({ path }) => path.startsWith(root))
      .map(({ path }) => path.slice(root.length).split('/'))
      .filter(({ length }) => length > 1)
      .map(([folder]) => folder ?? ''),
  );
  const fileOf = (version: string): string | undefined =>
    [`${root}${version}/${main}`, `${root}${version}/${main}/model.onnx`].find((at) =>
      files.some(({ path }) => path === at),
    );
  const holding = [...folders].filter(
    (folder) => /^\d+$/.test(folder) && fileOf(folder) !== undefined,
  );
  if (config === undefined && holding.length === 0) return undefined;
  const allowed = specificVersions(settings);
  const served = holding
    .filter((folder) => versionFolder.test(folder) && (allowed?.includes(folder) ?? true))
    .sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  const version = served.at(-1);
  const facts = [
    { name: 'Platform', value: setting(settings, 'platform') ?? setting(settings, 'backend') },
    { name: 'Version', value: version },
    { name: 'Other versions', value: served.slice(0, -1).join(', ') },
  ].flatMap(({ name, value }) => (value === undefined || value === '' ? [] : [{ name, value }]));
  return version === undefined
    ? {
        layout: 'triton',
        model: undefined,
        facts,
        problem: {
          ruleId: 'SR-BUNDLE-001',
          path: root.slice(0, -1),
          message:
            'The Triton model has no version folder that is served: their names are whole numbers that do not start with 0.',
        },
      }
    : { layout: 'triton', model: fileOf(version), facts };
}

/** The value of a plain text field at the top of a `config.pbtxt` (Protocol Buffers text format). */
function setting(text: string, field: string): string | undefined {
  // Within one line: a pattern that may cross lines takes hours for a file of nothing but empty ones.
  const value = new RegExp(
    `^[ \\t]*${field}[ \\t]*:[ \\t]*["']([^"'\\n\\\\]{0,200})["']`,
    'm',
  ).exec(text)?.[1];
  return value === '' ? undefined : value;
}

/** `version_policy: { specific: { versions: [1, 3] } }`; undefined for any other policy. */
function specificVersions(text: string): readonly string[] | undefined {
  const list = /version_policy:?\{specific:?\{versions:\[([\d,]{0,10000})\]/.exec(
    text.replace(/\s+/g, ''),
  )?.[1];
  return list?.split(',');
}

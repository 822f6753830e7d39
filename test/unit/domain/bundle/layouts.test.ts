import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findBundles } from '#domain/bundle/index.ts';
import { tarEntries, writeFolder, writeTar, type Files } from '../../../support/bundles.ts';
import { huggingFaceFiles, mlflowFiles, tritonFiles } from '../../../support/containers/layouts.ts';
import { modelPackLayout, writeLayout } from '../../../support/containers/oci.ts';
import { splitFile } from '../../../support/containers/parts.ts';
import { pass, rulesOf } from '../../../support/gate.ts';
import { bytesOf, matrixModel } from '../../../support/onnx-models.ts';
import { temporaryFolder } from '../../../support/vaults.ts';

const model = bytesOf(matrixModel());
const inspect = (files: Files) => pass(writeFolder(join(temporaryFolder(), 'bundle'), files));

describe('MLflow', () => {
  test('the file of the ONNX flavour is the model, and the declared signature is shown', async () => {
    const { report } = await inspect({ ...mlflowFiles('risk.onnx'), 'risk.onnx': model });
    expect(report).toMatchObject({ format: 'mlflow', model: { path: 'risk.onnx' } });
    expect(report.declares).toEqual([
      { name: 'MLflow', value: '3.1.0' },
      { name: 'Flavours', value: 'onnx, python_function' },
      { name: 'Declared inputs', value: 'features: float32 [-1, 2]' },
      { name: 'Declared outputs', value: 'score: double' },
    ]);
  });

  test('packed in a folder of its own it is the same model', async () => {
    const nested = Object.fromEntries(
      Object.entries(mlflowFiles()).map(([name, content]) => [`model/${name}`, content]),
    );
    const path = await writeTar(join(temporaryFolder(), 'm.tar.gz'), tarEntries(nested), true);
    const [packed, plain] = [await pass(path), await inspect(mlflowFiles())];
    expect(packed.report.format).toBe('mlflow, tar.gz');
    expect(packed.report.manifestDigest).toBe(plain.report.manifestDigest);
  });

  test.each([
    ['a flavour whose file is outside', mlflowFiles('../../model.onnx'), 'SR-BUNDLE-001'],
    ['a flavour whose file is absolute', mlflowFiles('/models/model.onnx'), 'SR-BUNDLE-001'],
    [
      'no ONNX flavour',
      { ...mlflowFiles(), MLmodel: 'flavors:\n  sklearn:\n    data: m.pkl\n' },
      'SR-BUNDLE-001',
    ],
    ['no YAML', { ...mlflowFiles(), MLmodel: 'flavors: [' }, 'SR-BUNDLE-004'],
    [
      'aliases that unfold',
      {
        ...mlflowFiles(),
        MLmodel: `a: &a [x, x]\nb: &b [*a, *a]\nflavors: {onnx: {data: model.onnx, c: [*b, *b]}}\n`,
      },
      'SR-BUNDLE-004',
    ],
    [
      'a key that comes twice',
      { ...mlflowFiles(), MLmodel: 'flavors: {onnx: {data: model.onnx, data: other.onnx}}\n' },
      'SR-BUNDLE-004',
    ],
    [
      'more text than a description has',
      {
        ...mlflowFiles(),
        MLmodel: `flavors: {onnx: {data: model.onnx}}\nx: [${'a,'.repeat(2 ** 20)}]\n`,
      },
      'SR-BUNDLE-004',
    ],
  ])('an MLmodel with %s is refused', async (_what, files, ruleId) => {
    const result = await inspect(files);
    expect(rulesOf(result)).toContain(ruleId);
    expect(result.report.overridable).toBe(false);
  });
});

test('a declared signature of hundreds of columns is no reason to refuse a model', async () => {
  const columns = Array.from({ length: 400 }, (_, at) => ({
    type: 'double',
    name: `column ${at}`,
    required: true,
  }));
  const MLmodel = `flavors: {onnx: {data: model.onnx}}\nsignature: {inputs: '${JSON.stringify(columns)}'}\n`;
  const result = await inspect({ ...mlflowFiles(), MLmodel });
  expect(rulesOf(result)).toEqual(['SR-SIG-001']);
});

// Each keeps a reader that looks again from every place busy for minutes or hours, and no signal ends it.
test.each([
  ['an MLmodel of 40,000 keys', 'MLmodel', keys(40_000)],
  ['a config.pbtxt of empty lines', 'config.pbtxt', `${'\n'.repeat(4 * 2 ** 20)}x`],
  [
    'a config.pbtxt of a policy that does not begin',
    'config.pbtxt',
    `version_policy${' '.repeat(2 ** 20)}x`,
  ],
])('a bundle with %s comes to its verdict', async (_what, name, content) => {
  const { report } = await inspect({ [name]: content, 'model.onnx': model, '1/model.onnx': model });
  expect(report.verdict).toBe('refuse');
});

function keys(count: number): string {
  const lines = Array.from({ length: count }, (_, at) => `  k${at}: 0\n`);
  return `flavors: {onnx: {data: model.onnx}}\nextra:\n${lines.join('')}`;
}

describe('Triton', () => {
  test('the highest version is the model; folders that Triton ignores are ignored', async () => {
    const { report } = await inspect(tritonFiles(['1', '3', '10', '011', 'next']));
    expect(report).toMatchObject({ format: 'triton', model: { path: '10/model.onnx' } });
    expect(report.declares).toEqual([
      { name: 'Platform', value: 'onnxruntime_onnx' },
      { name: 'Version', value: '10' },
      { name: 'Other versions', value: '1, 3' },
    ]);
  });

  test('a version policy and a file name of the config are followed', async () => {
    const policy = 'version_policy: { specific: { versions: [ 1, 3 ] } }\n';
    const chosen = await inspect(tritonFiles(['1', '3', '10'], policy));
    expect(chosen.report.model?.path).toBe('3/model.onnx');
    const named = await inspect({
      ...tritonFiles(['1'], 'default_model_filename: "risk.onnx"\n'),
      '1/risk.onnx': model,
    });
    expect(named.report.model?.path).toBe('1/risk.onnx');
  });

  test('a model that is a folder, in a repository of one model, is found', async () => {
    const { report } = await inspect({
      'README.md': 'x',
      'credit/2/model.onnx/model.onnx': model,
      'credit/2/model.onnx/weights.bin': 'x',
    });
    expect(report).toMatchObject({
      format: 'triton',
      model: { path: 'credit/2/model.onnx/model.onnx' },
    });
  });

  test.each([
    ['only versions that start with 0', tritonFiles(['01', '0']), 'SR-BUNDLE-001'],
    ['a config without a version', tritonFiles([]), 'SR-BUNDLE-001'],
    ['several models', { 'a/1/model.onnx': model, 'b/1/model.onnx': model }, 'SR-BUNDLE-002'],
  ])('a repository with %s is refused', async (_what, files, ruleId) => {
    expect(rulesOf(await inspect({ 'README.md': 'x', ...files }))).toContain(ruleId);
  });
});

describe('Hugging Face', () => {
  test('model.onnx in the folder onnx is the model, whatever other exports there are', async () => {
    const names = ['model_quantized.onnx', 'model.onnx', 'model_fp16.onnx'];
    const { report } = await inspect(huggingFaceFiles(names));
    expect(report).toMatchObject({ format: 'hugging-face', model: { path: 'onnx/model.onnx' } });
    expect(report.declares).toContainEqual({
      name: 'Other exports',
      value: 'model_fp16.onnx, model_quantized.onnx',
    });
  });

  test('a single export needs no name; several without model.onnx need a choice', async () => {
    const alone = await inspect(huggingFaceFiles(['model_int8.onnx']));
    expect(alone.report.model?.path).toBe('onnx/model_int8.onnx');
    const several = await inspect(huggingFaceFiles(['encoder_model.onnx', 'decoder_model.onnx']));
    expect(rulesOf(several)).toContain('SR-BUNDLE-002');
  });
});

test('pipeline.json has the last word in every layout', async () => {
  const pipeline = JSON.stringify({ schemaVersion: 1, model: '1/model.onnx', columns: [] });
  const { report } = await inspect({ ...tritonFiles(['1', '2']), 'pipeline.json': pipeline });
  expect(report.model?.path).toBe('1/model.onnx');
});

test('every container is found on a medium as one bundle, and not as its files', async () => {
  const root = temporaryFolder();
  writeLayout(join(root, 'image'), modelPackLayout({ 'model.onnx': model }));
  writeFolder(join(root, 'mlflow'), mlflowFiles());
  writeFolder(join(root, 'served'), tritonFiles(['1', '2']));
  writeFolder(join(root, 'repository/credit'), { '1/model.onnx': model });
  writeFolder(join(root, 'bert'), huggingFaceFiles(['model.onnx', 'model_int8.onnx']));
  splitFile(
    await writeTar(join(root, 'big.tar.gz'), [{ name: 'model.onnx', content: model }], true),
    3,
  );
  await writeTar(join(root, 'packed.tar.zst'), [{ name: 'model.onnx', content: model }]);
  const found = await findBundles(root);
  expect(found.map(({ name, format }) => `${name}: ${format}`).toSorted()).toEqual([
    'bert: hugging-face',
    'big: parts',
    'credit: triton',
    'image: oci',
    'mlflow: mlflow',
    'packed: archive',
    'served: triton',
  ]);
  expect(found.every(({ sizeBytes }) => (sizeBytes ?? 0) > 100)).toBe(true);
});

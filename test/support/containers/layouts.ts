/** Bundles in the arrangements of MLflow, Triton and Hugging Face. */
import { bytesOf, matrixModel } from '../onnx-models.ts';
import type { Files } from '../bundles.ts';

const model = bytesOf(matrixModel());

/** As `mlflow.onnx.save_model` leaves it. */
export function mlflowFiles(data = 'model.onnx'): Files {
  return {
    MLmodel: `artifact_path: model
flavors:
  onnx:
    code: null
    data: ${data}
    onnx_version: 1.18.0
    providers:
    - CPUExecutionProvider
  python_function:
    data: ${data}
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    loader_module: mlflow.onnx
    python_version: 3.12.3
mlflow_version: 3.1.0
model_uuid: 6b8a6d3a0a7f4d7c9f3c1b1f0e5a2d41
signature:
  inputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 2]}, "name": "features"}]'
  outputs: '[{"name": "score", "type": "double", "required": true}]'
  params: null
utc_time_created: '2026-03-01 10:00:00.000000'
`,
    'model.onnx': model,
    'conda.yaml': 'name: mlflow-env\n',
    'python_env.yaml': 'python: 3.12.3\n',
    'requirements.txt': 'onnx==1.18.0\n',
  };
}

export function tritonFiles(versions: readonly string[], config = ''): Files {
  return {
    'config.pbtxt': `name: "credit"\nplatform: "onnxruntime_onnx"\nmax_batch_size: 8\n${config}`,
    ...Object.fromEntries(versions.map((version) => [`${version}/model.onnx`, model])),
  };
}

/** As `optimum-cli export onnx` and the model hub leave it. */
export function huggingFaceFiles(names: readonly string[] = ['model.onnx']): Files {
  return {
    'config.json': JSON.stringify({ architectures: ['BertModel'], model_type: 'bert' }),
    'tokenizer.json': '{}',
    'tokenizer_config.json': '{}',
    ...Object.fromEntries(names.map((name) => [`onnx/${name}`, model])),
  };
}

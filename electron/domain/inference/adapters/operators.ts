/** Single operators that the runtime computes in one form only, or less exactly than ONNX asks. */
import { AppError } from '#shared/errors.ts';
import { attributeOf, isStandard, tensor, tensorTypes, type OnnxNode } from '#domain/onnx/index.ts';
import {
  inner,
  intOf,
  mapNodes,
  withoutAttributes,
  type Adapter,
  attributesOf,
  node,
} from './graph-edit.ts';

type Rewrite = (one: OnnxNode, opset: number) => OnnxNode | OnnxNode[];

export const rewriteOperators: Adapter = (model) =>
  mapNodes(model, (one, opset) =>
    isStandard(one) ? (rewrites[one.opType ?? '']?.(one, opset) ?? one) : refuseTraining(one),
  );

const trainingDomains: ReadonlySet<string> = new Set([
  'ai.onnx.training',
  'ai.onnx.preview.training',
]);

function refuseTraining(one: OnnxNode): OnnxNode {
  if (trainingDomains.has(one.domain ?? ''))
    throw new AppError(
      'unsupported',
      `The operator ${one.opType} of ${one.domain} is for training; the runtime only runs models.`,
    );
  return one;
}

/** With `layout` 1 the batch comes first, which the runtime does not have: transposed on the way in and out. */
const timeFirst: Rewrite = (one) => {
  if (intOf(one, 'layout') !== 1) return one;
  const [output = one.outputs[1] ?? ''] = one.outputs.filter((name) => name !== '');
  const at = (name: string): string => inner(output, name);
  const before: OnnxNode[] = [];
  const after: OnnxNode[] = [];
  const swapped = (name: string | undefined, what: string): string => {
    if (name === undefined || name === '') return '';
    before.push(node('Transpose', { inputs: [name], outputs: [at(what)] }, { perm: [1n, 0n, 2n] }));
    return at(what);
  };
  const [x, w = '', r = '', b = '', lengths = '', h, c, ...peepholes] = one.inputs;
  const all = [swapped(x, 'x'), w, r, b, lengths, swapped(h, 'h'), swapped(c, 'c'), ...peepholes];
  const inputs = all.slice(0, one.inputs.length);
  const outputs = one.outputs.map((name, place) => {
    if (name === '') return '';
    // Y is [time, directions, batch, hidden] and comes out as [batch, time, directions, hidden]; the states lose their place too.
    after.push(
      node(
        'Transpose',
        { inputs: [at(`y${place}`)], outputs: [name] },
        { perm: place === 0 ? [2n, 0n, 1n, 3n] : [1n, 0n, 2n] },
      ),
    );
    return at(`y${place}`);
  });
  return [...before, { ...withoutAttributes(one, 'layout'), inputs, outputs }, ...after];
};

/** What a float of the runtime's Fourier transform loses is more than ONNX allows for; in doubles it is not. */
const inDoubles =
  (signals: readonly number[]): Rewrite =>
  (one) => {
    const [output = ''] = one.outputs;
    const at = (what: string): string => inner(output, what);
    const [first = ''] = one.inputs;
    const double = BigInt(tensorTypes.indexOf('double'));
    return [
      ...signals.flatMap((place) => {
        const name = one.inputs[place] ?? '';
        return name === ''
          ? []
          : [node('Cast', { inputs: [name], outputs: [at(`in${place}`)] }, { to: double })];
      }),
      {
        ...one,
        inputs: one.inputs.map((name, place) =>
          signals.includes(place) && name !== '' ? at(`in${place}`) : name,
        ),
        outputs: [at('wide')],
      },
      node('CastLike', { inputs: [at('wide'), first], outputs: [output] }),
    ];
  };

/** Upper and lower case are the same in all of them but these; which are installed depends on the system. */
const ownCase = /^(tr|az)\b/i;

/** The runtime unfolds it in models of operator set 24 only. */
const swish: Rewrite = (one) => {
  const [output = ''] = one.outputs;
  const [first = ''] = one.inputs;
  const at = (what: string): string => inner(output, what);
  const alpha = tensor('alpha', 'float', { dims: [], data: [attributeOf(one, 'alpha')?.f ?? 1] });
  return [
    node('Constant', { inputs: [], outputs: [at('alpha')] }, { value: alpha }),
    node('CastLike', { inputs: [at('alpha'), first], outputs: [at('like')] }),
    node('Mul', { inputs: [first, at('like')], outputs: [at('scaled')] }),
    node('Sigmoid', { inputs: [at('scaled')], outputs: [at('sigmoid')] }),
    node('Mul', { inputs: [first, at('sigmoid')], outputs: [output] }),
  ];
};

const rewrites: Readonly<Record<string, Rewrite>> = {
  RNN: timeFirst,
  GRU: timeFirst,
  LSTM: timeFirst,
  DFT: inDoubles([0]),
  STFT: inDoubles([0, 2]),
  Swish: swish,
  StringNormalizer(one) {
    const locale = Buffer.from(attributeOf(one, 'locale')?.s ?? '').toString('utf8');
    if (process.platform !== 'linux' || ownCase.test(locale.replace('_', ' '))) return one;
    const attributes = attributesOf({ locale: 'C.UTF-8' });
    return {
      ...one,
      attributes: [...withoutAttributes(one, 'locale').attributes, ...attributes],
    };
  },
};

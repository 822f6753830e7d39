/** Convolution, pooling, resizing, recurrence. */
import { first, known, product, type Call, type Rule, type Size } from './known.ts';

/** Convolution and pooling along the sizes after batch and channels. */
function windowed(
  call: Call,
  channels: Size,
  kernel: readonly Size[] | undefined,
): readonly Size[] | null {
  const { shape } = first(call);
  if (shape === null || kernel === undefined) return null;
  const spatial = shape.slice(2);
  const strides = call.ints('strides');
  const pads = call.ints('pads');
  const dilations = call.ints('dilations');
  const autoPad = Buffer.from(call.attribute('auto_pad')?.s ?? '').toString();
  const isCeil = call.int('ceil_mode', 0) === 1;
  return [
    shape[0] ?? null,
    channels,
    ...spatial.map((size, at) => {
      const width = kernel[at];
      if (typeof size !== 'number' || typeof width !== 'number') return null;
      const stride = strides?.[at] ?? 1;
      if (autoPad.startsWith('SAME')) return Math.ceil(size / stride);
      const padding =
        autoPad === 'VALID' ? 0 : (pads?.[at] ?? 0) + (pads?.[at + spatial.length] ?? 0);
      const steps = (size + padding - (dilations?.[at] ?? 1) * (width - 1) - 1) / stride;
      return Math.max(0, (isCeil ? Math.ceil(steps) : Math.floor(steps)) + 1);
    }),
  ];
}

const pooled: Rule = (call) => {
  const shape = windowed(call, first(call).shape?.[1] ?? null, call.ints('kernel_shape'));
  return [known(first(call).type, shape), known('int64', shape)];
};

const globallyPooled: Rule = (call) => {
  const { type, shape } = first(call);
  return [known(type, shape?.map((size, at) => (at < 2 ? size : 1)) ?? null)];
};

export const windowRules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...'MaxPool AveragePool LpPool'.split(' ').map((op) => [op, pooled] as const),
  ...'GlobalAveragePool GlobalMaxPool GlobalLpPool'
    .split(' ')
    .map((op) => [op, globallyPooled] as const),
  [
    'Conv',
    (call) => [
      known(
        first(call).type,
        windowed(call, call.inputs[1]?.shape?.[0] ?? null, call.inputs[1]?.shape?.slice(2)),
      ),
    ],
  ],
  [
    'ConvInteger',
    (call) => [
      known(
        'int32',
        windowed(call, call.inputs[1]?.shape?.[0] ?? null, call.inputs[1]?.shape?.slice(2)),
      ),
    ],
  ],
  [
    'QLinearConv',
    (call) => [
      known(
        call.inputs[7]?.type ?? '',
        windowed(call, call.inputs[3]?.shape?.[0] ?? null, call.inputs[3]?.shape?.slice(2)),
      ),
    ],
  ],
  [
    'ConvTranspose',
    (call) => {
      const { type, shape } = first(call);
      const weights = call.inputs[1]?.shape;
      if (shape === null || weights === null || weights === undefined) return [known(type, null)];
      const spatial = shape.slice(2);
      const pads = call.ints('pads');
      const given = call.ints('output_shape');
      const channels = weights[1];
      return [
        known(type, [
          shape[0] ?? null,
          typeof channels === 'number' ? channels * call.int('group', 1) : null,
          ...spatial.map((size, at) => {
            if (given !== undefined) return given[at] ?? null;
            const width = weights[at + 2];
            if (
              typeof size !== 'number' ||
              typeof width !== 'number' ||
              call.attribute('auto_pad') !== undefined
            )
              return null;
            return (
              (call.ints('strides')?.[at] ?? 1) * (size - 1) +
              (call.ints('output_padding')?.[at] ?? 0) +
              (call.ints('dilations')?.[at] ?? 1) * (width - 1) +
              1 -
              (pads?.[at] ?? 0) -
              (pads?.[at + spatial.length] ?? 0)
            );
          }),
        ]),
      ];
    },
  ],
  [
    'Resize',
    (call) => {
      const { type, shape } = first(call);
      const sizes = call.inputs[3]?.values;
      return [
        known(
          type,
          shape !== null && sizes?.length === shape.length && call.attribute('axes') === undefined
            ? sizes
            : (shape?.map(() => null) ?? null),
        ),
      ];
    },
  ],
  ['Upsample', (call) => [known(first(call).type, first(call).shape?.map(() => null) ?? null)]],
  [
    'DepthToSpace',
    (call) => {
      const { type, shape } = first(call);
      const block = call.int('blocksize', 1);
      if (shape?.length !== 4) return [known(type, null)];
      const [n = null, c = null, h = null, w = null] = shape;
      return [
        known(type, [
          n,
          typeof c === 'number' ? c / block ** 2 : null,
          product([h, block]),
          product([w, block]),
        ]),
      ];
    },
  ],
  ...(['LSTM', 'GRU', 'RNN'] as const).map(
    (op) =>
      [
        op,
        (call: Call) => {
          const { type, shape } = first(call);
          if (shape?.length !== 3) return [known(type, null)];
          const directions =
            Buffer.from(call.attribute('direction')?.s ?? '').toString() === 'bidirectional'
              ? 2
              : 1;
          const hidden =
            call.attribute('hidden_size') === undefined ? null : call.int('hidden_size', 0);
          const [steps = null, batch = null] =
            call.int('layout', 0) === 1 ? [shape[1], shape[0]] : shape;
          const state =
            call.int('layout', 0) === 1 ? [batch, directions, hidden] : [directions, batch, hidden];
          const all =
            call.int('layout', 0) === 1
              ? [batch, steps, directions, hidden]
              : [steps, directions, batch, hidden];
          return [known(type, all), known(type, state), known(type, state)];
        },
      ] as const,
  ),
]);

/** Operators that move values about and change none. */
import {
  axisOf,
  broadcast,
  first,
  known,
  longest,
  product,
  unknown,
  type Call,
  type Known,
  type Rule,
} from './known.ts';

function axesOf(call: Call): number[] | undefined {
  const axes = call.inputs[1]?.values ?? call.ints('axes');
  return axes?.every((axis) => typeof axis === 'number') === true ? axes.map(Number) : undefined;
}

function slice(call: Call): readonly Known[] {
  const [data = unknown, starts, ends, axesInput, steps] = call.inputs;
  const from = starts?.values ?? call.ints('starts');
  const to = ends?.values ?? call.ints('ends');
  if (data.shape === null) return [known(data.type, null)];
  const rank = data.shape.length;
  const axes =
    axesInput === undefined ? (call.ints('axes') ?? from?.map((_, at) => at)) : axesInput.values;
  if (axes === undefined || from === undefined || to === undefined)
    return [
      known(
        data.type,
        data.shape.map(() => null),
      ),
    ];
  const shape = [...data.shape];
  let values = data.values;
  for (const [at, axis] of axes.entries()) {
    const place = axisOf(Number(axis), rank);
    const size = shape[place] ?? null;
    const [start, end, step] = [from[at], to[at], steps === undefined ? 1 : steps.values?.[at]];
    if (
      typeof size !== 'number' ||
      typeof start !== 'number' ||
      typeof end !== 'number' ||
      typeof step !== 'number' ||
      step === 0
    ) {
      // All of an unknown size stays all of it.
      if (!(start === 0 && typeof end === 'number' && end >= 2 ** 31 - 1 && step === 1))
        shape[place] = null;
      values = undefined;
      continue;
    }
    const clamp = (index: number): number =>
      Math.min(
        Math.max(index < 0 ? index + size : index, step < 0 ? -1 : 0),
        step < 0 ? size - 1 : size,
      );
    const [low, high] = [clamp(start), end < -size && step < 0 ? -1 : clamp(end)];
    shape[place] = Math.max(0, Math.ceil((high - low) / step));
    values =
      rank === 1 && step > 0
        ? values?.slice(low, high).filter((_, index) => index % step === 0)
        : undefined;
  }
  return [{ type: data.type, shape, ...(values === undefined ? {} : { values }) }];
}

function reshape({ inputs, int }: Call): readonly Known[] {
  const [data = unknown, target] = inputs;
  const values = target?.values;
  if (values === undefined) {
    const rank = target?.shape?.[0];
    return [
      known(
        data.type,
        typeof rank === 'number' && rank <= longest
          ? Array.from({ length: rank }, () => null)
          : null,
      ),
    ];
  }
  const shape = values.map((size, at) =>
    size === 0 && int('allowzero', 0) === 0 ? (data.shape?.[at] ?? null) : size,
  );
  const open = shape.indexOf(-1);
  if (open >= 0) {
    const rest = shape.filter((_, at) => at !== open);
    // Sizes on both sides that are the same cancel out, known or named.
    const total = [...(data.shape ?? [null])];
    const others = rest.filter((size) => {
      const at = size === null || size === 1 ? -1 : total.indexOf(size);
      if (at >= 0) total.splice(at, 1);
      return at < 0;
    });
    const [whole, part] = [product(total), product(others)];
    shape[open] =
      part === 1
        ? whole
        : typeof whole === 'number' && typeof part === 'number' && part > 0
          ? whole / part
          : null;
  }
  return [
    {
      ...known(data.type, shape),
      ...(data.values === undefined || shape.length > 1 ? {} : { values: data.values }),
    },
  ];
}

export const rearrangingRules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  [
    'Flatten',
    (call) => {
      const { type, shape } = first(call);
      if (shape === null) return [known(type, [null, null])];
      const axis = axisOf(call.int('axis', 1), shape.length);
      return [known(type, [product(shape.slice(0, axis)), product(shape.slice(axis))])];
    },
  ],
  ['Reshape', reshape],
  [
    'Transpose',
    (call) => {
      const { type, shape } = first(call);
      const order = call.ints('perm') ?? shape?.map((_, at) => shape.length - 1 - at);
      return [
        known(
          type,
          shape === null || order === undefined ? null : order.map((at) => shape[at] ?? null),
        ),
      ];
    },
  ],
  [
    'Squeeze',
    (call) => {
      const { type, shape, values } = first(call);
      const axes = axesOf(call);
      if (shape === null || (call.inputs.length > 1 && axes === undefined))
        return [known(type, null)];
      if (axes === undefined && shape.some((size) => typeof size !== 'number'))
        return [known(type, null)];
      const gone = new Set(axes?.map((axis) => axisOf(axis, shape.length)));
      return [
        {
          type,
          shape: shape.filter((size, at) => (axes === undefined ? size !== 1 : !gone.has(at))),
          ...(values === undefined ? {} : { values }),
        },
      ];
    },
  ],
  [
    'Unsqueeze',
    (call) => {
      const { type, shape, values } = first(call);
      const axes = axesOf(call);
      if (shape === null || axes === undefined) return [known(type, null)];
      const rank = shape.length + axes.length;
      const added = new Set(axes.map((axis) => axisOf(axis, rank)));
      const rest = shape.values();
      return [
        {
          type,
          shape: Array.from({ length: rank }, (_, at) =>
            added.has(at) ? 1 : (rest.next().value ?? null),
          ),
          ...(values === undefined || rank > 1 ? {} : { values }),
        },
      ];
    },
  ],
  [
    'Concat',
    ({ inputs, int }) => {
      const type = inputs.find((input) => input.type !== '')?.type ?? '';
      const shapes = inputs.map(({ shape }) => shape);
      const [shape] = shapes;
      if (shape === null || shape === undefined || shapes.includes(null))
        return [known(type, null)];
      const axis = axisOf(int('axis', 1), shape.length);
      const along = shapes.map((one) => one?.[axis] ?? null);
      const sum = along.every((size) => typeof size === 'number')
        ? along.reduce((a, b) => a + b, 0)
        : null;
      const values = inputs.flatMap((input) => input.values ?? [Number.NaN]);
      return [
        {
          type,
          shape: shape.map((size, at) =>
            at === axis
              ? sum
              : (shapes.map((one) => one?.[at]).find((one) => typeof one === 'number') ?? size),
          ),
          ...(shape.length === 1 && values.length <= longest && !values.includes(Number.NaN)
            ? { values }
            : {}),
        },
      ];
    },
  ],
  ['Slice', slice],
  [
    'Gather',
    (call) => {
      const [data = unknown, indices = unknown] = call.inputs;
      if (data.shape === null || indices.shape === null) return [known(data.type, null)];
      const axis = axisOf(call.int('axis', 0), data.shape.length);
      const values =
        data.values !== undefined && data.shape.length === 1 && indices.values !== undefined
          ? indices.values.map((index) =>
              typeof index === 'number' ? (data.values?.at(index) ?? null) : null,
            )
          : undefined;
      return [
        {
          type: data.type,
          shape: [...data.shape.slice(0, axis), ...indices.shape, ...data.shape.slice(axis + 1)],
          ...(values === undefined ? {} : { values }),
        },
      ];
    },
  ],
  ['GatherElements', ({ inputs }) => [known(inputs[0]?.type ?? '', inputs[1]?.shape ?? null)]],
  [
    'GatherND',
    (call) => {
      const [data = unknown, indices = unknown] = call.inputs;
      const depth = indices.shape?.at(-1);
      if (data.shape === null || indices.shape === null || typeof depth !== 'number')
        return [known(data.type, null)];
      return [
        known(data.type, [
          ...indices.shape.slice(0, -1),
          ...data.shape.slice(call.int('batch_dims', 0) + depth),
        ]),
      ];
    },
  ],
  [
    'Split',
    (call) => {
      const { type, shape } = first(call);
      const sizes = call.inputs[1]?.values ?? call.ints('split');
      const parts = call.node.outputs.length;
      if (shape === null) return call.node.outputs.map(() => known(type, null));
      const axis = axisOf(call.int('axis', 0), shape.length);
      const whole = shape[axis];
      const even =
        typeof whole === 'number' && call.inputs[1] === undefined ? Math.ceil(whole / parts) : null;
      return call.node.outputs.map((_, part) => {
        const size =
          sizes?.[part] ??
          (even === null || typeof whole !== 'number' ? null : Math.min(even, whole - even * part));
        return known(
          type,
          shape.map((one, at) => (at === axis ? size : one)),
        );
      });
    },
  ],
  [
    'Expand',
    (call) => {
      const target = call.inputs[1]?.values;
      return [
        known(
          first(call).type,
          target === undefined ? null : broadcast([first(call).shape, target]),
        ),
      ];
    },
  ],
  [
    'Tile',
    (call) => {
      const { type, shape } = first(call);
      const repeats = call.inputs[1]?.values;
      return [
        known(type, shape?.map((size, at) => product([size, repeats?.[at] ?? null])) ?? null),
      ];
    },
  ],
  [
    'Pad',
    (call) => {
      const { type, shape } = first(call);
      const pads = call.inputs[1]?.values ?? call.ints('pads');
      if (shape === null) return [known(type, null)];
      const hasAxes = call.inputs[3] !== undefined && call.node.inputs[3] !== '';
      return [
        known(
          type,
          shape.map((size, at) => {
            const [before, after] = [pads?.[at], pads?.[at + shape.length]];
            return typeof size === 'number' &&
              typeof before === 'number' &&
              typeof after === 'number' &&
              !hasAxes
              ? size + before + after
              : null;
          }),
        ),
      ];
    },
  ],
]);

/**
 * A layered drawing of a directed graph (Sugiyama, Tagawa and Toda 1981), in time near-linear in nodes and edges: layers by
 * longest path, order by barycentres, positions by isotonic regression, which gives each layer the places nearest to its
 * neighbours that do not overlap. Made for graphs of 100,000 nodes, where a nicer method would not end.
 */

export interface LayoutInput {
  /** Of each box. */
  readonly widths: readonly number[];
  readonly edges: readonly { readonly from: number; readonly to: number }[];
}

export interface Layout {
  /** Centres. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** One for each edge: x, y, x, y …, from box to box. */
  readonly points: readonly number[][];
  readonly width: number;
  readonly height: number;
}

const gapX = 24;
const gapY = 56;
/** An edge that passes a layer keeps this much room in it. */
const laneWidth = 14;
const sweeps = 8;

export function layoutGraph(input: LayoutInput, nodeHeight: number): Layout {
  const count = input.widths.length;
  const layerOf = findLayers(count, input.edges);
  const items = placeLanes(input, layerOf);
  orderLayers(items);
  const x = findPositions(items);
  const step = nodeHeight + gapY;
  const top = nodeHeight / 2;
  let width = 0;
  for (let item = 0; item < x.length; item += 1)
    width = Math.max(width, (x[item] ?? 0) + (items.widths[item] ?? 0) / 2);
  const y = Float64Array.from({ length: count }, (_, node) => top + (layerOf[node] ?? 0) * step);
  const points = input.edges.map(({ from, to }, edge) => {
    const down = (layerOf[from] ?? 0) < (layerOf[to] ?? 0);
    const line = [x[from] ?? 0, (y[from] ?? 0) + (down ? top : -top)];
    for (const lane of items.lanes[edge] ?? [])
      addPoint(line, x[lane] ?? 0, top + (items.layer[lane] ?? 0) * step);
    addPoint(line, x[to] ?? 0, (y[to] ?? 0) + (down ? -top : top));
    return line.map((value) => Math.round(value * 10) / 10);
  });
  return {
    x: x.slice(0, count).map((value) => Math.round(value * 10) / 10),
    y,
    points,
    width,
    height: items.layers.length === 0 ? 0 : (items.layers.length - 1) * step + nodeHeight,
  };
}

/** Leaves out the middle of three points in a vertical line. */
function addPoint(line: number[], x: number, y: number): void {
  const end = line.length;
  const isStraight =
    end >= 4 &&
    Math.abs((line[end - 2] ?? 0) - x) < 0.5 &&
    Math.abs((line[end - 4] ?? 0) - x) < 0.5;
  if (isStraight) line.splice(end - 2, 2);
  line.push(x, y);
}

type Edges = LayoutInput['edges'];

/** Longest path from a source; what feeds nothing but lower nodes goes down to them. Edges that close a cycle count for nothing. */
function findLayers(count: number, edges: Edges): Int32Array {
  const { order, forward } = topologicalOrder(count, edges);
  const layer = new Int32Array(count);
  const below = adjacency(count, forward, 'from');
  for (const node of order)
    for (const edge of below(node)) {
      const to = forward[edge]?.to ?? 0;
      layer[to] = Math.max(layer[to] ?? 0, (layer[node] ?? 0) + 1);
    }
  const above = new Int32Array(count);
  for (const { to } of forward) above[to] = (above[to] ?? 0) + 1;
  for (const node of order.toReversed()) {
    let nearest = Number.POSITIVE_INFINITY;
    let consumers = 0;
    for (const edge of below(node)) {
      nearest = Math.min(nearest, layer[forward[edge]?.to ?? 0] ?? 0);
      consumers += 1;
    }
    // Moving down makes the edges below shorter and those above longer.
    const makers = above[node] ?? 0;
    if (consumers > 0 && (makers === 0 || consumers > makers)) layer[node] = nearest - 1;
  }
  return layer;
}

function topologicalOrder(count: number, edges: Edges): { order: number[]; forward: Edges } {
  const open = new Int32Array(count);
  for (const { to } of edges) open[to] = (open[to] ?? 0) + 1;
  const below = adjacency(count, edges, 'from');
  const order: number[] = [];
  const placed = new Uint8Array(count);
  const take = (start: number): void => {
    const ready = [start];
    placed[start] = 1;
    for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
      order.push(node);
      for (const edge of below(node)) {
        const to = edges[edge]?.to ?? 0;
        open[to] = (open[to] ?? 0) - 1;
        if (open[to] === 0 && placed[to] === 0) {
          placed[to] = 1;
          ready.push(to);
        }
      }
    }
  };
  for (let node = 0; node < count; node += 1)
    if (open[node] === 0 && placed[node] === 0) take(node);
  // What is left lies on or behind a cycle, which no model that runs has.
  for (let node = 0; node < count; node += 1) if (placed[node] === 0) take(node);
  const rank = new Int32Array(count);
  for (const [at, node] of order.entries()) rank[node] = at;
  const forward = edges.filter(({ from, to }) => (rank[from] ?? 0) < (rank[to] ?? 0));
  return { order, forward };
}

/** The edges at each node, without an array for each. */
function adjacency(
  count: number,
  edges: Edges,
  end: 'from' | 'to',
): (node: number) => Generator<number> {
  const starts = new Int32Array(count + 1);
  for (const edge of edges) starts[edge[end] + 1] = (starts[edge[end] + 1] ?? 0) + 1;
  for (let at = 1; at <= count; at += 1) starts[at] = (starts[at] ?? 0) + (starts[at - 1] ?? 0);
  const next = starts.slice();
  const list = new Int32Array(edges.length);
  for (const [at, edge] of edges.entries()) {
    const place = next[edge[end]] ?? 0;
    list[place] = at;
    next[edge[end]] = place + 1;
  }
  return function* at(node) {
    for (let place = starts[node] ?? 0; place < (starts[node + 1] ?? 0); place += 1)
      yield list[place] ?? 0;
  };
}

/** Boxes first, then the lanes of edges in the layers that they pass. */
interface Items {
  readonly layers: number[][];
  readonly layer: Int32Array;
  readonly widths: number[];
  /** Of each edge. */
  readonly lanes: (readonly number[] | undefined)[];
  readonly up: readonly (readonly number[])[];
  readonly down: readonly (readonly number[])[];
  readonly boxes: number;
}

function placeLanes({ widths: boxes, edges }: LayoutInput, layerOf: Int32Array): Items {
  const spans = edges.map(({ from, to }, edge) => ({
    edge,
    span: (layerOf[to] ?? 0) - (layerOf[from] ?? 0),
  }));
  // Shortest first: when the room for lanes is used up, the longest edges are drawn straight across.
  let budget = 4 * boxes.length + 1000;
  const widths = [...boxes];
  const layer = [...layerOf];
  const lanes: (readonly number[] | undefined)[] = Array.from({ length: edges.length });
  const up: number[][] = boxes.map(() => []);
  const down: number[][] = boxes.map(() => []);
  const connect = (above: number, below: number): void => {
    down[above]?.push(below);
    up[below]?.push(above);
  };
  for (const { edge, span } of spans.toSorted((a, b) => a.span - b.span)) {
    const { from, to } = edges[edge] ?? { from: 0, to: 0 };
    if (span <= 0 || span - 1 > budget) continue;
    budget -= span - 1;
    const own: number[] = [];
    let last = from;
    for (let passed = 1; passed < span; passed += 1) {
      const item = widths.length;
      widths.push(laneWidth);
      layer.push((layerOf[from] ?? 0) + passed);
      up.push([]);
      down.push([]);
      own.push(item);
      connect(last, item);
      last = item;
    }
    connect(last, to);
    if (own.length > 0) lanes[edge] = own;
  }
  const layers: number[][] = [];
  for (const [item, at] of layer.entries()) (layers[at] ??= []).push(item);
  for (let at = 0; at < layers.length; at += 1) layers[at] ??= [];
  return { layers, layer: Int32Array.from(layer), widths, lanes, up, down, boxes: boxes.length };
}

function orderLayers({ layers, up, down, widths }: Items): void {
  const place = new Float64Array(widths.length);
  const number = (list: readonly number[]): void => {
    for (const [at, item] of list.entries()) place[item] = (at + 0.5) / list.length;
  };
  layers.forEach(number);
  const reorder = (list: number[], neighbours: Items['up']): void => {
    const wish = new Map(
      list.map((item) => {
        const near = neighbours[item] ?? [];
        const sum = near.reduce((total, other) => total + (place[other] ?? 0), 0);
        return [item, near.length === 0 ? (place[item] ?? 0) : sum / near.length] as const;
      }),
    );
    list.sort((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0));
    number(list);
  };
  for (let sweep = 0; sweep < sweeps; sweep += 1) {
    if (sweep % 2 === 0) for (const list of layers) reorder(list, up);
    else for (const list of layers.toReversed()) reorder(list, down);
  }
}

function findPositions({ layers, up, down, widths, boxes }: Items): Float64Array {
  const x = new Float64Array(widths.length);
  const isLane = (item: number): boolean => item >= boxes;
  for (const list of layers) {
    let at = 0;
    for (const item of list) {
      at += (widths[item] ?? 0) / 2;
      x[item] = at;
      at += (widths[item] ?? 0) / 2 + gapX;
    }
    for (const item of list) x[item] = (x[item] ?? 0) - at / 2;
  }
  /** Two that have only each other on that side are to stand in one line; so are the lanes of an edge. */
  const isStraight = (above: number, below: number): boolean =>
    (isLane(above) && isLane(below)) || (down[above]?.length === 1 && up[below]?.length === 1);
  const settle = (
    list: readonly number[],
    wish: (item: number) => { readonly at: number; readonly weight: number },
  ): void => {
    const places = withoutOverlap(
      list.map(wish),
      list.map((item) => widths[item] ?? 0),
    );
    for (const [at, item] of list.entries()) x[item] = places[at] ?? 0;
  };
  const towards = (neighbours: Items['up'], side: 'up' | 'down') => (item: number) => {
    let sum = 0;
    let weight = 0;
    for (const other of neighbours[item] ?? []) {
      const straight = side === 'up' ? isStraight(other, item) : isStraight(item, other);
      const pull = straight ? 8 : isLane(item) || isLane(other) ? 2 : 1;
      sum += pull * (x[other] ?? 0);
      weight += pull;
    }
    return weight === 0 ? { at: x[item] ?? 0, weight: 0.01 } : { at: sum / weight, weight };
  };
  for (let sweep = 0; sweep < sweeps; sweep += 1) {
    if (sweep % 2 === 0) for (const list of layers) settle(list, towards(up, 'up'));
    else for (const list of layers.toReversed()) settle(list, towards(down, 'down'));
  }
  // At last lines that are nearly straight are made so.
  for (const list of layers)
    settle(list, (item) => {
      const [above, ...others] = up[item] ?? [];
      return above !== undefined && others.length === 0 && isStraight(above, item)
        ? { at: x[above] ?? 0, weight: 100 }
        : { at: x[item] ?? 0, weight: 1 };
    });
  let left = Number.POSITIVE_INFINITY;
  for (let item = 0; item < x.length; item += 1)
    left = Math.min(left, (x[item] ?? 0) - (widths[item] ?? 0) / 2);
  return x.map((value) => value - left);
}

/** The places of least weighted square distance from the wishes that keep order and gaps: pool adjacent violators. */
function withoutOverlap(
  wishes: readonly { readonly at: number; readonly weight: number }[],
  widths: readonly number[],
): number[] {
  const offsets: number[] = [];
  for (const [at, width] of widths.entries())
    offsets.push(
      at === 0 ? 0 : (offsets[at - 1] ?? 0) + ((widths[at - 1] ?? 0) + width) / 2 + gapX,
    );
  const blocks: { mean: number; weight: number; size: number }[] = [];
  for (const [at, wish] of wishes.entries()) {
    let block = { mean: wish.at - (offsets[at] ?? 0), weight: wish.weight, size: 1 };
    for (
      let last = blocks.at(-1);
      last !== undefined && last.mean > block.mean;
      last = blocks.at(-1)
    ) {
      const weight = last.weight + block.weight;
      block = {
        mean: (last.mean * last.weight + block.mean * block.weight) / weight,
        weight,
        size: last.size + block.size,
      };
      blocks.pop();
    }
    blocks.push(block);
  }
  return blocks
    .flatMap(({ mean, size }) => Array.from({ length: size }, () => mean))
    .map((value, at) => value + (offsets[at] ?? 0));
}

/** Which nodes of two graphs are the same: the longest common sequence of what they are, then names for the rest. */

/** More edits are not followed one by one; graphs that differ so much are paired by what stands in both, in order. */
const mostEdits = 1500;

/** Pairs of indices, ascending in both (Myers 1986, greedy; common ends are taken first). */
export function alignSequences(
  from: readonly string[],
  to: readonly string[],
): (readonly [number, number])[] {
  const pairs: (readonly [number, number])[] = [];
  let start = 0;
  while (start < from.length && start < to.length && from[start] === to[start]) {
    pairs.push([start, start]);
    start += 1;
  }
  let [fromEnd, toEnd] = [from.length, to.length];
  const tail: (readonly [number, number])[] = [];
  while (fromEnd > start && toEnd > start && from[fromEnd - 1] === to[toEnd - 1]) {
    fromEnd -= 1;
    toEnd -= 1;
    tail.push([fromEnd, toEnd]);
  }
  const [left, right] = [from.slice(start, fromEnd), to.slice(start, toEnd)];
  for (const [a, b] of shortestEdit(left, right) ?? inOrder(left, right))
    pairs.push([a + start, b + start]);
  return [...pairs, ...tail.toReversed()];
}

/** Undefined when there are too many edits. */
function shortestEdit(
  from: readonly string[],
  to: readonly string[],
): (readonly [number, number])[] | undefined {
  const [n, m] = [from.length, to.length];
  const most = Math.min(n + m, mostEdits);
  const middle = most + 1;
  /** How far along `from` each diagonal has come. */
  const reach = new Int32Array(2 * middle + 1);
  const history: Int32Array[] = [];
  for (let edits = 0; edits <= most; edits += 1) {
    history.push(reach.slice(middle - edits - 1, middle + edits + 2));
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const below = reach[middle + diagonal - 1] ?? 0;
      const above = reach[middle + diagonal + 1] ?? 0;
      let x = diagonal === -edits || (diagonal !== edits && below < above) ? above : below + 1;
      while (x < n && x - diagonal < m && from[x] === to[x - diagonal]) x += 1;
      reach[middle + diagonal] = x;
      if (x >= n && x - diagonal >= m) return backtrack(history, { n, m });
    }
  }
  return undefined;
}

function backtrack(
  history: readonly Int32Array[],
  { n, m }: { readonly n: number; readonly m: number },
): (readonly [number, number])[] {
  const pairs: (readonly [number, number])[] = [];
  let [x, y] = [n, m];
  for (let edits = history.length - 1; edits >= 0; edits -= 1) {
    const reach = history[edits];
    const at = (diagonal: number): number => reach?.[diagonal + edits + 1] ?? 0;
    const diagonal = x - y;
    const isDown =
      diagonal === -edits || (diagonal !== edits && at(diagonal - 1) < at(diagonal + 1));
    const before = isDown ? diagonal + 1 : diagonal - 1;
    const [fromX, fromY] = edits === 0 ? [0, 0] : [at(before), at(before) - before];
    while (x > fromX && y > fromY) {
      x -= 1;
      y -= 1;
      pairs.push([x, y]);
    }
    [x, y] = [fromX, fromY];
  }
  return pairs.toReversed();
}

/** Each with the next one of its kind. */
function inOrder(from: readonly string[], to: readonly string[]): (readonly [number, number])[] {
  const waiting = new Map<string, number[]>();
  for (const [at, token] of to.entries()) {
    const places = waiting.get(token);
    if (places === undefined) waiting.set(token, [at]);
    else places.push(at);
  }
  for (const places of waiting.values()) places.reverse();
  return from.flatMap((token, at): (readonly [number, number])[] => {
    const place = waiting.get(token)?.pop();
    return place === undefined ? [] : [[at, place]];
  });
}

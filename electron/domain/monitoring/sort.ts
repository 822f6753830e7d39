/**
 * Finite numbers in ascending order, in place: what `Float64Array.prototype.sort` gives, several times as fast for the few hundred
 * to few thousand that a level of a sketch holds. Zeros of both signs are the same number here.
 */

const fewest = 64;
const most = 4096;
/** In pairs of rounds the numbers go there and back. */
const spare = new Float64Array(most);
const counts = new Int32Array(4 * 256);

export function sortNumbers(values: Float64Array): void {
  const { length } = values;
  const middle = endOfRun(values, 0);
  if (middle >= length) return;
  // What came up from the level below is two sorted runs as a rule.
  if (endOfRun(values, middle) === length) mergeRuns(values, middle);
  else if (length < fewest || length > most) values.sort();
  else {
    sortByHighHalves(values);
    finish(values);
  }
}

function endOfRun(values: Float64Array, from: number): number {
  let at = from + 1;
  while (at < values.length && (values[at - 1] ?? 0) <= (values[at] ?? 0)) at += 1;
  return at;
}

function mergeRuns(values: Float64Array, middle: number): void {
  const { length } = values;
  const first = values.slice(0, middle);
  let at = 0;
  let right = middle;
  for (let left = 0; left < middle; at += 1) {
    const low = first[left] ?? 0;
    const high = right < length ? (values[right] ?? 0) : Number.POSITIVE_INFINITY;
    if (low <= high) {
      values[at] = low;
      left += 1;
    } else {
      values[at] = high;
      right += 1;
    }
  }
}

/** A radix sort by sign, exponent and the first 20 bits of the fraction, a byte of them in each round, the lowest first. */
function sortByHighHalves(values: Float64Array): void {
  const { length } = values;
  const own = new Int32Array(values.buffer, values.byteOffset, 2 * length);
  const others = new Int32Array(spare.buffer);
  counts.fill(0);
  for (let at = 0; at < length; at += 1) {
    const key = keyOf(own[2 * at + 1] ?? 0);
    for (let round = 0; round < 4; round += 1) {
      const bucket = (round << 8) | ((key >>> (round << 3)) & 255);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
  }
  for (let round = 0; round < 4; round += 1) {
    const isBack = round % 2 === 1;
    const [from, words, to] = isBack ? [spare, others, values] : [values, own, spare];
    let before = 0;
    for (let bucket = round << 8; bucket < (round + 1) << 8; bucket += 1) {
      const count = counts[bucket] ?? 0;
      counts[bucket] = before;
      before += count;
    }
    scatter({ from, words, to }, length, round);
  }
}

function scatter(
  {
    from,
    words,
    to,
  }: { readonly from: Float64Array; readonly words: Int32Array; readonly to: Float64Array },
  length: number,
  round: number,
): void {
  for (let at = 0; at < length; at += 1) {
    const bucket = (round << 8) | ((keyOf(words[2 * at + 1] ?? 0) >>> (round << 3)) & 255);
    const place = counts[bucket] ?? 0;
    counts[bucket] = place + 1;
    to[place] = from[at] ?? 0;
  }
}

/** The high half of a double as an unsigned number that has the order of the doubles. */
function keyOf(high: number): number {
  return high ^ ((high >> 31) | 0x80000000);
}

/** By insertion, which is fast as long as few numbers agree in their high halves. */
function finish(values: Float64Array): void {
  let left = 8 * values.length;
  for (let at = 1; at < values.length; at += 1) {
    const value = values[at] ?? 0;
    let place = at;
    while (place > 0 && (values[place - 1] ?? 0) > value) {
      values[place] = values[place - 1] ?? 0;
      place -= 1;
    }
    values[place] = value;
    left -= at - place;
    if (left < 0) {
      values.sort();
      return;
    }
  }
}

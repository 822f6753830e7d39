/** The tests and distances, as pure functions of counts and cumulative shares. Formulae are cited where they are not textbook. */

/** A cumulative distribution as steps: sorted values and the share of the data at or below each. */
export interface StepDistribution {
  readonly values: readonly number[];
  readonly shares: readonly number[];
}

export function stepsFromSample(sample: readonly number[]): StepDistribution {
  const values = sample.toSorted((a, b) => a - b);
  return { values, shares: values.map((_, at) => (at + 1) / values.length) };
}

export function shareAtOrBelow({ values, shares }: StepDistribution, value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? 0 : (shares[low - 1] ?? 1);
}

/** Kolmogorov–Smirnov D: the largest gap between two cumulative distributions. */
export function ksDistance(a: StepDistribution, b: StepDistribution): number {
  let distance = 0;
  for (const value of [...a.values, ...b.values])
    distance = Math.max(distance, Math.abs(shareAtOrBelow(a, value) - shareAtOrBelow(b, value)));
  return distance;
}

/** Two-sided p of the two-sample statistic by Kolmogorov's limit distribution, with n·m/(n+m) as effective size. */
export function ksPValue(distance: number, n: number, m: number): number {
  const lambda = distance * Math.sqrt((n * m) / (n + m));
  if (lambda < 0.2) return 1;
  let sum = 0;
  for (let j = 1; j <= 100; j += 1) {
    const term = Math.exp(-2 * j * j * lambda * lambda);
    sum += j % 2 === 1 ? term : -term;
    if (term < 1e-16) break;
  }
  return clamp01(2 * sum);
}

/** The distance that two samples of one distribution exceed once in `1/alpha` times. */
export function ksCritical(alpha: number, n: number, m: number): number {
  return Math.sqrt(-Math.log(alpha / 2) / 2) * Math.sqrt((n + m) / (n * m));
}

export interface TestResult {
  readonly statistic: number;
  readonly pValue: number;
}

/** Chi-square test of a 2 × k contingency table, no continuity correction. Columns without any count are left out. */
export function chiSquareContingency(
  a: readonly number[],
  b: readonly number[],
): TestResult & { readonly degrees: number } {
  const n = sumOf(a);
  const m = sumOf(b);
  let statistic = 0;
  let used = 0;
  for (const [at, countA] of a.entries()) {
    const countB = b[at] ?? 0;
    const total = countA + countB;
    if (total === 0) continue;
    used += 1;
    const expectedA = (total * n) / (n + m);
    const expectedB = (total * m) / (n + m);
    statistic += (countA - expectedA) ** 2 / expectedA + (countB - expectedB) ** 2 / expectedB;
  }
  const degrees = Math.max(1, used - 1);
  return { statistic, degrees, pValue: used < 2 ? 1 : upperGamma(degrees / 2, statistic / 2) };
}

/** Two-proportion z test with the pooled share, two-sided. */
export function twoProportion(
  a: { readonly hits: number; readonly of: number },
  b: { readonly hits: number; readonly of: number },
): TestResult {
  const pooled = (a.hits + b.hits) / (a.of + b.of);
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / a.of + 1 / b.of));
  if (!(error > 0)) return { statistic: 0, pValue: 1 };
  const statistic = (b.hits / b.of - a.hits / a.of) / error;
  // P(|Z| > z) = Q(1/2, z²/2).
  return { statistic, pValue: upperGamma(0.5, (statistic * statistic) / 2) };
}

/** Jensen–Shannon distance in base 2: 0 for the same shares, 1 for shares without anything in common. */
export function jensenShannon(p: readonly number[], q: readonly number[]): number {
  let divergence = 0;
  for (const [at, a] of p.entries()) {
    const b = q[at] ?? 0;
    const middle = (a + b) / 2;
    if (a > 0) divergence += (a * Math.log2(a / middle)) / 2;
    if (b > 0) divergence += (b * Math.log2(b / middle)) / 2;
  }
  return Math.sqrt(Math.max(0, divergence));
}

/** Adjusted p-values that control the false discovery rate (Benjamini and Hochberg, 1995), in the order given. */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const order = pValues.map((p, at) => ({ p, at })).toSorted((a, b) => b.p - a.p);
  const adjusted = pValues.map(() => 1);
  let smallest = 1;
  for (const [fromTop, { p, at }] of order.entries()) {
    smallest = Math.min(smallest, (p * pValues.length) / (pValues.length - fromTop));
    adjusted[at] = smallest;
  }
  return adjusted;
}

/** Value that a chi-square variable of that many degrees exceeds with probability `alpha`, by bisection. */
export function chiSquareCritical(alpha: number, degrees: number): number {
  let low = 0;
  let high = degrees + 20 * Math.sqrt(2 * degrees) + 20;
  for (let step = 0; step < 100; step += 1) {
    const middle = (low + high) / 2;
    if (upperGamma(degrees / 2, middle / 2) > alpha) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Regularised upper incomplete gamma function Q(a, x): series below a + 1, continued fraction above (Numerical Recipes §6.2). */
export function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1;
  const scale = Math.exp(-x + a * Math.log(x) - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = a + 1; Math.abs(term) > Math.abs(sum) * 1e-16; n += 1) {
      term *= x / n;
      sum += term;
    }
    return clamp01(1 - sum * scale);
  }
  const tiny = 1e-300;
  let b = x + 1 - a;
  let c = 1 / tiny;
  let d = 1 / b;
  let h = d;
  for (let i = 1; i < 10_000; i += 1) {
    const numerator = -i * (i - a);
    b += 2;
    d = 1 / nonZero(numerator * d + b, tiny);
    c = nonZero(b + numerator / c, tiny);
    h *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return clamp01(scale * h);
}

/** Lanczos' approximation, g = 7. */
function logGamma(z: number): number {
  if (z < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * z)) - logGamma(1 - z);
  const coefficients = [
    676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406,
    12.507343278686905, -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
  ];
  const x = z - 1;
  const sum = coefficients.reduce(
    (total, value, at) => total + value / (x + at + 1),
    0.9999999999998099,
  );
  const t = x + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (x + 0.5) * Math.log(t) - t + Math.log(sum);
}

function nonZero(value: number, tiny: number): number {
  return Math.abs(value) < tiny ? tiny : value;
}

function clamp01(value: number): number {
  return Math.min(1, Math.max(0, value));
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

import { expect, test } from 'vitest';
import {
  benjaminiHochberg,
  chiSquareContingency,
  chiSquareCritical,
  jensenShannon,
  ksCritical,
  ksDistance,
  ksPValue,
  stepsFromSample,
  twoProportion,
  upperGamma,
} from '../../../../electron/domain/monitoring/statistics.ts';

/** Expected numbers: scipy 1.17.1 and numpy 2.4.6 on the same data. */
const reference = Array.from({ length: 100 }, (_, i) => ((37 * i) % 101) / 10);
const current = Array.from({ length: 100 }, (_, i) => ((53 * i) % 103) / 10 + 1);

test('Kolmogorov–Smirnov agrees with scipy', () => {
  const distance = ksDistance(stepsFromSample(reference), stepsFromSample(current));
  expect(distance).toBeCloseTo(0.12, 12);
  // scipy's exact p is .469506; the limit distribution comes close at this size.
  expect(Math.abs(ksPValue(distance, 100, 100) - 0.469506)).toBeLessThan(0.005);
  expect(ksPValue(ksCritical(0.05, 500, 300), 500, 300)).toBeCloseTo(0.05, 3);
  expect(ksDistance(stepsFromSample([1, 2]), stepsFromSample([3, 4]))).toBe(1);
});

test('the chi-square test of a contingency table agrees with scipy', () => {
  const four = chiSquareContingency([50, 30, 20, 0], [30, 40, 25, 5]);
  expect(four.statistic).toBeCloseTo(11.984127, 6);
  expect(four.degrees).toBe(3);
  expect(four.pValue).toBeCloseTo(0.007438, 6);
  const three = chiSquareContingency([50, 30, 20], [30, 40, 30]);
  expect(three.statistic).toBeCloseTo(8.428571, 6);
  expect(three.pValue).toBeCloseTo(0.014783, 6);
  expect(chiSquareContingency([10, 0], [7, 0]).pValue).toBe(1);
});

test('the two-proportion test agrees with scipy', () => {
  const { statistic, pValue } = twoProportion({ hits: 84, of: 200 }, { hits: 60, of: 200 });
  expect(statistic).toBeCloseTo(-2.5, 6);
  expect(pValue).toBeCloseTo(0.012419, 6);
  expect(twoProportion({ hits: 0, of: 10 }, { hits: 0, of: 20 }).pValue).toBe(1);
});

test('the Jensen–Shannon distance agrees with scipy, base 2', () => {
  expect(jensenShannon([0.5, 0.3, 0.2, 0], [0.3, 0.4, 0.25, 0.05])).toBeCloseTo(0.224509, 6);
  expect(jensenShannon([1, 0], [0, 1])).toBe(1);
  expect(jensenShannon([0.4, 0.6], [0.4, 0.6])).toBe(0);
});

test('the gamma function behind the p-values is right at both ends', () => {
  expect(upperGamma(0.5, 1.9207294)).toBeCloseTo(0.05, 6);
  expect(upperGamma(5, 9.1535)).toBeCloseTo(0.05, 4);
  expect(upperGamma(50, 10)).toBeCloseTo(1, 9);
  expect(chiSquareCritical(0.05, 1)).toBeCloseTo(3.841459, 5);
  expect(chiSquareCritical(0.05, 30)).toBeCloseTo(43.772972, 4);
});

test('Benjamini–Hochberg gives the adjusted values of the paper', () => {
  const adjusted = benjaminiHochberg([0.01, 0.04, 0.03, 0.005]);
  [0.02, 0.04, 0.04, 0.02].forEach((value, at) => expect(adjusted[at]).toBeCloseTo(value, 12));
  expect(benjaminiHochberg([])).toEqual([]);
});

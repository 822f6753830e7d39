/** Every hostile model, made when it is needed and never kept. */
import { bombCases } from './bombs.ts';
import type { ModelCase } from './model-case.ts';
import { operatorCases } from './operators.ts';
import { positionCases } from './positions.ts';
import { structureCases } from './structure.ts';

export const hostileModels: readonly ModelCase[] = [
  ...bombCases,
  ...operatorCases,
  ...positionCases,
  ...structureCases,
];

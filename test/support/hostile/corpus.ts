/** Every hostile file, made when it is needed and never kept. */
import { archiveCases } from './archives.ts';
import { byteCases } from './bytes.ts';
import type { HostileCase } from './case.ts';
import { graphCases } from './graphs.ts';

export const corpus: readonly HostileCase[] = [...byteCases, ...graphCases, ...archiveCases];

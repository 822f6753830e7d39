export { findAdditivePart, type AdditivePart } from './additive.ts';
export { searchChange, type Changeable, type ChangeSearch, type ColumnChange } from './change.ts';
export { exactCost, exactSamples, scoresOf, type Elements } from './exact.ts';
export { attributionOf, type Attribution, type Game, type Mixes } from './game.ts';
export { matchedScores, matchOutput, scoreToOutput, type Match, type Scale } from './match.ts';
export { findOwners } from './owners.ts';
export { createRandom, shuffled } from './random.ts';
export { justPassed, rankReasons, type RankedReasons } from './reasons.ts';
export { sampleShapley } from './sampling.ts';

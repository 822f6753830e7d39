export { outline, type Outline, type UnreadOutline, type Weight } from './answer.ts';
export { diffOutlines } from './diff.ts';
export { readOutline } from './process.ts';

export type { OutlinePart, UnreadOutline, Weight } from './answer.ts';
export { readOutline } from './process.ts';

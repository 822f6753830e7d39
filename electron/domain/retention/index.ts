export { dueItems, type KeptItem } from './due.ts';

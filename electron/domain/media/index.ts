export { createFileTokens, type FileTokens } from './tokens.ts';
export { readPlaces } from './places.ts';
export { readFolder } from './browse.ts';

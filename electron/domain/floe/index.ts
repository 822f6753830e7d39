export { openFloeFile, type FloeFileReader } from './reader.ts';
export { createFloeWriter, type FloeWriter } from './writer.ts';

export { makeProductionHistory } from './report.ts';
export { verifyFile } from './verify-file.ts';

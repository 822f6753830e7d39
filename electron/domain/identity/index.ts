export { identitySchema, trustSchema } from './schema.ts';
export {
  checkPassword,
  createUsers,
  minimumPasswordLength,
  type BeforeAct,
  type UserEntry,
  type Users,
} from './users.ts';
export { createTrustList, type TrustList } from './trust.ts';
export { parseTrustAnchor } from './trust-anchor.ts';
export { createPolicy, type Policy } from './policy.ts';

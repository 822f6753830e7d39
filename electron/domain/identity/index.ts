export { identitySchema } from './schema.ts';
export {
  checkPassword,
  createUsers,
  minimumPasswordLength,
  type KeySlots,
  type Users,
} from './users.ts';
export { createTrustList, parseTrustAnchor, type TrustAnchor, type TrustList } from './trust.ts';
export { createPolicy, type Policy } from './policy.ts';

export { identitySchema } from './schema.ts';
export { checkPassword, createUsers, minimumPasswordLength, type Users } from './users.ts';
export { createTrustList, parseTrustAnchor, type TrustList } from './trust.ts';
export { createPolicy, type Policy } from './policy.ts';

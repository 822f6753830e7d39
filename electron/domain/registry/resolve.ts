/** From what a person writes (`credit-risk`, `credit-risk@3`, `@production`, `@sha256:…`) to one version. */
import { AppError } from '#shared/errors.ts';
import type { Database } from '#platform/database.ts';
import { readModel, readVersion, readVersions, type VersionRow } from './store.ts';
import { runnableStages } from './stages.ts';

/**
 * A bare name means the version in production; where none is, the newest that may run. Digests may be shortened
 * to eight digits if that names one version.
 */
export function resolveVersion(db: Database, reference: string): VersionRow {
  const at = reference.lastIndexOf('@');
  const name = at <= 0 ? reference : reference.slice(0, at);
  const which = at <= 0 ? undefined : reference.slice(at + 1);
  const { modelId } = readModel(db, name);
  const versions = readVersions(db, modelId);
  const missing = (): AppError =>
    new AppError('not-found', `${name} has no version ${which ?? ''}.`.replace(' .', '.'));
  if (which === undefined) {
    const chosen =
      versions.find((row) => row.stage === 'production') ??
      versions.find((row) => runnableStages.includes(row.stage)) ??
      versions[0];
    if (chosen === undefined) throw missing();
    return chosen;
  }
  if (/^[1-9][0-9]{0,8}$/.test(which)) {
    const found = versions.find((row) => row.version === Number(which));
    if (found === undefined) throw missing();
    return found;
  }
  if (/^sha256:[0-9a-f]{8,64}$/.test(which)) {
    const found = versions.filter((row) => row.digest.startsWith(which));
    if (found.length > 1)
      throw new AppError('conflict', 'Several versions fit this digest. Give more of it.');
    if (found[0] === undefined) throw missing();
    return found[0];
  }
  const alias = db
    .prepare<[number, string], { version: number }>(
      'SELECT version FROM alias_intervals WHERE model_id = ? AND alias = ? AND to_at IS NULL',
    )
    .get(modelId, which);
  if (alias === undefined) {
    throw new AppError(
      'not-found',
      which === 'production'
        ? `No version of ${name} is in production. Promote one, or name a version such as ${name}@1.`
        : `${name} has no version or alias ${which}.`,
    );
  }
  return readVersion(db, { modelId, version: alias.version });
}

/** The profiles that later runs of a version are compared with. */
import { profileSchema, type Profile } from '#domain/monitoring/index.ts';
import type { Database } from '#platform/database.ts';

export interface VersionName {
  readonly model: string;
  readonly version: number;
}

export interface ReferenceProfile {
  readonly source: 'bundle' | 'run';
  readonly runId: string | undefined;
  readonly since: string;
  readonly profile: Profile;
}

export interface References {
  reference(version: VersionName): ReferenceProfile | undefined;
  /** Undefined takes the reference away. */
  setReference(version: VersionName, reference: ReferenceProfile | undefined): void;
}

export function createReferences(db: Database): References {
  return {
    reference({ model, version }) {
      const row = db
        .prepare<
          [string, number],
          { source: 'bundle' | 'run'; run_id: string | null; since: string; profile: string }
        >(
          'SELECT source, run_id, since, profile FROM reference_profiles WHERE model = ? AND version = ?',
        )
        .get(model, version);
      if (row === undefined) return undefined;
      return {
        source: row.source,
        runId: row.run_id ?? undefined,
        since: row.since,
        profile: profileSchema.parse(JSON.parse(row.profile)),
      };
    },
    setReference({ model, version }, reference) {
      if (reference === undefined) {
        db.prepare('DELETE FROM reference_profiles WHERE model = ? AND version = ?').run(
          model,
          version,
        );
        return;
      }
      db.prepare('INSERT OR REPLACE INTO reference_profiles VALUES (?, ?, ?, ?, ?, ?)').run(
        model,
        version,
        reference.source,
        reference.runId ?? null,
        reference.since,
        JSON.stringify(reference.profile),
      );
    },
  };
}

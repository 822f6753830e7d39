/** Verdicts of the gate, kept for ever: of every import that was judged, refused ones included. */
import { z } from 'zod';
import { AppError } from '#shared/errors.ts';
import {
  fileSignature,
  overrideMark,
  type FileSignature,
  type OverrideMark,
} from '#shared/contract/bundles.ts';
import type { Database } from '#platform/database.ts';

export interface NewVerdict {
  /** Index of the entry that announced the import. */
  readonly logIndex: number;
  readonly decision: 'accepted' | 'overridden' | 'refused';
  readonly signatures: readonly FileSignature[];
  readonly override: OverrideMark | undefined;
  readonly svr: string;
  readonly sarif: string;
}

export type StoredVerdict = Pick<NewVerdict, 'decision' | 'svr' | 'sarif'>;

type VersionKey = { readonly modelId: number; readonly version: number };

export function writeVerdict(db: Database, verdict: NewVerdict, key: VersionKey | undefined): void {
  db.prepare('INSERT INTO verdicts VALUES (?, ?, ?, ?, ?, ?, ?, ?)').run(
    verdict.logIndex,
    verdict.decision,
    key?.modelId ?? null,
    key?.version ?? null,
    JSON.stringify(verdict.signatures),
    verdict.override === undefined ? null : JSON.stringify(verdict.override),
    verdict.svr,
    verdict.sarif,
  );
}

/** Undefined for versions that came in before verdicts were kept. */
export function readMarks(
  db: Database,
  key: VersionKey,
): { readonly signatures: FileSignature[]; readonly override: OverrideMark | null } | undefined {
  const row = db
    .prepare<[number, number], { signatures: string; override: string | null }>(
      'SELECT signatures, override FROM verdicts WHERE model_id = ? AND version = ?',
    )
    .get(key.modelId, key.version);
  return row === undefined
    ? undefined
    : {
        signatures: z.array(fileSignature).parse(JSON.parse(row.signatures)),
        override: row.override === null ? null : overrideMark.parse(JSON.parse(row.override)),
      };
}

export function readVerdict(
  db: Database,
  of: VersionKey | { readonly logIndex: number },
): StoredVerdict {
  const select = 'SELECT decision, svr, sarif FROM verdicts';
  const row =
    'logIndex' in of
      ? db.prepare<[number], StoredVerdict>(`${select} WHERE log_index = ?`).get(of.logIndex)
      : db
          .prepare<[number, number], StoredVerdict>(`${select} WHERE model_id = ? AND version = ?`)
          .get(of.modelId, of.version);
  if (row === undefined)
    throw new AppError(
      'not-found',
      'logIndex' in of
        ? 'No import that the gate judged was announced by this entry.'
        : 'This version came in before verdicts were kept.',
    );
  return row;
}

/**
 * What people are told of the reasons of a decision: texts that one person proposes and another approves, kept with the version
 * of the model that they were written for. Nothing else is ever told.
 */
import { createHash } from 'node:crypto';
import { AppError } from '#shared/errors.ts';
import {
  reasonTexts,
  type ReasonTexts,
  type ReasonTextsState,
  type StoredReasonTexts,
} from '#shared/contract/records.ts';
import { canonicalBytes } from '#platform/canonical-json.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database.ts';

export interface VersionOf {
  readonly model: string;
  readonly version: number;
  readonly digest: string;
}

export interface ReasonTextsStore {
  show(version: VersionOf): ReasonTextsState;
  /** Takes the place of what waits. Approved at once when the policy asks for no second person. */
  propose(
    version: VersionOf,
    proposal: {
      readonly texts: ReasonTexts;
      readonly actor: string;
      readonly secondPerson: boolean;
    },
  ): StoredReasonTexts;
  /**
   * Throws `not-found` when nothing waits, `conflict` when what waits is not what was read, `forbidden` to who proposed it.
   * Earlier approvals stay in the table, and count no more.
   */
  approve(
    version: VersionOf,
    approval: { readonly digest: string; readonly actor: string },
  ): StoredReasonTexts;
}

interface Row {
  readonly proposal_id: number;
  readonly digest: string;
  readonly content: string;
  readonly proposed_by: string;
  readonly proposed_at: string;
  readonly approved_by: string | null;
  readonly approved_at: string | null;
}

export function createReasonTexts(db: Database, clock: Clock): ReasonTextsStore {
  const rows = ({ model, version }: VersionOf): Row[] =>
    db
      .prepare<[string, number], Row>(
        `SELECT proposal_id, digest, content, proposed_by, proposed_at, approved_by, approved_at
         FROM reason_texts WHERE model = ? AND version = ? ORDER BY proposal_id`,
      )
      .all(model, version);
  const waiting = (version: VersionOf): Row | undefined => {
    const last = rows(version).at(-1);
    return last?.approved_by === null ? last : undefined;
  };

  return {
    show(version) {
      const approved = rows(version).findLast(({ approved_by }) => approved_by !== null);
      const proposed = waiting(version);
      return {
        model: version.model,
        version: version.version,
        approved: approved === undefined ? null : stored(approved),
        proposed: proposed === undefined ? null : stored(proposed),
      };
    },
    propose(version, { texts, actor, secondPerson }) {
      const at = clock().toISOString();
      const row: Omit<Row, 'proposal_id'> = {
        digest: digestOf(version, texts),
        content: JSON.stringify(texts),
        proposed_by: actor,
        proposed_at: at,
        approved_by: secondPerson ? null : actor,
        approved_at: secondPerson ? null : at,
      };
      db.prepare(
        `INSERT INTO reason_texts
           (model, version, digest, content, proposed_by, proposed_at, approved_by, approved_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      ).run(
        version.model,
        version.version,
        row.digest,
        row.content,
        row.proposed_by,
        row.proposed_at,
        row.approved_by,
        row.approved_at,
      );
      return stored(row);
    },
    approve(version, { digest, actor }) {
      const row = waiting(version);
      if (row === undefined)
        throw new AppError('not-found', 'No texts of reasons wait for approval.');
      if (row.digest !== digest)
        throw new AppError(
          'conflict',
          'Other texts have been proposed since these were read. Read them, then approve those.',
        );
      if (row.proposed_by === actor)
        throw new AppError(
          'forbidden',
          'Who proposed the texts may not approve them. Another person with the role of an approver has to.',
        );
      const at = clock().toISOString();
      db.prepare(
        'UPDATE reason_texts SET approved_by = ?, approved_at = ? WHERE proposal_id = ?',
      ).run(actor, at, row.proposal_id);
      return stored({ ...row, approved_by: actor, approved_at: at });
    },
  };
}

/** SHA-256 over RFC 8785 of the texts and the digest of the version that they are for. */
function digestOf({ digest }: VersionOf, texts: ReasonTexts): string {
  const bytes = canonicalBytes({ versionDigest: digest, ...texts });
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function stored(row: Omit<Row, 'proposal_id'>): StoredReasonTexts {
  return {
    ...reasonTexts.parse(JSON.parse(row.content)),
    digest: row.digest,
    proposedBy: row.proposed_by,
    proposedAt: row.proposed_at,
    approvedBy: row.approved_by,
    approvedAt: row.approved_at,
  };
}

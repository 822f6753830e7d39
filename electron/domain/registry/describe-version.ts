/** A version as the window and the command line show it, from its rows. */
import { z } from 'zod';
import {
  finding,
  firstContact,
  modelCard,
  modelFacts,
  signatureResult,
  type ModelCard,
  type SignatureResult,
} from '#shared/contract/bundles.ts';
import type { SignerTrust, VersionDetail, VersionSummary } from '#shared/contract/models.ts';
import type { Database } from '#platform/database.ts';
import { readAliases, readFiles, type VersionRow } from './store.ts';
import { readMarks } from './verdicts.ts';

export type SignerTrustOf = (signature: SignatureResult) => SignerTrust;

export function rowToSummary(
  db: Database,
  row: VersionRow,
  signerTrustOf: SignerTrustOf,
): VersionSummary {
  const signature = signatureResult.parse(JSON.parse(row.signature));
  const overridden = row.overridden === 1;
  return {
    model: row.model,
    version: row.version,
    digest: row.digest,
    stage: row.stage,
    aliases: readAliases(db, row),
    importedAt: row.importedAt,
    importedBy: row.importedBy,
    signature,
    signerTrust: signerTrustOf(signature),
    overridden,
    override: overridden ? (readMarks(db, row)?.override ?? { by: null, reason: null }) : null,
    sizeBytes: row.sizeBytes,
    pending:
      row.requestTo === null || row.requestedBy === null || row.requestedAt === null
        ? null
        : {
            to: row.requestTo,
            requestedBy: row.requestedBy,
            requestedAt: row.requestedAt,
            reason: row.requestReason ?? '',
          },
  };
}

export function cardOf({ card }: VersionRow): ModelCard | null {
  return card === null ? null : modelCard.parse(JSON.parse(card));
}

export function rowToDetail(
  db: Database,
  row: VersionRow,
  signerTrustOf: SignerTrustOf,
): VersionDetail {
  return {
    ...rowToSummary(db, row, signerTrustOf),
    format: row.format,
    files: readFiles(db, row).map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 })),
    facts: modelFacts.parse(JSON.parse(row.facts)),
    card: cardOf(row),
    signatures: readMarks(db, row)?.signatures ?? [],
    findings: z.array(finding).parse(JSON.parse(row.findings)),
    firstContact: firstContact.parse(JSON.parse(row.firstContact)),
  };
}

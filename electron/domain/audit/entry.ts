/** The byte form of an entry: canonical JSON (RFC 8785), at most 65,535 bytes so that it fits an entry tile. */
import { AppError } from '#shared/errors.ts';
import { logEntry, type LogEntry } from '#shared/contract/audit.ts';
import { canonicalJson } from '#platform/canonical-json.ts';

const maxEntryBytes = 65_535;

/** Throws `invalid-input` or `limit` for what cannot be an entry; half characters from outside are replaced, not refused. */
export function entryToText(entry: LogEntry): string {
  const plain: unknown = JSON.parse(
    JSON.stringify(entry, (_key, value: unknown) =>
      typeof value === 'string' ? value.toWellFormed() : value,
    ),
  );
  const parsed = logEntry.safeParse(plain);
  if (!parsed.success)
    throw new AppError('invalid-input', 'What was to be written into the log is not an entry.', {
      cause: parsed.error,
    });
  const text = canonicalJson(parsed.data);
  if (Buffer.byteLength(text) > maxEntryBytes) {
    throw new AppError(
      'limit',
      'What was to be written into the log is too long. Give a shorter reason or fewer objects.',
    );
  }
  return text;
}

/** Undefined for anything that this program would not have written. */
export function parseEntry(text: string): LogEntry | undefined {
  try {
    const entry = logEntry.parse(JSON.parse(text));
    return canonicalJson(entry) === text ? entry : undefined;
  } catch {
    return undefined; // not JSON, or not an entry: the caller reports where
  }
}

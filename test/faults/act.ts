/** What an act is: how it is done, in a child that may be killed, and how one sees afterwards what became of it. */
import type { AuditAction } from '#shared/actions.ts';
import { appPasswords, type BareApp } from '../support/bare-app.ts';

/** What is there before it: nothing, a vault with one model, the same with more to erase, or a backup of the latter. */
export type Start = 'nothing' | 'plain' | 'kept' | 'backup';

/** Where an act finds what it needs. */
export interface Place {
  /** The folder with bundles, keys and tables; nothing is written there. */
  readonly material: string;
  /** Tells the outputs of a repetition from those of the first time. */
  readonly round: number;
  /** Length of the log before the act. */
  readonly logSize: number;
  /** What the act must leave on no page of a database, in hex. */
  readonly doomed: readonly string[];
}

export interface Act {
  /** For the table. */
  readonly name: string;
  /** What the log calls it; undefined where the log has an event and no beginning. */
  readonly action: AuditAction | undefined;
  readonly start: Start;
  perform(on: BareApp, place: Place): Promise<void>;
  /** Whether the vault has all of it or nothing. Throws for anything between. Somebody is signed in. */
  found(on: BareApp, place: Place): Promise<'all' | 'nothing'>;
  /** What comes of doing it again when it was done already. */
  readonly again: readonly ('ok' | 'conflict' | 'not-found')[];
  /** What stands in the databases before it, and on no page of them afterwards. */
  doomed?(select: (sql: string) => readonly Uint8Array[]): readonly Uint8Array[];
}

export const ada = { user: 'ada', password: appPasswords.ada };
export const reason = 'as tested';

/** Rows of the table and of the reference. */
export const tableRows = 40;
/** In the files that go into the vault; must never be read on the medium. */
export const canaries = {
  bundle: 'CANARY-OF-THE-BUNDLE',
  table: 'CANARY-OF-THE-TABLE',
  person: 'CANARY-OF-A-PERSON',
  password: appPasswords.ada,
} as const;

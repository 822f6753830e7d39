/** Checkpoints (C2SP tlog-checkpoint): a signed note whose text is the log's origin, its size and its root. */
import { AppError } from '#shared/errors.ts';
import type { Hash } from './merkle.ts';
import { parseNote, signNote, type Note, type NoteSigner } from './note.ts';

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Hash;
  readonly note: Note;
}

/** Several signers only where one key hands on to the next, under one name. */
export function signCheckpoint(
  tree: { readonly size: number; readonly root: Hash },
  signer: NoteSigner,
  ...others: readonly NoteSigner[]
): string {
  const root = Buffer.from(tree.root).toString('base64');
  return signNote(`${signer.verifierKey.name}\n${tree.size}\n${root}\n`, signer, ...others);
}

/** Reads the form only; who signed it is asked with `isSignedBy`. */
export function parseCheckpoint(text: string): Checkpoint {
  const note = parseNote(text);
  const [origin, size, root, rest] = note.text.split('\n');
  const rootBytes = Buffer.from(root ?? '', 'base64');
  const wellFormed =
    /^(0|[1-9][0-9]{0,14})$/.test(size ?? '') &&
    rootBytes.length === 32 &&
    rootBytes.toString('base64') === root;
  if (origin === undefined || origin === '' || !wellFormed || rest === undefined) {
    throw new AppError('corrupt', 'This is not a checkpoint of a log.');
  }
  return { origin, size: Number(size), root: rootBytes, note };
}

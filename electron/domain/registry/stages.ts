/** Which stage may follow which. A version is never edited: it moves, or a new one comes in. */
import { AppError } from '#shared/errors.ts';
import type { Stage } from '#shared/contract/stage.ts';

const next: Readonly<Record<Stage, readonly Stage[]>> = {
  quarantined: ['candidate', 'rejected', 'retired', 'erased'],
  candidate: ['approved', 'production', 'rejected', 'retired', 'erased'],
  approved: ['production', 'rejected', 'retired', 'erased'],
  production: ['approved', 'retired'],
  retired: ['erased'],
  rejected: ['erased'],
  erased: [],
};

/** Stages whose versions may score files. */
export const runnableStages: readonly Stage[] = ['candidate', 'approved', 'production'];

export function checkTransition(subject: string, from: Stage, to: Stage): void {
  if (next[from].includes(to)) return;
  if (from === to) throw new AppError('conflict', `${subject} is ${from} already.`);
  const possible =
    next[from].length === 0 ? 'it stays so' : `it can become ${next[from].join(', ')}`;
  throw new AppError('conflict', `${subject} is ${from}: ${possible}. It cannot become ${to}.`);
}

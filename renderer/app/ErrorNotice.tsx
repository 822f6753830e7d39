import type { ReactNode } from 'react';
import type { AppError } from '#shared/errors.ts';
import { Notice } from '../ui/Notice.tsx';

const titles: Readonly<Partial<Record<AppError['code'], string>>> = {
  'invalid-input': 'That cannot be used',
  'not-found': 'Not found',
  conflict: 'Not possible now',
  locked: 'Blocked',
  'wrong-password': 'Not accepted',
  forbidden: 'Not allowed',
  refused: 'Refused',
  corrupt: 'Damaged',
  tampered: 'Changed outside of Strongroom',
  limit: 'Too large',
  unsupported: 'Not supported',
  unavailable: 'Not available',
  busy: 'In use',
  cancelled: 'Cancelled',
  io: 'Disk or medium',
  internal: 'A fault in Strongroom',
};

/** An error as people read it: what happened, what was not lost, what to do, and its code. */
export function ErrorNotice({
  error,
  action,
}: {
  readonly error: AppError | undefined;
  readonly action?: ReactNode;
}) {
  if (error === undefined) return null;
  return (
    <Notice
      tone={error.code === 'cancelled' ? 'watch' : 'act'}
      title={titles[error.code] ?? 'It did not work'}
      code={error.code}
      action={action}
    >
      {error.message}
    </Notice>
  );
}

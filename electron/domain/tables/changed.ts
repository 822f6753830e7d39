import { AppError } from '#shared/errors.ts';

/** Thrown by readers that find something else than what was split. */
export function changedInput(): AppError {
  return new AppError(
    'io',
    'The input changed while it was read, so its predictions mean nothing and were not kept. Try again with a file that nobody writes to.',
  );
}

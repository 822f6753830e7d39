/**
 * The closed list of error codes, their exit codes (sysexits) and the one error class that may cross a
 * process boundary. Messages are written for people and never contain secrets, plaintext or input values.
 */

export const exitCodeByErrorCode = {
  'invalid-input': 64,
  'not-found': 66,
  conflict: 73,
  locked: 77,
  'wrong-password': 77,
  forbidden: 77,
  refused: 65,
  corrupt: 65,
  tampered: 65,
  limit: 65,
  unsupported: 69,
  unavailable: 69,
  busy: 75,
  cancelled: 130,
  io: 74,
  internal: 70,
} as const;

export type ErrorCode = keyof typeof exitCodeByErrorCode;

export const errorCodes = Object.keys(exitCodeByErrorCode) as [ErrorCode, ...ErrorCode[]];

/** JSON-safe facts about an error; never secrets, never input values. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: ErrorDetails;
}

export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly details?: ErrorDetails; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details;
  }

  toBody(): ErrorBody {
    return {
      code: this.code,
      message: this.message,
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(exitCodeByErrorCode, value);
}

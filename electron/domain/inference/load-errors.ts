/** What the runtime says when it does not take a model, as an error for a person. Its own messages may quote the model, and are not passed on. */
import { AppError } from '#shared/errors.ts';

/** Why a model was not loaded; `operator` names what it lacks. */
export function loadFailure(cause: unknown, lacking: string | undefined): AppError {
  if (cause instanceof AppError) return cause;
  // What a trap of the WebAssembly build is called; the type has no global name in Node's library.
  if (cause instanceof Error && cause.name === 'RuntimeError')
    return new AppError('unavailable', 'The model crashed the runtime while it was loaded.', {
      cause,
    });
  if (wantsTooMuch(cause)) return tooMuch(cause);
  if (cause instanceof Error && /exceeds the 2147483648 byte limit/.test(cause.message))
    return new AppError(
      'unsupported',
      'A tensor of the model has more than 2 GiB. The runtime takes such a one from a file only, and this system gives a contained process no folder that lies in memory.',
      { cause },
    );
  return new AppError(
    'unsupported',
    lacking ?? faultOf(cause) ?? `The runtime does not accept the model (${runtimeReason(cause)}).`,
    { cause },
  );
}

/** An operator that the runtime has not, or not for the types of its values. */
export interface Lacking {
  readonly operator: string;
  readonly opset: number;
  /** False when it does not know the operator at all. */
  readonly isKnown: boolean;
}

export function lackingOperator(cause: unknown): Lacking | undefined {
  const text = cause instanceof Error ? cause.message : '';
  const [, unimplemented, version] =
    /Could not find an implementation for (\w{1,80})\((\d{1,4})\) node/.exec(text) ?? [];
  if (unimplemented !== undefined)
    return { operator: unimplemented, opset: Number(version), isKnown: true };
  const [, unknown] =
    /Fatal error: ([\w.]{1,120}:\w{1,80})\(-?\d+\) is not a registered/.exec(text) ?? [];
  return unknown === undefined ? undefined : { operator: unknown, opset: 0, isKnown: false };
}

/** The operator whose inputs are of a type that ONNX does not allow for it. */
export function refusedType(cause: unknown): string | undefined {
  const text = cause instanceof Error ? cause.message : '';
  return /Type Error: Type .{1,400}? of operator \((\w{1,80})\) in node/s.exec(text)?.[1];
}

const faults: readonly (readonly [RegExp, (...names: string[]) => string])[] = [
  [
    /No Op registered for (\w{1,80}) with domain_version of (\d{1,4})/,
    (operator, opset) =>
      `The runtime knows no operator ${operator} of operator set ${opset}: the model names one that came later, or that does not exist.`,
  ],
  [
    /Unrecognized attribute: (\w{1,80}) for operator (\w{1,80})/,
    (attribute, operator) =>
      `The model is not valid: its operator ${operator} has an attribute ${attribute}, which it has not in the operator set that the model names.`,
  ],
  [
    /Type '([\w() ,]{1,80})' of (?:input|output) (?:parameter|arg) \(.{0,400}?\) of (?:operator|node) \((\w{1,80})\)/s,
    (type, operator) => `The model is not valid: its operator ${operator} does not take ${type}.`,
  ],
  [
    /Op \((\w{1,80})\) \[(?:Type|Shape)InferenceError\]/,
    (operator) =>
      `The model is not valid: sizes or types of its operator ${operator} do not fit together.`,
  ],
  [
    /Required attribute '(\w{1,80})' is missing/,
    (attribute) => `The model is not valid: an operator lacks its attribute ${attribute}.`,
  ],
];

/** What the runtime says is wrong with the model, where that is a known sentence with plain names in it. */
function faultOf(cause: unknown): string | undefined {
  const text = cause instanceof Error ? cause.message : '';
  for (const [pattern, say] of faults) {
    const [whole, ...names] = pattern.exec(text) ?? [];
    if (whole !== undefined) return say(...names.map((name: string | undefined) => name ?? ''));
  }
  return undefined;
}

/** The status that ONNX Runtime puts before its message, such as NOT_IMPLEMENTED. */
export function runtimeReason(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : '';
  return (
    /\b(INVALID_GRAPH|NOT_IMPLEMENTED|INVALID_PROTOBUF|INVALID_ARGUMENT|FAIL|NO_MODEL|RUNTIME_EXCEPTION|ERROR_CODE: \d+)\b/.exec(
      text,
    )?.[1] ?? 'it gave no reason'
  );
}

/** Refused by the system, because of the limit that the core has set, or by the runtime as absurd. */
export function wantsTooMuch(cause: unknown): boolean {
  return cause instanceof Error && /std::bad_alloc|Failed to allocate memory/.test(cause.message);
}

export function tooMuch(cause: unknown): AppError {
  return new AppError('limit', 'The model asked for more memory than it may have.', { cause });
}

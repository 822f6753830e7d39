/**
 * The whole call kernel: a contract declares each method once; `createClient` and `createDispatch` are made
 * from it. Only JSON crosses; replies are envelopes, so an `AppError` survives every transport.
 * There is no `void` on the wire (JSON drops it): methods without input or result use `z.null()`.
 */
import { z } from 'zod';
import { AppError, isErrorCode, type ErrorBody } from './errors.ts';
import { useOwnWords } from './issues.ts';
import type { AuditAction } from './actions.ts';
import type { Role } from './roles.ts';

useOwnWords();

/** `anyone`: no session needed. A list: an open vault and one of these roles. */
export type Access = 'anyone' | readonly Role[];

export interface Method<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  readonly kind: 'call' | 'job';
  readonly input: I;
  /** For a job: the result that `operations.get` delivers when it is done. */
  readonly output: O;
  readonly access: Access;
  /** Present when the call changes something: what the log announces before and reports after it. */
  readonly action?: AuditAction;
  /** It changes nothing in the vault, so it can be done, without an entry, while nothing may be written there. */
  readonly whenRolledBack?: 'unlogged';
  readonly about: string;
}

interface MethodSpec<I extends z.ZodType, O extends z.ZodType> {
  readonly input: I;
  readonly output: O;
  readonly access: Access;
  readonly action?: AuditAction;
  /** It changes nothing in the vault, so it can be done, without an entry, while nothing may be written there. */
  readonly whenRolledBack?: 'unlogged';
  readonly about: string;
}

export interface CallMethod<I extends z.ZodType, O extends z.ZodType> extends Method<I, O> {
  readonly kind: 'call';
}
export interface JobMethod<I extends z.ZodType, O extends z.ZodType> extends Method<I, O> {
  readonly kind: 'job';
}

export function method<I extends z.ZodType, O extends z.ZodType>(
  spec: MethodSpec<I, O>,
): CallMethod<I, O> {
  return { kind: 'call', ...spec };
}

/** A long act: the call replies with an operation id at once; progress and result come by that id. */
export function job<I extends z.ZodType, O extends z.ZodType>(
  spec: MethodSpec<I, O>,
): JobMethod<I, O> {
  return { kind: 'job', ...spec };
}

export const none = z.null();
export const started = z.strictObject({ operationId: z.string().max(64) });
export type Started = z.infer<typeof started>;

export type Contract = Readonly<Record<string, Readonly<Record<string, Method>>>>;

/** Input after parsing: defaults are filled in. */
export type InputOf<M extends Method> = z.output<M['input']>;
/** Input as a caller writes it. */
export type CallInputOf<M extends Method> = z.input<M['input']>;
export type ResultOf<M extends Method> = z.infer<M['output']>;
export type ReplyOf<M extends Method> = M['kind'] extends 'job' ? Started : ResultOf<M>;

export type Invoke = (path: string, input: unknown) => Promise<unknown>;

export type Client<C extends Contract> = {
  readonly [A in keyof C]: {
    readonly [M in keyof C[A]]: (input: CallInputOf<C[A][M]>) => Promise<ReplyOf<C[A][M]>>;
  };
};

/** The error and value forms of a reply, as they travel. */
export type Envelope =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: ErrorBody };

export function createClient<C extends Contract>(contract: C, invoke: Invoke): Client<C> {
  const areas = Object.entries(contract).map(([area, methods]) => {
    const calls = Object.entries(methods).map(([name, declared]) => {
      const call = async (input: unknown): Promise<unknown> => {
        const value = openEnvelope(await invoke(`${area}.${name}`, input));
        return (declared.kind === 'job' ? started : declared.output).parse(value);
      };
      return [name, call] as const;
    });
    return [area, Object.fromEntries(calls)] as const;
  });
  return Object.fromEntries(areas) as Client<C>;
}

/** Every method by its path `area.name`; a Map, so `__proto__.x` is simply unknown. */
export function methodsByPath(contract: Contract): ReadonlyMap<string, Method> {
  return new Map(
    Object.entries(contract).flatMap(([area, methods]) =>
      Object.entries(methods).map(([name, declared]) => [`${area}.${name}`, declared] as const),
    ),
  );
}

export function parseInput<M extends Method>(
  declared: M,
  path: string,
  input: unknown,
): InputOf<M> {
  if (!isWellFormed(input))
    throw new AppError('invalid-input', 'A text holds half a character, which cannot be stored.');
  const parsed = declared.input.safeParse(input);
  if (parsed.success) return parsed.data as InputOf<M>;
  const issues = parsed.error.issues.slice(0, 5).map((issue) => ({
    at: issue.path.join('.'),
    problem: issue.message,
  }));
  const first = issues[0];
  const where = first === undefined || first.at === '' ? path : first.at;
  throw new AppError('invalid-input', `${where}: ${first?.problem ?? 'is not accepted here'}.`, {
    details: { method: path, issues },
  });
}

/** Whether every text in it is Unicode: a lone surrogate has no UTF-8 form. */
function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  return typeof value !== 'object' || value === null || Object.values(value).every(isWellFormed);
}

function openEnvelope(reply: unknown): unknown {
  const envelope = envelopeSchema.parse(reply);
  if (envelope.ok) return envelope.value;
  const { code, message, details } = envelope.error;
  throw new AppError(isErrorCode(code) ? code : 'internal', message, details ? { details } : {});
}

const envelopeSchema = z.discriminatedUnion('ok', [
  z.strictObject({ ok: z.literal(true), value: z.unknown() }),
  z.strictObject({
    ok: z.literal(false),
    error: z.strictObject({
      code: z.string(),
      message: z.string(),
      details: z.record(z.string(), z.unknown()).optional(),
    }),
  }),
]);

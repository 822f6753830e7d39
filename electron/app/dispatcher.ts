/**
 * The one way in: look the method up, parse the input, check session and role, announce the act in the log, run, report
 * the outcome, parse the output. It never throws; what went wrong comes back as an envelope.
 */
import { AppError } from '#shared/errors.ts';
import { contract } from '#shared/contract/index.ts';
import type { LogEntry } from '#shared/contract/audit.ts';
import { methodsByPath, parseInput, type Envelope, type Method } from '#shared/rpc.ts';
import { errorToBody } from './error-envelope.ts';
import type { CallContext, Handlers } from './handler.ts';
import { actorOf, type OpenVaultState } from './open-state.ts';
import type { JobContext, Operations } from './operations.ts';
import type { Sessions } from './sessions.ts';
import { rememberAct } from './unfinished-acts.ts';

type AnyHandler = (context: CallContext, input: unknown) => unknown;

export interface Dispatcher {
  dispatch(path: string, input: unknown): Promise<Envelope>;
  settled(): Promise<void>;
}

export function createDispatcher(deps: {
  readonly handlers: Handlers<typeof contract>;
  readonly sessions: Sessions;
  readonly operations: Operations;
  /** Called after an act that may have changed what the window shows. */
  readonly onActed: (area: string) => void;
}): Dispatcher {
  const { sessions, operations } = deps;
  const methods = methodsByPath(contract);
  const handlerByPath = new Map<string, AnyHandler>(
    Object.entries(deps.handlers).flatMap(([area, handlers]) =>
      Object.entries(handlers).map(
        ([name, handler]) => [`${area}.${name}`, handler as AnyHandler] as const,
      ),
    ),
  );

  const inFlight = new Set<Promise<unknown>>();
  let calls = new AbortController();

  return { dispatch, settled };

  /** Stops calls under way and waits for them; jobs have `operations` for that. */
  async function settled(): Promise<void> {
    calls.abort(new AppError('cancelled', 'Cancelled because the vault was sealed.'));
    calls = new AbortController();
    await Promise.allSettled(inFlight);
  }

  async function dispatch(path: string, input: unknown): Promise<Envelope> {
    try {
      const declared = methods.get(path);
      const handler = handlerByPath.get(path);
      if (declared === undefined || handler === undefined) {
        throw new AppError('invalid-input', 'There is no such method.');
      }
      const parsed = parseInput(declared, path, input);
      const session = authorise(declared);
      const start = (job: JobContext): Promise<unknown> =>
        perform({ path, declared, handler, session }, parsed, job);
      if (declared.kind === 'call') {
        const work = start({ signal: calls.signal, report: () => undefined });
        // Sealing waits for what needs the vault; opening and sealing themselves cannot wait for each other.
        if (session !== undefined) inFlight.add(work);
        return { ok: true, value: await work.finally(() => inFlight.delete(work)) };
      }
      const operationId = operations.start({ method: path, title: declared.about, work: start });
      return { ok: true, value: { operationId } };
    } catch (error) {
      // What went wrong may have sealed the vault: whoever hears of it finds it sealed.
      await sessions.sealed();
      return { ok: false, error: errorToBody(error) };
    }
  }

  /** The id of the session that asks; undefined for what takes none. */
  function authorise({ access }: Method): string | undefined {
    if (access === 'anyone') return undefined;
    const { session } = sessions.admit();
    if (!access.includes(session.role)) {
      throw new AppError(
        'forbidden',
        `Your role (${session.role}) may not do this. It takes: ${access.join(', ')}.`,
      );
    }
    sessions.touch();
    return session.id;
  }

  async function perform(
    asked: {
      readonly path: string;
      readonly declared: Method;
      readonly handler: AnyHandler;
      readonly session: string | undefined;
    },
    input: unknown,
    job: JobContext,
  ): Promise<unknown> {
    const { path, declared, handler } = asked;
    /** Only the session that asked: what goes on after a seal must not go on in the name of the next person. */
    const open = (): OpenVaultState => {
      const opened = sessions.open();
      if (asked.session !== undefined && opened.session.id !== asked.session)
        throw new AppError('locked', 'The vault was sealed before this was done.');
      return opened;
    };
    const objects: LogEntry['objects'][number][] = [];
    const details: Record<string, unknown> = {};
    const note: CallContext['note'] = (facts) => {
      objects.push(...(facts.objects ?? []));
      Object.assign(details, facts.details ?? {});
    };
    const context = (logIndex: number): CallContext => ({
      ...job,
      open,
      logIndex,
      note,
      settle: (facts) => {
        note(facts);
        rememberAct(open().vault.catalog, logIndex, { objects, details });
      },
      settleSlot: ({ change, user, ...facts }) => {
        note(facts);
        rememberAct(open().vault.catalog, logIndex, { objects, details, change, user });
      },
    });
    const isUnlogged = declared.whenRolledBack === 'unlogged' && open().rolledBack !== undefined;
    if (declared.action === undefined || isUnlogged)
      return declared.output.parse(await handler(context(-1), input));

    const { action } = declared;
    const announced = announce();
    let value: unknown;
    try {
      value = declared.output.parse(await handler(context(announced), input));
    } catch (error) {
      const body = errorToBody(error);
      const outcome =
        body.code === 'cancelled'
          ? 'cancelled'
          : body.code === 'refused' || body.code === 'forbidden'
            ? 'refused'
            : 'error';
      const hasSealed = body.code !== 'cancelled' && sessions.isSealed();
      // An act that fails where the vault cannot stay open seals it, and the next sign-in writes what came of it.
      if (!hasSealed) {
        report(announced, { outcome, objects, details, code: body.code });
        sessions.keepPin();
      }
      deps.onActed(path.split('.')[0] ?? '');
      const message = hasSealed
        ? `${body.message} The vault was sealed: sign in again, and the log says whether this was done.`
        : body.message;
      throw new AppError(body.code, message, {
        cause: error,
        ...(body.details === undefined ? {} : { details: body.details }),
      });
    }
    // Not among what is caught: when its outcome cannot be written, the act is no less done.
    report(announced, { outcome: 'ok', objects, details });
    sessions.keepPin();
    deps.onActed(path.split('.')[0] ?? '');
    return value;

    function announce(): number {
      const { reason, objects: subjects } = subjectsOf(input);
      return writing(() => {
        const opened = open();
        const { index } = opened.log.append({
          ...actorOf(opened),
          phase: 'begin',
          action,
          objects: subjects,
          ...(reason === undefined ? {} : { reason }),
        });
        return index;
      });
    }

    function report(
      of: number,
      result: {
        outcome: 'ok' | 'error' | 'refused' | 'cancelled';
        objects: LogEntry['objects'];
        details: Record<string, unknown>;
        code?: string;
      },
    ): void {
      const entry = {
        phase: 'outcome' as const,
        action,
        of,
        outcome: result.outcome,
        ...(result.code === undefined ? {} : { code: result.code }),
      };
      writing(() => {
        const opened = open();
        const actor = actorOf(opened);
        try {
          opened.log.append({
            ...actor,
            ...entry,
            objects: [...result.objects],
            ...(Object.keys(result.details).length === 0 ? {} : { details: result.details }),
          });
        } catch (error) {
          // Facts that do not fit into an entry are left out; that the act has ended is not.
          if (!(error instanceof AppError) || error.code === 'tampered') throw error;
          opened.log.append({ ...actor, ...entry, objects: [] });
        }
      });
    }
  }

  /** A log that cannot be written stops everything: the act is refused and the vault seals itself. */
  function writing<T>(append: () => T): T {
    try {
      return append();
    } catch (cause) {
      // A log that somebody changed can still be read and verified, and what is no entry says nothing of the log.
      if (cause instanceof AppError) throw cause;
      void sessions.seal('log-failure');
      throw new AppError(
        'io',
        'The log cannot be written, so the vault seals itself. Check the disk, then sign in again: the log then says whether this was done.',
        { cause },
      );
    }
  }
}

/** What an input says the act is about: the names by which the contract refers to things. Secrets have other names. */
function subjectsOf(input: unknown): {
  readonly objects: LogEntry['objects'];
  readonly reason: string | undefined;
} {
  const typeByField = {
    model: 'model',
    version: 'version',
    runId: 'run',
    keyId: 'key',
    name: 'name',
    kind: 'report',
    role: 'role',
  } as const;
  const fields = fieldsOf(input);
  // Who takes the responsibility for an override stands in the entry that announces it, with the reason given.
  const override = fieldsOf(fields.get('override'));
  const objects: LogEntry['objects'] = Object.entries(typeByField).flatMap(([field, type]) => {
    const id = fields.get(field);
    return typeof id === 'string' ? [{ type, id: id.slice(0, 300) }] : [];
  });
  const second = override.get('user');
  if (typeof second === 'string') objects.push({ type: 'second-person', id: second });
  const reason = fields.get('reason') ?? override.get('reason');
  return { objects, reason: typeof reason === 'string' ? reason : undefined };
}

function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}

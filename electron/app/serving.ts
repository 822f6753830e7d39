/**
 * Serving, on and off: the policy allows it, a person starts it and gets the token, a seal ends it. It is on only while the vault
 * is open for the session that started it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { AppError } from '#shared/errors.ts';
import type { InputOf } from '#shared/rpc.ts';
import type { serving as methods, ServingStatus } from '#shared/contract/serving.ts';
import type { Clock } from '#platform/clock.ts';
import type { ModelPool } from '#domain/inference/index.ts';
import { createStatistics, type Statistics } from '#domain/serving/index.ts';
import { listenerLimits, listenOnLoopback, type Listener } from '../serving/listener.ts';
import { createCallLog, type CallLog } from './call-log.ts';
import { actorOf } from './open-state.ts';
import { answerCalls, type Answer } from './serve-calls.ts';
import { createServedVersions, type ServedVersions } from './served-versions.ts';
import type { Sessions } from './sessions.ts';

type StartInput = InputOf<typeof methods.start>;

export interface Serving {
  status(): ServingStatus;
  /** Throws `forbidden` when the policy does not allow it, `conflict` when it is on or the port is taken. */
  start(input: StartInput): Promise<{ readonly address: string; readonly token: string }>;
  /** What was served, for the log; undefined when it was not on. */
  stop(): Promise<ServedFacts | undefined>;
  /** Stops, and writes it into the log itself: nobody has asked for it by a method. */
  end(because: 'seal' | 'policy'): Promise<void>;
  /** The port, while it listens. */
  port(): number | undefined;
}

interface ServedFacts {
  readonly requests: number;
  readonly failed: number;
  readonly rows: number;
  readonly turnedAway: number;
}

interface Running {
  readonly listener: Listener;
  readonly versions: ServedVersions;
  readonly log: CallLog;
  readonly facts: NonNullable<ServingStatus['listening']>;
}

const eventGapMs = 1000;
const touchGapMs = 5000;

export function createServing(deps: {
  readonly sessions: Sessions;
  readonly clock: Clock;
  readonly version: string;
  readonly pool: ModelPool;
  /** The window should look again; at most once a second. */
  readonly onChange: () => void;
}): Serving {
  const { sessions, clock } = deps;
  let running: Running | undefined;
  let starting = false;
  let turnedAway = 0;
  let statistics: Statistics = createStatistics();
  let told: NodeJS.Timeout | undefined;
  let touched = -Infinity;

  /** The pin of this computer follows, and the window looks again, at most once a second. */
  function tell(): void {
    told ??= setTimeout(() => {
      told = undefined;
      if (sessions.isRotating()) return tell();
      sessions.keepPin();
      deps.onChange();
    }, eventGapMs).unref();
  }

  async function start(input: StartInput): Promise<{ address: string; token: string }> {
    const { policy, session } = sessions.open();
    if (!policy.read().serving)
      throw new AppError(
        'forbidden',
        'The policy does not allow serving. An administrator can change that.',
      );
    if (running !== undefined || starting)
      throw new AppError('conflict', 'Models are served already. Stop that first.');
    starting = true;
    try {
      statistics = createStatistics();
      turnedAway = 0;
      const log = callLog(session.id);
      const of = { admit: () => admit(session.id), statistics };
      const versions = createServedVersions({
        ...of,
        pool: deps.pool,
        batching: {
          delayMicroseconds: input.maxQueueDelayMicroseconds,
          maxBatch: input.maxBatch,
        },
      });
      const answer = answerCalls({ ...of, versions, log, clock, version: deps.version });
      const token = randomBytes(32).toString('base64url');
      const listener = await listen(input.port, token, answer);
      const address = `127.0.0.1:${listener.port}`;
      running = {
        listener,
        versions,
        log,
        facts: {
          address,
          since: clock().toISOString(),
          by: session.user,
          maxQueueDelayMicroseconds: input.maxQueueDelayMicroseconds,
          maxBatch: input.maxBatch,
          turnedAway: 0,
        },
      };
      // Sealed while the port was being opened.
      if (sessions.isSealed()) {
        await stop();
        throw new AppError('locked', 'The vault was sealed before this was done.');
      }
      return { address, token };
    } finally {
      starting = false;
    }
  }

  function admit(sessionId: string): ReturnType<Sessions['admit']> {
    const opened = sessions.admit();
    if (opened.session.id !== sessionId)
      throw new AppError('locked', 'The session that served this has ended.');
    // Somebody works with the vault: it does not seal itself for idleness.
    if (performance.now() - touched > touchGapMs) {
      touched = performance.now();
      sessions.touch();
    }
    return opened;
  }

  function callLog(sessionId: string): CallLog {
    return createCallLog({
      write(entries) {
        const opened = sessions.open();
        if (opened.session.id !== sessionId) throw new AppError('locked', 'The session has ended.');
        const actor = actorOf(opened);
        const written = opened.log.appendAll(entries.map((entry) => ({ ...actor, ...entry })));
        tell();
        return written;
      },
      isHeld: () => sessions.isRotating(),
      onFailure: () => void sessions.seal('log-failure'),
    });
  }

  function listen(port: number, token: string, answer: Answer): Promise<Listener> {
    return listenOnLoopback({
      port,
      tokenDigest: createHash('sha256').update(token).digest(),
      limits: listenerLimits,
      answer,
      onTurnedAway: () => {
        turnedAway += 1;
        tell();
      },
    }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') throw error;
      throw new AppError(
        'conflict',
        `Port ${port} is in use by another program. Choose another one, or 0 for any that is free.`,
      );
    });
  }

  async function stop(): Promise<ServedFacts | undefined> {
    const leaving = running;
    if (leaving === undefined) return undefined;
    running = undefined;
    await leaving.versions.close(new AppError('locked', 'Serving was stopped.'));
    await leaving.listener.close();
    leaving.log.flush();
    deps.onChange();
    const all = statistics.list();
    const sum = (count: (each: (typeof all)[number]) => number): number =>
      all.reduce((total, each) => total + count(each), 0);
    return {
      requests: sum(({ succeeded, failed }) => succeeded + failed),
      failed: sum(({ failed }) => failed),
      rows: sum(({ inferences }) => inferences),
      turnedAway,
    };
  }

  return {
    status: () => ({
      allowed: sessions.open().policy.read().serving,
      listening: running === undefined ? null : { ...running.facts, turnedAway },
      models: statistics.list().map(({ lastInference, ...each }) => ({
        ...each,
        lastInferenceAt: lastInference === null ? null : new Date(lastInference).toISOString(),
      })),
    }),
    start,
    stop,
    async end(because) {
      const served = await stop();
      if (served === undefined || sessions.isSealed()) return;
      const opened = sessions.open();
      try {
        opened.log.append({
          ...actorOf(opened),
          phase: 'event',
          action: 'serve.stop',
          objects: [],
          outcome: 'ok',
          details: { because, ...served },
        });
      } catch {
        // It has stopped; a log that takes no entry is found by whoever seals.
      }
    },
    port: () => running?.listener.port,
  };
}

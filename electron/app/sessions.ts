/**
 * One vault, one session at a time: create, sign in, recover, seal. Signing in needs the log, so its entry is the first
 * thing that happens after the keys are there; failed tries are counted in the vault and written down at the next
 * success. The vault seals itself when idle, when the screen is locked, and at once when the log cannot be written.
 * Long, because opening, sealing, rotating and accepting an older vault are steps of one state that nobody else may hold.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '#shared/errors.ts';
import type { Session, VaultStatus } from '#shared/contract/vault.ts';
import type { User } from '#shared/contract/users.ts';
import type { Clock } from '#platform/clock.ts';
import type { Keychain } from '#platform/keychain.ts';
import { step } from '#platform/steps.ts';
import { checkPassword } from '#domain/identity/index.ts';
import {
  openVault,
  openVaultWithKeychain,
  openVaultWithRecoveryKey,
  type KdfChoice,
  type OpenVault,
} from '#domain/vault/index.ts';
import { removeRestoredMark } from '#domain/custody/index.ts';
import { makeVault, type NewVault } from './new-vault.ts';
import type { PinGuard } from './pin-guard.ts';
import { completeErasures } from './erase.ts';
import { recoverAccess } from './recover-access.ts';
import { settleSlots } from './unfinished-acts.ts';
import { rememberSize, rememberVerdict } from './seen-log.ts';
import { checkSecondPerson } from './second-person.ts';
import { recordSignIn, restoredFrom, type SignInRecord } from './sign-in-record.ts';
import { vaultStatus } from './vault-status.ts';
import {
  actorOf,
  createOpenStores,
  vaultSchema,
  type OpenStores,
  type OpenVaultState,
} from './open-state.ts';

/** Work that does not end by then (a read from a drive that is gone) loses its vault all the same. */
const longestFarewellMs = 10_000;

export type SealReason = NonNullable<VaultStatus['sealedBecause']>;

export interface Sessions {
  status(): Promise<VaultStatus>;
  create(entry: NewVault): Promise<{ session: Session; recoveryKey: string; vaultId: string }>;
  signIn(user: string, password: string): Promise<SignedIn>;
  signInWithKeychain(user: string): Promise<SignedIn>;
  recover(entry: {
    readonly recoveryKey: string;
    readonly user: string;
    readonly newPassword: string;
    readonly reason: string;
  }): Promise<SignedIn>;
  open(): OpenVaultState;
  isSealed(): boolean;
  /** While the vault gets new keys its databases cannot be used. */
  isRotating(): boolean;
  /**
   * The same for somebody who asks for something now. Throws `locked` while the vault is being sealed, when it has been idle
   * for too long (a computer that slept had no timer), and when the role or state of the person is no longer what it was.
   */
  admit(): OpenVaultState;
  /** Checks a second person's password without changing who is signed in. */
  checkPassword(user: string, password: string): Promise<User>;
  touch(): void;
  /** The pin of this computer follows the log. */
  keepPin(): void;
  /** Takes a vault that is older than its pin as the one to go on with. Throws `conflict` when there is nothing to accept. */
  acceptPin(reason: string): void;
  /** New keys of the vault under the session that goes on. When it fails halfway, the vault is sealed; signing in finishes it. */
  rotate(...asked: Parameters<OpenVault['rotate']>): Promise<void>;
  seal(because: SealReason): Promise<void>;
  /** Resolves when no seal is under way. */
  sealed(): Promise<void>;
  /** `own`: without the checkpoints that somebody brought, because a forged one must not stop all acts. */
  verified(verdict: {
    readonly status: 'intact' | 'broken';
    readonly own: 'intact' | 'broken';
  }): void;
}

export interface SignedIn {
  readonly session: Session;
  readonly repaired: {
    readonly rolledBack: number;
    readonly swept: number;
    readonly quarantined: number;
  };
}

export function createSessions(deps: {
  readonly dir: string;
  readonly clock: Clock;
  readonly host: string;
  readonly kdf: KdfChoice | undefined;
  readonly keychain: Keychain;
  /** Stops running work; awaited before the keys are destroyed. */
  readonly beforeSeal: () => Promise<void>;
  readonly isWorking: () => boolean;
  readonly pins: PinGuard;
  readonly onChange: () => void;
  /** What the sign-in owed was written with it: log, people and backups are no longer what they were. */
  readonly onAccepted: () => void;
}): Sessions {
  const { dir, clock } = deps;
  let state: OpenVaultState | undefined;
  let sealedBecause: SealReason | null = null;
  let lastVerified: { at: string; status: 'intact' | 'broken' } | null = null;
  let idleTimer: NodeJS.Timeout | undefined;
  let opening = false;
  let rotating = false;
  let sealWanted: SealReason | undefined;
  /** What the sign-in will write once the vault has been accepted. */
  let owedRecord: (() => void) | undefined;

  function open(): OpenVaultState {
    if (state === undefined) throw new AppError('locked', 'The vault is sealed. Sign in to go on.');
    return state;
  }

  const idleMsOf = ({ policy }: Pick<OpenStores, 'policy'>): number =>
    policy.read().idleMinutes * 60_000;
  const timeIn = (ms: number): string => new Date(clock().getTime() + ms).toISOString();

  function touch(): void {
    if (state === undefined) return;
    const idleMs = idleMsOf(state);
    state = { ...state, session: { ...state.session, sealsAt: timeIn(idleMs) } };
    clearTimeout(idleTimer);
    idleTimer = setTimeout(() => {
      // Work in progress counts as activity: a night-long batch must not lose its keys.
      if (deps.isWorking()) touch();
      else void seal('idle');
    }, idleMs);
    idleTimer.unref();
  }

  function admit(): OpenVaultState {
    const opened = open();
    if (sealing !== undefined) throw new AppError('locked', 'The vault is being sealed.');
    if (rotating)
      throw new AppError('busy', 'The vault is getting new keys. Try again in a moment.');
    if (clock().toISOString() > opened.session.sealsAt && !deps.isWorking()) {
      void seal('idle');
      throw new AppError(
        'locked',
        'The vault was idle for too long and seals itself. Sign in again.',
      );
    }
    const person = opened.users.find(opened.session.user);
    if (person?.state !== 'active' || person.role !== opened.session.role) {
      void seal('command');
      throw new AppError(
        'locked',
        'Your role has changed, so the vault was sealed. Sign in again.',
      );
    }
    return opened;
  }

  let sealing: Promise<void> | undefined;

  function seal(because: SealReason): Promise<void> {
    // A screen that is locked while somebody signs in: sealed as soon as the vault is open.
    if (opening && state === undefined) sealWanted = because;
    sealing ??= sealNow(because).finally(() => (sealing = undefined));
    return sealing;
  }

  async function sealNow(because: SealReason): Promise<void> {
    if (state === undefined) return;
    const leaving = state;
    clearTimeout(idleTimer);
    await Promise.race([deps.beforeSeal(), delay(longestFarewellMs, undefined, { ref: false })]);
    let reason = because;
    try {
      const isWritable = !leaving.log.damaged && leaving.rolledBack === undefined;
      if (because !== 'log-failure' && isWritable) {
        leaving.log.append({
          ...actorOf(leaving),
          phase: 'event',
          action: 'vault.seal',
          objects: [],
          outcome: 'ok',
          details: { because },
        });
        rememberSize(leaving.vault, leaving.log.head().size);
        deps.pins.keep(leaving, 'durable');
      }
    } catch {
      // Sealing never fails: a log that takes no entry is one more reason to seal, and is said afterwards.
      reason = 'log-failure';
    } finally {
      state = undefined;
      sealedBecause = reason;
      leaving.vault.close();
      deps.pins.forget();
      deps.onChange();
    }
  }

  /** Runs one opening at a time and hands the vault back if anything after the keys fails. */
  async function exclusively<T>(work: () => Promise<T>): Promise<T> {
    if (state !== undefined)
      throw new AppError('conflict', 'The vault is open already. Seal it first.');
    if (opening) throw new AppError('busy', 'The vault is being opened already.');
    opening = true;
    sealWanted = undefined;
    try {
      const result = await work();
      // What was opened is handed out all the same: a new vault's recovery key is shown this once.
      if (sealWanted !== undefined) await seal(sealWanted);
      return result;
    } finally {
      opening = false;
    }
  }

  async function closingOnFailure<T>(vault: OpenVault, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      state = undefined;
      clearTimeout(idleTimer);
      vault.close();
      throw error;
    }
  }

  function start(
    stores: Omit<OpenVaultState, 'session'>,
    user: User,
    id = randomBytes(8).toString('hex'),
  ): Session {
    const session = {
      user: user.name,
      role: user.role,
      since: clock().toISOString(),
      sealsAt: timeIn(idleMsOf(stores)),
    };
    state = { ...stores, session: { ...session, id } };
    sealedBecause = null;
    touch();
    deps.onChange();
    return session;
  }

  /** Starts the session; what the sign-in found and repaired goes into the log first. */
  async function begin(by: SignInRecord['by'], stores: OpenStores, user: User): Promise<SignedIn> {
    const { vault } = stores;
    // Before the session starts: nothing may be done in it until its sign-in stands in the log.
    const restored = stores.log.damaged ? undefined : await restoredFrom(stores);
    const rolledBack = stores.log.damaged ? undefined : deps.pins.check(stores, restored);
    const session = start({ ...stores, rolledBack }, user);
    const repaired = {
      rolledBack: vault.recovery.rolledBack,
      swept: vault.recovery.swept,
      quarantined: vault.recovery.quarantined,
    };
    if (stores.log.damaged) {
      // Nothing is written on top of a changed log: this session looks and verifies, and every act in it is refused.
      lastVerified = { at: session.since, status: 'broken' };
      return { session, repaired };
    }
    const record = (): void => {
      recordSignIn(
        { stores, actor: actorOf(open()), user, failedAttempts: vault.failedAttempts, by },
        { repaired, restored, at: clock().toISOString() },
      );
      removeRestoredMark(vault.dir);
      stores.users.signedIn(user.name);
      step('sign-in: time noted');
      rememberSize(vault, stores.log.head().size);
    };
    owedRecord = undefined;
    if (rolledBack === undefined) {
      record();
      deps.pins.keep(stores, 'durable');
      await vault.attemptsReported();
    } else {
      // One more entry would make a second history beside the one that the pin has seen.
      stores.log.hold(rolledBack.refusal);
      owedRecord = record;
    }
    return { session, repaired };
  }

  /** A sign-in, whatever opened the vault. */
  function enter(by: SignInRecord['by'], openIt: () => Promise<OpenVault>): Promise<SignedIn> {
    return exclusively(async () => {
      const vault = await openIt();
      return closingOnFailure(vault, async () => {
        const stores = createOpenStores(vault, deps);
        settleSlots(stores);
        const signedIn = await begin(by, stores, stores.users.bySlot(vault.slotId));
        await clearUp(stores);
        return signedIn;
      });
    });
  }

  function keepPin(): void {
    if (state !== undefined && state.rolledBack === undefined) deps.pins.keep(state, 'quick');
  }

  function acceptPin(reason: string): void {
    const opened = open();
    const { log, rolledBack } = opened;
    if (rolledBack === undefined || owedRecord === undefined)
      throw new AppError(
        'conflict',
        'The vault agrees with what this computer has seen, so there is nothing to accept.',
      );
    log.release();
    try {
      owedRecord();
      const act = { ...actorOf(opened), action: 'audit.pin-accept' as const, objects: [] };
      const { index } = log.append({ ...act, phase: 'begin', reason });
      const { kept, found, restoredFrom } = rolledBack;
      const details = { kept, found, restoredFrom: restoredFrom ?? null };
      log.append({ ...act, phase: 'outcome', of: index, outcome: 'ok', details });
    } catch (error) {
      log.hold(rolledBack.refusal);
      throw error;
    }
    owedRecord = undefined;
    state = { ...opened, rolledBack: undefined };
    deps.pins.keep(state, 'durable');
    deps.onAccepted();
  }

  /** What erasures have left. A disk that is too full for it must not keep anybody from signing in. */
  async function clearUp(stores: OpenStores): Promise<void> {
    if (!stores.log.damaged) await completeErasures(stores).catch(() => undefined);
  }

  return {
    status: () => vaultStatus(state, { ...deps, sealedBecause, lastVerified }),

    create: (entry) =>
      exclusively(async () => {
        checkPassword(entry.password);
        const id = randomBytes(8).toString('hex');
        const { vault, recoveryKey } = await makeVault(entry, { ...deps, session: id });
        return closingOnFailure(vault, async () => {
          const stores = createOpenStores(vault, deps);
          const session = start(stores, stores.users.bySlot(vault.slotId), id);
          deps.pins.keep(stores, 'durable');
          return { session, recoveryKey, vaultId: vault.id };
        });
      }),

    signIn: (user, password) =>
      enter('password', () => openVault({ dir, user, password, clock, schema: vaultSchema })),
    signInWithKeychain: (user) =>
      enter('keychain', () =>
        openVaultWithKeychain({ dir, user, keychain: deps.keychain, clock, schema: vaultSchema }),
      ),

    recover: ({ recoveryKey, user, newPassword, reason }) =>
      exclusively(async () => {
        checkPassword(newPassword);
        const vault = await openVaultWithRecoveryKey({
          dir,
          recoveryKey,
          clock,
          schema: vaultSchema,
        });
        return closingOnFailure(vault, async () => {
          const stores = createOpenStores(vault, deps);
          settleSlots(stores);
          const rolledBack = stores.log.damaged
            ? undefined
            : deps.pins.check(stores, await restoredFrom(stores));
          const recovered = await recoverAccess(stores, rolledBack, { user, newPassword, reason });
          const signedIn = await begin('recovery', stores, recovered);
          await clearUp(stores);
          return signedIn;
        });
      }),

    open,
    isSealed: () => state === undefined,
    isRotating: () => rotating,
    admit,
    touch,
    keepPin,
    acceptPin,
    async rotate(asked, prepared) {
      const { vault, session } = open();
      let current = vault;
      let hasBegun = false;
      rotating = true;
      try {
        current = await vault.rotate(asked, (epochs) => {
          prepared(epochs);
          hasBegun = true;
        });
        state = { ...createOpenStores(current, deps), session };
        touch();
      } catch (error) {
        if (hasBegun) await closingOnFailure(current, () => Promise.reject(error));
        throw error;
      } finally {
        rotating = false;
      }
    },
    seal,
    sealed: () => sealing ?? Promise.resolve(),

    checkPassword: (user, password) => checkSecondPerson(open(), user, password),

    verified({ status, own }) {
      const { log, vault } = open();
      rememberVerdict(vault, own);
      if (own === 'broken') log.distrust();
      lastVerified = { at: clock().toISOString(), status };
      deps.onChange();
    },
  };
}

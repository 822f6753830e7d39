/** The shape of a handler and what the dispatcher gives it. */
import type { Contract, InputOf, ResultOf } from '#shared/rpc.ts';
import type { ActFacts, SlotFacts } from './act-facts.ts';
import type { JobContext } from './operations.ts';
import type { OpenVaultState } from './open-state.ts';

export interface CallContext extends JobContext {
  /** The open vault; refuses with `locked` when sealed. */
  readonly open: () => OpenVaultState;
  /** Adds to the entry that will report the outcome of this act. */
  readonly note: (facts: ActFacts) => void;
  /**
   * The same, from inside the catalog transaction that does the act: if the program is killed before the outcome is written,
   * the next sign-in writes it from these facts.
   */
  readonly settle: (facts: ActFacts) => void;
  /** The same before a key slot is changed, which no transaction covers: the next sign-in looks whether it was. */
  readonly settleSlot: (facts: SlotFacts) => void;
  /** Index of the entry that announced this act; -1 for acts that are not logged. */
  readonly logIndex: number;
}

export type Handlers<C extends Contract> = {
  readonly [A in keyof C]: {
    readonly [M in keyof C[A]]: (
      context: CallContext,
      input: InputOf<C[A][M]>,
    ) => ResultOf<C[A][M]> | Promise<ResultOf<C[A][M]>>;
  };
};

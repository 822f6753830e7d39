/** The time, as a dependency, so tests can set it. */
export type Clock = () => Date;

export const systemClock: Clock = () => new Date();

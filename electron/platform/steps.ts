/**
 * Names for the points between two durable writes of an act. In the product a name does nothing; the fault tests listen
 * and end the process there, then look at what the next opening finds.
 */
let listener: ((name: string) => void) | undefined;

/** `act: what is durable now`, in words: `import: objects renamed`. */
export function step(name: string): void {
  listener?.(name);
}

/** For tests: one listener for the whole process. */
export function onStep(listen: (name: string) => void): void {
  listener = listen;
}

/** One piece of work at a time, in the order asked for. A failure concerns only its own caller. */
export function createQueue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work);
    last = next.catch(() => undefined); // the caller has it
    return next;
  };
}

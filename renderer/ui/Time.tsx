import { localTime } from '../lib/format.ts';

export function Time({ at }: { readonly at: string }) {
  return (
    <time dateTime={at} title={`${at} (UTC)`}>
      {localTime(at)}
    </time>
  );
}

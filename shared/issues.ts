/** What a schema says of a value that it does not take, in the words of the program: the rest of a sentence. Never the value. */
import { z } from 'zod';

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'left empty',
};
const units: Readonly<Record<string, string>> = { string: 'characters', array: 'entries' };

/** Holds for every schema of the process that says nothing itself. */
export function useOwnWords(): void {
  z.config({ localeError: problemOf });
}

function problemOf(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `must be ${kindOf(issue.expected)}`;
    case 'too_small':
      return bound(issue.origin, 'at least', issue.minimum);
    case 'too_big':
      return bound(issue.origin, 'at most', issue.maximum);
    case 'invalid_value':
      return issue.input === undefined
        ? 'is missing'
        : `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    case 'unrecognized_keys':
      return `must not have ${issue.keys
        .slice(0, 5)
        .map((key) => key.slice(0, 100))
        .join(', ')}`;
    case 'invalid_key':
      return 'has a name that cannot be one';
    case 'invalid_format':
      return 'is not written as it must be';
    default:
      return 'is not accepted here';
  }
}

function kindOf(expected: string): string {
  return kinds[expected] ?? 'something else';
}

function bound(origin: string, side: string, limit: number | bigint): string {
  const unit = units[origin];
  return unit === undefined ? `must be ${side} ${limit}` : `must have ${side} ${limit} ${unit}`;
}

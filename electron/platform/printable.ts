/** Text that comes from a file, made fit for a terminal and a window. */

/**
 * Control characters, overrides of the writing direction, separators of lines, and marks of no width: what lets a text show as
 * something else than it is. Joiners stay, since some scripts need them.
 */
const hidden =
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/;
const everyHidden = new RegExp(hidden.source, 'g');
const everyHiddenButLines = new RegExp(
  hidden.source.replace('\\u0000-\\u001f', '\\u0000-\\u0008\\u000b-\\u001f'),
  'g',
);

export function hidesText(text: string): boolean {
  return hidden.test(text);
}

/** One line, without anything hidden. */
export function printable(text: string): string {
  return text.replace(everyHidden, '?');
}

/** The same for a text of several lines and tabs. */
export function printableLines(text: string): string {
  return text.replace(everyHiddenButLines, '?');
}

/** JSON on one line that means the same and hides nothing. */
export function escapedJson(document: unknown): string {
  return JSON.stringify(document).replace(
    everyHidden,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

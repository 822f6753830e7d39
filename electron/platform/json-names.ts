/** JSON says nothing of a name that an object has twice (RFC 8259 §4): parsers keep the last value and tell nobody. */

const quote = 34;
const backslash = 92;
const colon = 58;

/** Whether the text of a JSON object has a name twice; `parsed` is what `JSON.parse` made of it. Objects inside are not looked at. */
export function hasNameTwice(text: string, parsed: object): boolean {
  const names = Object.keys(parsed).length;
  // Mostly there are no other colons, and then nothing has to be looked at.
  return colonsIn(text) !== names && ownNames(text) !== names;
}

function colonsIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf(':'); at >= 0; at = text.indexOf(':', at + 1)) count += 1;
  return count;
}

/** Names of the outermost object of a valid text, each as often as it stands there. */
function ownNames(text: string): number {
  let depth = 0;
  let count = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      for (at += 1; text.charCodeAt(at) !== quote; at += 1)
        if (text.charCodeAt(at) === backslash) at += 1;
    } else if (code === colon) count += depth === 1 ? 1 : 0;
    else if (code === 0x7b || code === 0x5b) depth += 1;
    else if (code === 0x7d || code === 0x5d) depth -= 1;
  }
  return count;
}

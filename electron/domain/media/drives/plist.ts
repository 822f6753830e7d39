/**
 * The part of Apple's XML property lists that `diskutil` writes: dict, array, string, integer, real, true, false. Everything
 * else (data, date, entities of its own) makes the answer undefined.
 */
type PlistValue = string | number | boolean | PlistValue[] | { [key: string]: PlistValue };

const maxDepth = 16;

export function parsePlist(xml: string): PlistValue | undefined {
  const body = /<plist[^>]*>([\s\S]*)<\/plist>\s*$/.exec(xml)?.[1];
  if (body === undefined) return undefined;
  const tokens = body.match(/<[^>]+>|[^<]+/g) ?? [];
  let at = 0;

  const next = (): string | undefined => {
    while (tokens[at]?.trim() === '') at += 1;
    return tokens[at++];
  };

  /** The text up to the closing tag, which may be nothing. */
  const text = (name: string): string => {
    const content = tokens[at]?.startsWith('<') === false ? (tokens[at++] ?? '') : '';
    if (tokens[at++] !== `</${name}>`) throw new Unreadable();
    return unescaped(content);
  };

  const value = (tag: string | undefined, depth: number): PlistValue => {
    if (depth > maxDepth) throw new Unreadable();
    switch (tag) {
      case '<true/>':
        return true;
      case '<false/>':
        return false;
      case '<string/>':
        return '';
      case '<array/>':
        return [];
      case '<dict/>':
        return {};
      case '<string>':
        return text('string');
      case '<integer>':
        return Number(text('integer'));
      case '<real>':
        return Number(text('real'));
      case '<array>': {
        const list: PlistValue[] = [];
        for (let item = next(); item !== '</array>'; item = next())
          list.push(value(item, depth + 1));
        return list;
      }
      case '<dict>': {
        const entries: [string, PlistValue][] = [];
        for (let item = next(); item !== '</dict>'; item = next()) {
          if (item !== '<key>') throw new Unreadable();
          const key = text('key');
          entries.push([key, value(next(), depth + 1)]);
        }
        return Object.fromEntries(entries);
      }
      default:
        throw new Unreadable();
    }
  };

  try {
    return value(next(), 0);
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

class Unreadable extends Error {}

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

function unescaped(text: string): string {
  return text.replace(/&([a-z]+);/g, (whole, name: string) => entities[name] ?? whole);
}

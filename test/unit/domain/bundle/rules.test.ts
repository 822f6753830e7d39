import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rules } from '#domain/bundle/rules.ts';
import { hidesText } from '#platform/printable.ts';

const folder = join(import.meta.dirname, '../../../../electron/domain/bundle/rules');

test('every rule has a page, and every page a rule', () => {
  expect(readdirSync(folder).sort()).toEqual(
    Object.keys(rules)
      .map((ruleId) => `${ruleId}.md`)
      .sort(),
  );
});

test.each(Object.entries(rules))(
  'the page of %s is called as the rule, and says all that a page has to',
  (ruleId, { title }) => {
    const page = readFileSync(join(folder, `${ruleId}.md`), 'utf8');
    expect(page.startsWith(`# ${title}\n`)).toBe(true);
    const sections = page
      .split(/^## /m)
      .slice(1)
      .map((section) => section.split('\n'));
    expect(sections.map(([name]) => name)).toEqual([
      'What it means',
      'Why it matters',
      'What to do',
      'Example',
    ]);
    for (const [, ...lines] of sections) expect(lines.join('').length).toBeGreaterThan(5);
    expect(hidesText(page.replaceAll('\n', ''))).toBe(false);
  },
);

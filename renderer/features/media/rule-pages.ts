/** The page of each rule, from the documentation beside the gate: built in, since the window fetches nothing. */

export interface PageSection {
  readonly title: string;
  /** `code` is an example, to be shown as it is. */
  readonly blocks: readonly { readonly kind: 'text' | 'code'; readonly text: string }[];
}

const pages: Readonly<Record<string, string>> = import.meta.glob(
  '../../../electron/domain/bundle/rules/*.md',
  { query: '?raw', import: 'default', eager: true },
);

/** Undefined for a rule that this version does not know, such as one of an older log. */
export function rulePage(ruleId: string): readonly PageSection[] | undefined {
  const text = pages[`../../../electron/domain/bundle/rules/${ruleId}.md`];
  return text === undefined ? undefined : parsePage(text);
}

/** As much Markdown as the pages use: sections, paragraphs and fenced code. */
export function parsePage(text: string): PageSection[] {
  return text
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [title = '', ...lines] = section.split('\n');
      const parts = lines.join('\n').split(/^```\w*$/m);
      return {
        title,
        blocks: parts.flatMap((part, at) =>
          part.trim() === ''
            ? []
            : [{ kind: at % 2 === 1 ? ('code' as const) : ('text' as const), text: part.trim() }],
        ),
      };
    });
}

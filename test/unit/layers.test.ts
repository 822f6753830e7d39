import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const imports = (path: string): string[] =>
  [...readFileSync(join(root, path), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(
    ([, name]) => name ?? '',
  );
const sources = (pattern: string): string[] =>
  globSync(pattern, { cwd: root }).filter((path) => !path.includes('node_modules'));

describe('the layers', () => {
  test('only the shell and its two entries import electron', () => {
    const users = sources('{shared,electron,renderer}/**/*.{ts,tsx}').filter((path) =>
      imports(path).some((name) => /^(electron|electron-store|@electron\/.*)$/.test(name)),
    );
    expect(users.filter((path) => !/^electron\/(shell\/|main\.ts|preload\.ts)/.test(path))).toEqual(
      [],
    );
    expect(users.length).toBeGreaterThan(3);
  });

  test('one file of the product imports a network module, to listen, and nothing fetches', () => {
    const networked = sources('{shared,electron,renderer}/**/*.{ts,tsx,mjs}').filter((path) => {
      const text = readFileSync(join(root, path), 'utf8');
      return (
        imports(path).some((name) => /^(node:)?(http|https|http2|net|tls|dgram|dns)$/.test(name)) ||
        /(?<![.\w])(fetch|WebSocket|EventSource|XMLHttpRequest)\(/.test(text)
      );
    });
    expect(networked).toEqual(['electron/serving/listener.ts']);
    const network = /^(node:)?(http|https|http2|net|tls|dgram|dns)$/;
    expect(imports('electron/serving/listener.ts').filter((name) => network.test(name))).toEqual([
      'node:http',
    ]);
    const text = readFileSync(join(root, 'electron/serving/listener.ts'), 'utf8');
    expect(text).toContain(
      "import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';",
    );
    expect(text.match(/\.listen\(\{[^}]*/g)).toEqual([
      ".listen({ host: '127.0.0.1', port: options.port, exclusive: true ",
    ]);
    const users = sources('{shared,electron,renderer}/**/*.{ts,tsx,mjs}').filter((path) =>
      imports(path).some((name) => name.endsWith('serving/listener.ts')),
    );
    expect(users.toSorted()).toEqual(['electron/app/serve-calls.ts', 'electron/app/serving.ts']);
  });

  test('a domain knows other domains by their index, and never in a circle', () => {
    const edges = new Map<string, Set<string>>();
    for (const path of sources('electron/domain/**/*.ts')) {
      const from = path.split('/')[2] ?? '';
      for (const name of imports(path)) {
        const [, to, file] = /^#domain\/([a-z]+)\/(.+)$/.exec(name) ?? [];
        if (to === undefined) continue;
        expect(file, `${path} imports ${name}`).toBe('index.ts');
        edges.set(from, (edges.get(from) ?? new Set()).add(to));
      }
    }
    const visit = (domain: string, above: readonly string[]): void => {
      expect(above, `a circle through ${domain}`).not.toContain(domain);
      for (const next of edges.get(domain) ?? []) visit(next, [...above, domain]);
    };
    for (const domain of edges.keys()) visit(domain, []);
  });

  test('a feature of the window knows no other feature', () => {
    for (const path of sources('renderer/features/**/*.{ts,tsx}')) {
      expect(
        imports(path).filter((name) => /^\.\.\/[a-z]+\//.test(name)),
        path,
      ).toEqual([]);
    }
  });
});

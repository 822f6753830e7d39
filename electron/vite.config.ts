/**
 * Builds the two scripts of the Electron host (`--mode main`, `--mode preload`) and the contained children (`--mode children`),
 * which run from source too, and start several times as fast from one bundle.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { defineConfig, type Plugin } from 'vite';

const root = resolve(import.meta.dirname, '..');
/** All but the sources are found where the packages are. */
const packages = [/^node:/, /^[a-z@]/];

const modes = {
  main: {
    outDir: '.build/electron',
    entry: { main: `${root}/electron/main.ts` },
    format: 'es',
    external: packages,
  },
  preload: {
    outDir: '.build/electron',
    entry: { preload: `${root}/electron/preload.ts` },
    format: 'cjs',
    external: ['electron'],
  },
  children: {
    outDir: '.build/children',
    entry: Object.fromEntries(
      ['worker', 'scanner', 'outliner'].map((name) => [name, `${root}/electron/${name}.ts`]),
    ),
    // As modules they would get all that Node's own modules have, streams and web cryptography too, used or not.
    format: 'cjs',
    external: [/^node:/, /^(?!zod)[a-z@]/],
  },
} as const;

/** What a child says is parsed in the core: of what it loads, schemas and Zod itself are a quarter, and fall away. */
const withoutSchemas = {
  moduleSideEffects: false,
  propertyReadSideEffects: false as const,
  manualPureFunctions: ['z', 'byColumn', 'atMost', 'columnName'],
};

export default defineConfig(({ mode }) => {
  const { outDir, entry, format, external } = modes[mode as keyof typeof modes];
  return {
    root,
    publicDir: false,
    plugins: mode === 'children' ? [listSources()] : [],
    // The bundle lies as deep in the program's folder as the sources that ask for theirs.
    define: mode === 'children' ? { 'import.meta.dirname': '__dirname' } : {},
    build: {
      outDir,
      emptyOutDir: mode !== 'preload',
      target: 'node24',
      minify: false,
      lib: {
        entry,
        formats: [format],
        fileName: (_, name) => `${name}.${format === 'es' ? 'mjs' : 'cjs'}`,
      },
      rollupOptions: {
        external: [...external],
        ...(mode === 'children'
          ? { treeshake: withoutSchemas, output: { dynamicImportInCjs: false } }
          : {}),
      },
    },
  };
});

/** `sources.json`: what the bundle was made of, by which `platform/child-script.ts` tells whether it still counts. */
function listSources(): Plugin {
  return {
    name: 'list-sources',
    writeBundle({ dir = '' }) {
      const own = [...this.getModuleIds(), join(root, 'package-lock.json')]
        .filter((id) => id.startsWith(root + sep) && !id.includes(`${sep}node_modules${sep}`))
        .sort();
      const digests = own.map((path) => [
        relative(root, path),
        createHash('sha256').update(readFileSync(path)).digest('hex'),
      ]);
      writeFileSync(join(dir, 'sources.json'), JSON.stringify(Object.fromEntries(digests)));
    },
  };
}

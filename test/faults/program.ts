/** The actor as one file: it is started hundreds of times, and from four hundred modules a start takes four times as long. */
import { symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'vite';

const root = join(import.meta.dirname, '../..');

/** Where it is in the folder `material`. */
export function actorIn(material: string): string {
  return join(material, 'program/actor.mjs');
}

export async function makeActor(material: string): Promise<void> {
  const actor = actorIn(material);
  await build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: 'error',
    plugins: [placesOfSources],
    ssr: { noExternal: [/^zod/] },
    build: {
      ssr: join(import.meta.dirname, 'actor.ts'),
      outDir: dirname(actor),
      emptyOutDir: false,
      target: 'node24',
      minify: false,
      rollupOptions: {
        output: { entryFileNames: 'actor.mjs', chunkFileNames: '[name]-[hash].mjs' },
      },
    },
  });
  symlinkSync(join(root, 'node_modules'), join(dirname(actor), 'node_modules'));
}

/** A module finds its neighbours where its source is. */
const placesOfSources: Plugin = {
  name: 'places-of-sources',
  enforce: 'pre',
  transform(code, id) {
    if (!id.startsWith(root) || id.includes('/node_modules/')) return undefined;
    return code
      .replaceAll('import.meta.dirname', JSON.stringify(dirname(id)))
      .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href));
  },
};

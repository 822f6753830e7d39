/** Builds the two scripts of the Electron host; run once with `--mode main` and once with `--mode preload`. */
import { defineConfig } from 'vite';

const root = `${import.meta.dirname}/..`;

export default defineConfig(({ mode }) => ({
  root,
  publicDir: false,
  build: {
    outDir: `${root}/.build/electron`,
    emptyOutDir: mode === 'main',
    target: 'node24',
    minify: false,
    lib:
      mode === 'main'
        ? { entry: `${root}/electron/main.ts`, formats: ['es'], fileName: () => 'main.mjs' }
        : { entry: `${root}/electron/preload.ts`, formats: ['cjs'], fileName: () => 'preload.cjs' },
    rollupOptions: { external: mode === 'main' ? [/^node:/, /^[a-z@]/] : ['electron'] },
  },
}));

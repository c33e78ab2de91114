import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

/** The page of `groundmill inspect`. Everything it needs is in its own files: it loads nothing from other hosts. */
export default defineConfig({
  root: fileURLToPath(new URL('src/inspect/page', import.meta.url)),
  base: '/',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    outDir: fileURLToPath(new URL('dist/inspect/page', import.meta.url)),
    emptyOutDir: true,
    target: 'es2022',
    // The page may run no inline script and read no data: address.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  logLevel: 'warn',
})

import { defineConfig } from 'vite';

// Each component lies alone under a stable name, so that another site can load it with
// <script type="module" src=".../liveness-check.js">. The one of the agent's side has a build of its own (--mode status), because
// what two entries of a build share becomes a third file.
const pages = { index: 'index.html', playground: 'playground.html', 'liveness-check': 'src/liveness/auto.ts' };
const status = { 'liveness-status': 'src/liveness/status/auto.ts' };

export default defineConfig(({ mode }) => ({
  base: './',
  esbuild: { charset: 'utf8' }, // words stay words: escapes would make the scripts a fifth larger
  publicDir: mode === 'status' ? false : 'public',
  build: {
    target: 'es2022',
    emptyOutDir: mode !== 'status', // public/.gitkeep is copied back, the Go embed needs the folder
    assetsInlineLimit: 0, // no data: URLs, so that a strict Content-Security-Policy holds
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: mode === 'status' ? status : pages,
      preserveEntrySignatures: 'exports-only',
      output: {
        entryFileNames: (chunk) => (chunk.name.startsWith('liveness-') ? '[name].js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  server: {
    proxy: {
      '/demo': 'http://127.0.0.1:8080',
      '/v1': { target: 'http://127.0.0.1:8080', ws: true },
    },
  },
}));

import { defineConfig } from 'vite';

// Four entries: the demo page, the playground, and each component alone under a stable name, so
// that another site can load it with <script type="module" src=".../liveness-check.js">.
export default defineConfig({
  base: './',
  esbuild: { charset: 'utf8' }, // words stay words: escapes would make the scripts a fifth larger
  build: {
    target: 'es2022',
    emptyOutDir: true, // public/.gitkeep is copied back, the Go embed needs the folder
    assetsInlineLimit: 0, // no data: URLs, so that a strict Content-Security-Policy holds
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: {
        index: 'index.html',
        playground: 'playground.html',
        'liveness-check': 'src/liveness/auto.ts',
        'liveness-status': 'src/liveness/status/auto.ts',
      },
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
});

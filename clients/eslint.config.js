// The rules of the web client, for scripts that run in Node (*.mjs) and in pages (browser/).
import web from '../webclient/eslint.config.js';

const browser = ['document', 'fetch', 'navigator', 'createImageBitmap', 'performance', 'setInterval', 'Blob', 'RTCPeerConnection'];
const node = ['console', 'fetch', 'URL', 'Buffer', 'AbortSignal', 'performance', 'process'];
const globals = (names) => Object.fromEntries(names.map((name) => [name, 'readonly']));

export default [
  ...web,
  { files: ['clients/**/*.mjs', 'examples/**/*.mjs'], languageOptions: { globals: globals(node) } },
  { files: ['clients/browser/camera.mjs', 'clients/browser/pages/*.js'], languageOptions: { globals: globals(browser) } },
];

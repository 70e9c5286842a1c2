// An integrator's website: one page, and a backend that hands out the session which the suite has created.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import process from 'node:process';
import { build } from 'esbuild';

const { SESSION, CODEC, CAMERA_MJPEG, WHIP_URL } = process.env;
const room = fileURLToPath(new URL('.', import.meta.url));

/** Serves the page on a free port of this host; the result is its address. */
export async function host(page) {
  const files = {
    '/': [
      'text/html',
      '<!doctype html><meta charset="utf-8"><title>page</title><link rel="icon" href="data:,"><body><script type="module" src="/page.js"></script>',
    ],
    '/page.js': ['text/javascript', await bundle(page)],
    '/session': ['application/json', SESSION],
    '/settings': ['application/json', JSON.stringify({ origin: new URL(WHIP_URL).origin, codec: CODEC })],
  };
  const server = createServer(async (request, response) => {
    if (request.url === '/camera.mjpeg') return response.end(await readFile(CAMERA_MJPEG));
    const [type, body] = files[request.url] ?? [];
    response.writeHead(body ? 200 : 404, { 'Content-Type': type ?? 'text/plain' }).end(body);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${server.address().port}/`;
}

// Puts the page's script and the libraries that it imports into one file, as an integrator's build does.
async function bundle(page) {
  const contents = page === 'plain' ? await plain() : await readFile(`${room}/pages/${page}.js`, 'utf8');
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: `${room}/pages` },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
  });
  return outputFiles[0].text;
}

/** The lines of docs/clients.md for a browser without a library, after the one that asks a backend for the session. */
async function plain() {
  const text = await readFile(`${room}/../../docs/clients.md`, 'utf8');
  const snippet = /^## A browser without a library\n.*?```js\n(.*?)```/ms.exec(text)?.[1];
  if (!snippet) throw new Error('docs/clients.md has no lines for a browser without a library');
  return `const { whip_url, client_token } = await (await fetch('/session', { method: 'POST' })).json();\n${snippet}`;
}

// The npm package in projects of other frameworks, which scripts/integrations.sh has built: each page runs a check in
// Chromium against the real server, to a verdict that the framework's own event handler shows; then <liveness-status> follows
// that session to its end.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cameras, launch, open, problems, reach } from '../e2e/support/browser';
import { media, nobody } from '../e2e/support/paths';
import { freePort, LiveproofServer } from '../e2e/support/server';

const projects = process.env['INTEGRATIONS'] ?? '';
const person = media('person_A_640x480.mjpeg');
const seen = existsSync(person);
const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

let liveproof: LiveproofServer;
let browser: Browser;
const servers: Server[] = [];
const ports = new Map<string, number>();

async function handOn(session: string, res: ServerResponse): Promise<void> {
  const events = await fetch(await liveproof.events(session));
  res.writeHead(events.status, { 'Content-Type': 'text/event-stream' });
  for await (const chunk of events.body as unknown as AsyncIterable<Uint8Array>) res.write(chunk);
  res.end();
}

/** Serves a built project, with a backend that makes sessions and hands on the events of the last one. */
async function serve(name: string): Promise<void> {
  let session = '';
  const server = createServer((req, res) => {
    if (req.method === 'POST') {
      void liveproof.create().then((made) => {
        session = made.id;
        res.writeHead(201, { 'Content-Type': 'application/json' }).end(JSON.stringify(made));
      });
      return;
    }
    const path = normalize(new URL(req.url ?? '/', 'http://x').pathname);
    if (path === '/events') {
      void handOn(session, res);
      return;
    }
    readFile(join(projects, name, 'dist', path === '/' ? 'index.html' : path)).then(
      (body) => res.writeHead(200, { 'Content-Type': types[extname(path)] ?? 'text/html' }).end(body),
      () => res.writeHead(404).end(),
    );
  });
  await new Promise<void>((done) => server.listen(ports.get(name), '127.0.0.1', done));
  expect((server.address() as AddressInfo).port).toBe(ports.get(name));
  servers.push(server);
}

const names = (process.env['KINDS'] ?? '').split(' ').filter(Boolean);

beforeAll(async () => {
  if (!projects) throw new Error('run this through scripts/integrations.sh');
  for (const name of names) ports.set(name, await freePort());
  const origins = [...ports.values()].map((port) => `http://127.0.0.1:${port}`).join(',');
  // A low threshold makes the recording live, whatever the model's scores are.
  const settings = { LIVEPROOF_INGEST_WS_ORIGINS: origins, LIVEPROOF_VERDICT_THRESHOLD: '0.002', LIVEPROOF_VERDICT_MARGIN: '0.001' };
  Object.assign(process.env, settings);
  liveproof = await LiveproofServer.start('--deadline', seen ? '60s' : '4s'); // a busy machine judges few pictures a second
  browser = await launch({ file: seen ? person : nobody() });
  for (const name of names) await serve(name);
});
afterAll(async () => {
  await browser?.close();
  for (const server of servers) server.closeAllConnections();
  for (const server of servers) server.close();
  await liveproof?.stop();
});

describe('the npm package', () => {
  it.each(names)('in %s', async (name) => {
    const started = Date.now();
    const p = await open(browser, `http://127.0.0.1:${ports.get(name)}/`, {}, 'liveness-check[data-state=idle]');
    await p
      .locator('liveness-check')
      .getByRole('button', { name: `Start in ${name}` })
      .click(); // a property set by the framework
    const state = await reach(p, [seen ? 'passed' : 'retry'], 90_000);
    await p
      .locator('output.result')
      .getByText(seen ? 'pass' : 'retry')
      .waitFor(); // an event heard by the framework
    expect(await cameras(p)).toEqual({ given: 1, live: 0 });
    await p.locator('output.agent').getByText('ended').waitFor();
    await p
      .locator('liveness-status')
      .getByRole('region', { name: `Agent in ${name}` })
      .waitFor();
    expect(problems(p)).toEqual([]);
    console.log(`${name}: ${state} after ${((Date.now() - started) / 1000).toFixed(1)} s`);
    await p.context().close();
  });
});

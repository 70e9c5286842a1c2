// The component on somebody else's page: script, signalling and media come from
// another origin, the session from that page's own backend, and the page has
// the Content-Security-Policy that docs/component.md names.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launch, open, press, problems, reach, sessionId } from './support/browser';
import { LiveproofServer } from './support/server';

const page = (script: string) => `<!doctype html><html lang="en" data-ready><meta charset="utf-8"><link rel="icon" href="data:,">
<script type="module" src="${script}"></script><liveness-check session-url="/backend/sessions"></liveness-check></html>`;

/** A bank's server: its page, and its backend that holds the API key. */
class Bank {
  readonly #http: Server;
  liveproof: LiveproofServer | undefined;

  constructor() {
    this.#http = createServer((req, res) => {
      const server = this.liveproof!;
      if (req.method === 'POST') {
        void server.create().then((made) => res.writeHead(201, { 'Content-Type': 'application/json' }).end(JSON.stringify(made)));
        return;
      }
      const origin = new URL(server.url).origin;
      const policy = `default-src 'none'; img-src data:; script-src ${origin}; connect-src 'self' ${origin.replace('http', 'ws')}`;
      res.writeHead(200, { 'Content-Type': 'text/html', 'Content-Security-Policy': policy }).end(page(`${origin}/liveness-check.js`));
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((done) => this.#http.listen(0, '127.0.0.1', done));
    return `http://localhost:${(this.#http.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#http.closeAllConnections();
    await new Promise((done) => this.#http.close(done));
  }
}

describe('<liveness-check> on a page of another origin', () => {
  const bank = new Bank();
  let origin = '';
  let browser: Browser | undefined;

  beforeAll(async () => {
    origin = await bank.listen();
  });
  afterEach(async () => {
    await browser?.close();
    await bank.liveproof?.stop();
  });
  afterAll(() => bank.close());

  async function visit(allowed: string): Promise<Page> {
    process.env['LIVEPROOF_INGEST_WS_ORIGINS'] = allowed;
    bank.liveproof = await LiveproofServer.start('--deadline', '4s').finally(() => delete process.env['LIVEPROOF_INGEST_WS_ORIGINS']);
    browser = await launch();
    return open(browser, origin);
  }

  it('loads, sends its video and ends when the origin is configured', async () => {
    const p = await visit(origin);
    await press(p);
    await reach(p, ['positioning', 'checking']);
    const id = await sessionId(p);
    await reach(p, ['retry'], 40_000); // Chromium's test picture holds no face
    const record = await bank.liveproof!.session(id);
    expect(record).toMatchObject({ state: 'decided', verdict: 'inconclusive' });
    expect(record.frames.decoded).toBeGreaterThan(0);
    expect(problems(p)).toEqual([]);
  });

  it('loads but may not connect when the origin is not configured', async () => {
    const p = await visit('https://somebody-else.example');
    await press(p);
    await reach(p, ['error']);
    expect(await p.locator('liveness-check').getAttribute('data-error')).toBe('connection_refused');
  });
});

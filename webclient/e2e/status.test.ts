// <liveness-status> in Chromium, against scripted events: what an agent sees and hears, read by axe, on a page with the
// Content-Security-Policy that docs/component.md names. The pictures in test-results/ are to be looked at.
import type { ServerResponse } from 'node:http';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { en } from '../src/liveness/status/words/en';
import { overflow, violations } from './support/axe';
import { launch, open, problems } from './support/browser';
import { startMock, type Mock } from './support/mock';
import { result } from './support/paths';
import { LiveproofServer } from './support/server';

const at = '2026-01-15T09:00:00.000Z';

/** A session's events, of all connections. */
class Events {
  readonly open: ServerResponse[] = [];
  connections = 0;
  /** The status of further answers; 200 unless set. */
  status = 200;

  accept(res: ServerResponse): void {
    this.connections++;
    if (this.status !== 200) {
      res.writeHead(this.status).end();
      return;
    }
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    res.flushHeaders();
    this.open.push(res);
    res.on('close', () => this.open.splice(this.open.indexOf(res), 1));
  }
  say(text: string): void {
    for (const res of this.open) res.write(text);
  }
  state(verdict: string, reason = '', state = 'streaming'): void {
    const data = { id: '01JMOCKMOCKMOCKMOCKMOCKMOC', state, verdict, reasons: reason ? [reason] : [], changed_at: at };
    this.say(`event: state\nid: ${verdict}\ndata: ${JSON.stringify(data)}\n\n`);
  }
  drop(): void {
    for (const res of [...this.open]) res.destroy();
  }
}

let browser: Browser;
let mock: Mock | undefined;
let page: Page | undefined;
let events: Events;

beforeAll(async () => {
  browser = await launch();
});
afterEach(async () => {
  await page?.context().close();
  await mock?.close();
  page = mock = undefined;
});
afterAll(() => browser?.close());

const html = (lang: string, attributes: string) => `<!doctype html><html lang="${lang}" data-ready><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>Call</title><link rel="icon" href="/favicon.svg">
<script type="module" src="/liveness-status.js"></script></head>
<body><main><h1>Call</h1><liveness-status events-url="/events?token=t" ${attributes}></liveness-status></main></body></html>`;

async function visit(context: Parameters<typeof open>[2] = {}, lang = 'en', attributes = ''): Promise<Page> {
  events = new Events();
  mock = await startMock({
    routes: (req, res) => {
      if (req.url === '/agent.html') {
        const policy = "default-src 'none'; img-src 'self'; script-src 'self'; connect-src 'self'";
        res.writeHead(200, { 'Content-Type': 'text/html', 'Content-Security-Policy': policy }).end(html(lang, attributes));
      } else if (req.url === '/events?token=t') events.accept(res);
      else return false;
      return true;
    },
  });
  page = await open(browser, `${mock.url}agent.html`, { bypassCSP: false, ...context });
  await expect.poll(() => events.connections).toBe(1);
  return page;
}

const shows = (p: Page, status: string) => p.locator(`liveness-status[data-status=${status}]`).waitFor({ timeout: 10_000 });
const element = (p: Page) => p.locator('liveness-status');

describe('<liveness-status>', () => {
  it('shows live and its loss; the alarm is an alert; nothing breaks the page’s policy', async () => {
    const p = await visit();
    await shows(p, 'connecting');
    events.state('live', 'score_above_threshold');
    await shows(p, 'live');
    expect(await element(p).getByRole('alert').textContent()).toBe('');
    await p.screenshot({ path: result('status-live.png') });
    events.state('pending', 'face_changed');
    await shows(p, 'lost');
    await element(p).getByRole('alert').getByText('not confirmed any more').waitFor();
    await element(p).getByText('Another face came into the picture').waitFor();
    await p.screenshot({ path: result('status-lost.png') });
    events.state('live', 'score_above_threshold');
    await shows(p, 'live');
    events.state('live', 'score_above_threshold', 'decided');
    events.say('event: end\ndata: {"id":"01JMOCKMOCKMOCKMOCKMOCKMOC","state":"decided"}\n\n');
    await shows(p, 'ended');
    events.drop();
    await p.waitForTimeout(2_500);
    expect(events.connections).toBe(1);
    expect(problems(p)).toEqual([]);
  });

  it('a dropped connection is opened again; one that cannot be had is not live', async () => {
    const p = await visit();
    events.state('live');
    await shows(p, 'live');
    events.drop();
    await expect.poll(() => events.connections, { timeout: 5_000 }).toBe(2);
    events.state('live');
    await shows(p, 'live');
    events.status = 503;
    events.drop();
    await shows(p, 'unknown');
    await element(p).getByRole('alert').getByText('not confirmed any more').waitFor();
    events.status = 200;
    await expect.poll(() => events.open.length, { timeout: 10_000 }).toBe(1);
    events.state('pending');
    await shows(p, 'lost');
  });

  it('30 s of silence are not live; the browser’s own clock counts them', async () => {
    const p = await visit();
    await p.clock.install();
    await p.reload();
    await expect.poll(() => events.open.length).toBe(1);
    events.state('live');
    await shows(p, 'live');
    await p.clock.runFor(20_000);
    events.say(': keep-alive\n\n');
    await p.waitForTimeout(300);
    await p.clock.runFor(20_000);
    await shows(p, 'live');
    await p.clock.runFor(12_000);
    await shows(p, 'unknown');
    await p.screenshot({ path: result('status-unknown.png') });
  });

  it('a token that is refused is not tried again', async () => {
    const p = await visit();
    events.state('live');
    await shows(p, 'live');
    events.status = 401;
    events.drop();
    await shows(p, 'unknown');
    expect(events.connections).toBe(2);
    await p.waitForTimeout(3_000);
    expect(events.connections).toBe(2);
  });

  const looks = [320, 1280].flatMap((width) => (['light', 'dark'] as const).map((colorScheme) => ({ width, colorScheme })));
  it.each(looks)('$width px, $colorScheme, in three languages: axe finds nothing, nothing overflows', async ({ width, colorScheme }) => {
    const p = await visit({ colorScheme, viewport: { width, height: 400 } });
    const seen: string[] = [];
    const check = async (status: string) => {
      await shows(p, status);
      seen.push(status);
      for (const lang of ['en', 'de', 'ar']) {
        await p.evaluate((to) => Object.assign(document.documentElement, { lang: to, dir: to === 'ar' ? 'rtl' : 'ltr' }), lang);
        const name = `${width}-${colorScheme}-${lang}-${status}`;
        await p.screenshot({ path: result(`status-${name}.png`) });
        expect(await violations(p), name).toEqual([]);
        expect(await overflow(p), name).toBeLessThanOrEqual(0);
      }
    };
    await check('connecting');
    for (const [verdict, status] of [
      ['pending', 'pending'],
      ['live', 'live'],
      ['pending', 'lost'],
      ['spoof', 'spoof'],
    ] as const) {
      events.state(verdict, { live: 'score_above_threshold', spoof: 'score_below_threshold', pending: 'no_face' }[verdict]);
      await check(status);
    }
    events.say('event: state\ndata: {\n\n');
    await check('unknown');
    await expect.poll(() => events.open.length, { timeout: 10_000 }).toBe(1);
    events.state('live', 'score_above_threshold', 'decided');
    await check('ended');
    await p.evaluate(() => (document.documentElement.lang = 'en'));
    await element(p).getByText('The check of this call has ended.').waitFor();
    expect(seen.sort()).toEqual(Object.keys(en.statuses).sort());
  });
});

// The bank's page and Liveproof are of two origins: script and events cross them.
describe('<liveness-status> on a page of another origin, with the real server', () => {
  let server: LiveproofServer | undefined;
  let source = '';
  beforeEach(async () => {
    mock = await startMock({
      routes: (req, res) => {
        if (req.url !== '/bank.html') return false;
        const origin = new URL(server!.url).origin;
        const policy = `default-src 'none'; img-src 'self'; script-src ${origin}; connect-src ${origin}`;
        res.writeHead(200, { 'Content-Type': 'text/html', 'Content-Security-Policy': policy });
        res.end(html('en', '').replaceAll('/events?token=t', source).replace('"/liveness-status.js', `"${origin}/liveness-status.js`));
        return true;
      },
    });
  });
  afterEach(async () => {
    await page?.context().close();
    page = undefined;
    await server?.stop();
  });

  async function visitBank(allowed: string): Promise<{ p: Page; id: string }> {
    process.env['LIVEPROOF_INGEST_CORS_ORIGINS'] = allowed;
    server = await LiveproofServer.start().finally(() => delete process.env['LIVEPROOF_INGEST_CORS_ORIGINS']);
    const { id } = await server.create();
    source = await server.events(id);
    page = await open(browser, `${mock!.url}bank.html`);
    return { p: page, id };
  }

  it('follows a session to its end', async () => {
    const { p, id } = await visitBank(new URL(mock!.url).origin);
    await shows(p, 'pending');
    await server!.delete(id);
    await shows(p, 'ended');
    expect(problems(p)).toEqual([]);
  });

  it('knows nothing where the origin is not configured', async () => {
    const { p } = await visitBank('https://somebody-else.example');
    await shows(p, 'unknown');
  });

  it('knows nothing when the server is gone', async () => {
    const { p } = await visitBank(new URL(mock!.url).origin);
    await shows(p, 'pending');
    await server!.stop();
    await shows(p, 'unknown');
  });
});

// An agent's screen during a call of ten minutes in which another person takes the caller's place: <liveness-status> in Chromium, the
// real server with Redis, and `liveproof replay` as the caller. Run by scripts/call-on-screen.sh, which makes the recording. What the
// component shows is logged to test-results/call.jsonl; the pictures beside it are to be looked at.
import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launch, open, problems } from '../e2e/support/browser';
import { startMock, type Mock } from '../e2e/support/mock';
import { binary, result } from '../e2e/support/paths';
import { end, LiveproofServer, RedisServer, until } from '../e2e/support/server';

/** What the agent sees at one time; seconds since the component showed `live` first count from 0. */
interface Shown {
  seconds: number;
  status: string;
  title: string;
  reason: string;
  alarm: string;
}

const recording = process.env['CALL'] ?? '';
const swap = Number(process.env['CALL_SWAP']);
const length = Number(process.env['CALL_LENGTH']);

const policy = (origin: string) => `default-src 'none'; img-src 'self'; script-src ${origin}; connect-src ${origin}`;
const html = (origin: string, events: string) => `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>Call</title><link rel="icon" href="/favicon.svg">
<script type="module" src="${origin}/liveness-status.js"></script></head>
<body><main><h1>Call</h1><liveness-status events-url="${events}"></liveness-status></main></body></html>`;

let server: LiveproofServer;
let redis: RedisServer;
let browser: Browser;
let mock: Mock;
let caller: ChildProcess | undefined;
let page: Page;
const log: Shown[] = [];

beforeAll(async () => {
  if (!recording) throw new Error('run this through scripts/call-on-screen.sh');
  let source = '';
  mock = await startMock({
    routes: (req, res) => {
      if (req.url !== '/agent.html') return false;
      const { origin } = new URL(server.url);
      res.writeHead(200, { 'Content-Type': 'text/html', 'Content-Security-Policy': policy(origin) }).end(html(origin, source));
      return true;
    },
  });
  process.env['LIVEPROOF_INGEST_CORS_ORIGINS'] = new URL(mock.url).origin;
  redis = await RedisServer.start();
  server = await LiveproofServer.start('--redis', `${redis.url}/0`);
  browser = await launch();
  source = await server.events(await call());
  page = await open(browser, `${mock.url}agent.html`, { bypassCSP: false, viewport: { width: 480, height: 400 } }, 'liveness-status');
}, 600_000);
afterAll(async () => {
  if (caller) await end(caller, 'SIGTERM', 10_000);
  await browser?.close();
  await server?.stop();
  await redis?.stop();
  await mock?.close();
});

/** Lets the caller call; the id of the session, which begins when the recording has been encoded. */
async function call(): Promise<string> {
  const args = ['replay', '--via', 'webrtc', '--mode', 'call', '--signalling', 'websocket', '--quiet'];
  caller = spawn(binary, [...args, '--server', server.url, '--api-key', server.apiKey, recording], { stdio: 'inherit' });
  let id = '';
  const running = async () => {
    const res = await fetch(`${server.url}v1/sessions?limit=1`, { headers: { Authorization: `Bearer ${server.apiKey}` } });
    id = ((await res.json()) as { sessions: { id: string }[] }).sessions[0]?.id ?? '';
    return id !== '';
  };
  await until(running, 500_000, () => 'the caller did not call', caller);
  return id;
}

const look = () =>
  page.locator('liveness-status').evaluate((el: HTMLElement) => {
    const text = (part: string) => el.shadowRoot?.querySelector(`[part~=${part}]`)?.textContent.trim() ?? '';
    return { status: el.dataset['status'] ?? '', title: text('title'), reason: text('reason'), alarm: text('alarm') };
  });

/** Looks at the screen twice a second until the call has ended, logs each change, and takes a picture of it. */
async function watch(): Promise<void> {
  const begin = Date.now();
  const seconds = () => Math.round((Date.now() - begin) / 100) / 10;
  const same = (a: Shown | undefined, b: Omit<Shown, 'seconds'>) => a?.status === b.status && a.reason === b.reason && a.alarm === b.alarm;
  while (log.at(-1)?.status !== 'ended' && seconds() < length + 60) {
    const shown = await look();
    if (!same(log.at(-1), shown)) {
      log.push({ seconds: seconds(), ...shown });
      writeFileSync(result('call.jsonl'), log.map((l) => `${JSON.stringify(l)}\n`).join(''));
      console.log(JSON.stringify(log.at(-1)));
      await page.screenshot({ path: result(`call-${String(log.length).padStart(2, '0')}-${shown.status}.png`) });
    }
    await new Promise((r) => setTimeout(r, 500));
  }
}

describe('a call of ten minutes on the agent’s screen', () => {
  it(
    'shows live, the alarm within five seconds of the swap, and the end, and never loses the connection',
    async () => {
      await watch();
      const live = log.find((l) => l.status === 'live')!;
      expect(live.seconds).toBeLessThan(10);
      expect(log.filter((l) => l.alarm !== '').length, 'one alarm: that of the swap').toBe(1);
      const alarm = log.find((l) => l.alarm !== '')!;
      expect(alarm.seconds).toBeGreaterThan(swap - 10);
      expect(alarm.seconds).toBeLessThan(swap + 5);
      expect(log.at(-1)!.status).toBe('ended');
      expect(log.at(-1)!.seconds).toBeGreaterThan(length - 15);
      expect(log.map((l) => l.status)).not.toContain('unknown');
      expect(problems(page)).toEqual([]);
    },
    (length + 120) * 1000,
  );
});

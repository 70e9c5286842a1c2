// The component against a scripted server: every state, hint and error as the
// person sees it, and the camera released whatever happens. Screenshots go to
// test-results/ to be looked at.
import type { Browser, Page } from 'playwright-core';
import { existsSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { cameras, launch, open, press, reach } from './support/browser';
import { startMock, type Mock, type MockOptions, type MockPeer } from './support/mock';
import { media, result } from './support/paths';

const person = media('person_A_640x480.mjpeg');
let browser: Browser;
let mock: Mock | undefined;
let page: Page | undefined;

beforeAll(async () => {
  browser = await launch(existsSync(person) ? { file: person } : {});
});
afterEach(async () => {
  await page?.context().close();
  await mock?.close();
  page = mock = undefined;
});
afterAll(() => browser.close());

async function visit(options: MockOptions, context: Parameters<typeof open>[2] = {}, query = ''): Promise<Page> {
  mock = await startMock(options);
  page = await open(browser, mock.url + query, context);
  return page;
}

const card = (p: Page) => p.locator('liveness-check');
const settle = (p: Page) => p.waitForTimeout(700); // transitions end; for pictures, not for assertions

const streaming = (peer: MockPeer) => peer.send({ type: 'state', state: 'streaming' });
const progress = (peer: MockPeer, scored: number) => peer.send({ type: 'progress', fraction: scored / 10, scored, needed: 10 });

function sample(seq: number, scored: boolean): Record<string, unknown> {
  const rho = 0.86 + 0.1 * Math.sin(seq * 1.7) - (seq === 6 ? 0.3 : 0);
  const smoothed = 0.86 + 0.04 * Math.sin(seq * 0.5);
  const reasons = scored ? [] : ['face_turned'];
  return { type: 'sample', seq, t: seq * 0.2, scored, rho, weight: seq % 3 ? 1 : 0.4, smoothed, track: 1, reasons, threshold: 0.52 };
}

describe('states', () => {
  it('positioning, checking, passed; the camera is off at the end', async () => {
    let peer!: MockPeer;
    const p = await visit({ dev: true, script: (x) => (streaming(x), (peer = x), undefined) });
    await p.screenshot({ path: result('mock-idle.png'), fullPage: true });
    await press(p);
    await reach(p, ['positioning']);
    peer.send({ type: 'hint', reason: 'face_too_small' });
    await card(p).getByText('Come a little closer.').first().waitFor();
    await settle(p);
    await p.screenshot({ path: result('mock-positioning.png'), fullPage: true });
    peer.send({ type: 'hint', reason: '' });
    for (let i = 1; i <= 17; i++) peer.send(sample(i, i !== 9 && i !== 10));
    progress(peer, 6);
    await reach(p, ['checking']);
    expect(await cameras(p)).toEqual({ given: 1, live: 1 });
    await settle(p);
    await p.screenshot({ path: result('mock-checking.png'), fullPage: true });
    peer.send({ type: 'decided', result: 'pass', reasons: ['score_above_threshold'] });
    await reach(p, ['passed']);
    expect(await cameras(p)).toEqual({ given: 1, live: 0 });
    await p.locator('#chart svg[role=img]').hover({ position: { x: 500, y: 80 } });
    await settle(p);
    await p.screenshot({ path: result('mock-passed.png'), fullPage: true });
    expect(await p.locator('#chart svg[role=img]').getAttribute('data-samples')).toBe('17');
    expect(await p.locator('#chart [data-reason=face_turned]').count()).toBe(2);
    expect(await p.locator('#verdict').textContent()).toContain('live');
  });

  it('sends one offer, the camera’s settings, candidates and bye', async () => {
    const p = await visit({ script: streaming });
    await press(p);
    await reach(p, ['positioning']);
    await press(p);
    await reach(p, ['idle']);
    const received = mock!.peers[0]!.received;
    await expect.poll(() => mock!.peers[0]!.types().at(-1)).toBe('bye');
    expect(received.filter((m) => m['type'] === 'offer')).toHaveLength(1);
    expect(received.find((m) => m['type'] === 'settings')).toMatchObject({
      requested: { width: 640, height: 480, frameRate: 15 },
      delivered: { width: 640, height: 480 },
    });
    expect(mock!.peers[0]!.types()).toContain('candidate');
  });

  it.each([
    ['retry', 'retry', ['deadline', 'no_face'], 'Move your face into the oval.'],
    ['fail', 'failed', ['score_below_threshold'], 'not a picture or a screen'],
  ])('%s ends in %s and can be tried again', async (outcome, state, reasons, words) => {
    const p = await visit({ script: (x) => (streaming(x), progress(x, 4), x.send({ type: 'decided', result: outcome, reasons })) });
    for (const attempt of [1, 2]) {
      await press(p);
      await reach(p, [state]);
      await card(p).getByText(words).first().waitFor();
      expect(await cameras(p)).toEqual({ given: attempt, live: 0 });
      await reach(p, [state]);
      await expect.poll(() => mock!.peers.length).toBe(attempt);
    }
    await settle(p);
    await p.screenshot({ path: result(`mock-${state}.png`) });
  });

  it('events tell the result and never a score', async () => {
    const p = await visit({
      script: (x) => (streaming(x), x.send('{"type":"decided","result":"fail","reasons":["deadline"],"verdict":"spoof","score":0.1}')),
    });
    await p.evaluate(() => {
      const seen: unknown[] = [];
      Object.assign(window, { seen });
      for (const type of ['statechange', 'livenessresult'] as const) {
        document.addEventListener(type, (e) => seen.push([type, (e as CustomEvent).detail]));
      }
    });
    await press(p);
    await reach(p, ['failed']);
    const seen = await p.evaluate(() => (window as unknown as { seen: [string, Record<string, unknown>][] }).seen);
    expect(seen.filter(([t]) => t === 'statechange').map(([, d]) => d['state'])).toEqual([
      'permission',
      'connecting',
      'positioning',
      'failed',
    ]);
    expect(seen).toContainEqual(['livenessresult', { result: 'fail', reasons: ['deadline'], sessionId: '01JMOCKMOCKMOCKMOCKMOCKMOC' }]);
    expect(JSON.stringify(seen)).not.toMatch(/score"|rho|verdict/);
  });
});

describe('faults', () => {
  it.each<[string, MockOptions, string]>([
    ['the person is not signed in', { sessionStatus: 401 }, 'backend_unauthorized'],
    ['the person may not do this', { sessionStatus: 403 }, 'backend_forbidden'],
    ['the backend fails', { sessionStatus: 500 }, 'backend_error'],
    ['Liveproof refuses', { sessionStatus: 401, problem: { code: 'unauthorized', fault: 'integrator' } }, 'session_refused'],
    ['the service is full', { sessionStatus: 503 }, 'service_busy'],
    ['the channel drops', { script: (x) => (streaming(x), x.drop()) }, 'connection_lost'],
    ['a result nobody defined', { script: (x) => (streaming(x), x.send({ type: 'decided', result: 'live' })) }, 'protocol_error'],
    [
      'a pass before any picture',
      { script: (x) => (x.send({ type: 'decided', result: 'pass', reasons: [] }), x.drop()) },
      'connection_lost',
    ],
    ['an answer that is no SDP', { script: (x) => x.send({ type: 'answer', sdp: 'v=1' }) }, 'protocol_error'],
  ])('%s: error, camera released', async (_what, options, code) => {
    const p = await visit(options);
    await press(p);
    await reach(p, ['error']);
    expect(await card(p).getAttribute('data-error')).toBe(code);
    expect((await cameras(p)).live).toBe(0);
    await card(p).getByRole('button', { name: 'Try again' }).waitFor();
  });

  it('cancel while checking releases the camera, and start works again', async () => {
    const p = await visit({ script: (x) => (streaming(x), progress(x, 3)) });
    await press(p);
    await reach(p, ['checking']);
    await press(p);
    await reach(p, ['idle']);
    expect(await cameras(p)).toEqual({ given: 1, live: 0 });
    await press(p);
    await reach(p, ['checking']);
    await p.keyboard.press('Escape');
    await reach(p, ['idle']);
    expect(await cameras(p)).toEqual({ given: 2, live: 0 });
  });

  it('removing the element ends the check', async () => {
    const p = await visit({ script: streaming });
    await press(p);
    await reach(p, ['positioning']);
    await card(p).evaluate((el) => el.remove());
    expect((await cameras(p)).live).toBe(0);
    await expect.poll(() => mock!.peers[0]!.types()).toContain('bye');
  });

  it('a blocked camera says how to allow it', async () => {
    const denying = await launch({ deny: true });
    try {
      mock = await startMock();
      const p = await open(denying, mock.url);
      await press(p);
      await reach(p, ['error']);
      expect(await card(p).getAttribute('data-error')).toBe('permission_denied');
      await card(p).getByText('allow the camera for this page').first().waitFor();
      await settle(p);
      await p.screenshot({ path: result('mock-denied.png') });
    } finally {
      await denying.close();
    }
  });

  it('an insecure page says so', async () => {
    mock = await startMock();
    const insecure = mock.url.replace('127.0.0.1', 'insecure.test');
    const origin = mock.url;
    const context = await browser.newContext();
    const p = (page = await context.newPage());
    await p.route('http://insecure.test:*/**', async (route) => {
      await route.fulfill({ response: await route.fetch({ url: route.request().url().replace(insecure, origin) }) });
    });
    await p.goto(insecure);
    await press(p);
    await reach(p, ['error']);
    expect(await card(p).getAttribute('data-error')).toBe('insecure_context');
  });
});

describe('appearance', () => {
  it('dark, on a phone, in German; nothing overflows', async () => {
    const phone = { viewport: { width: 360, height: 780 }, deviceScaleFactor: 2, colorScheme: 'dark' as const };
    const p = await visit({ dev: true, script: (x) => (streaming(x), x.send({ type: 'hint', reason: 'too_dark' })) }, phone, '?lang=de');
    await p.screenshot({ path: result('mock-phone-idle-dark.png'), fullPage: true });
    await press(p);
    await reach(p, ['positioning']);
    await card(p).getByText('Zu dunkel.').first().waitFor();
    await settle(p);
    await p.screenshot({ path: result('mock-phone-positioning-dark.png') });
    const overflow = await p.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
  });

  it('the theme button switches and is remembered', async () => {
    const p = await visit({ dev: true, script: (x) => (streaming(x), progress(x, 5)) }, { colorScheme: 'light' });
    const background = () => p.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await background();
    await p.getByRole('button', { name: /light and dark/ }).click();
    expect(await background()).not.toBe(light);
    expect(await card(p).getAttribute('theme')).toBe('dark');
    await press(p);
    await reach(p, ['checking']);
    await settle(p);
    await p.screenshot({ path: result('mock-checking-dark.png'), fullPage: true });
    await p.reload();
    await reach(p, ['idle']);
    expect(await background()).not.toBe(light);
  });

  it('works by keyboard, and the result takes the focus', async () => {
    const p = await visit({
      script: (x) => (streaming(x), progress(x, 9), x.send({ type: 'decided', result: 'retry', reasons: ['blurred'] })),
    });
    await card(p).getByRole('button').focus();
    await p.keyboard.press('Enter');
    await reach(p, ['retry']);
    const focused = () => card(p).evaluate((el) => el.shadowRoot?.activeElement?.tagName);
    expect(await focused()).toBe('H2');
    await p.keyboard.press('Tab');
    expect(await focused()).toBe('BUTTON');
    await expect.poll(() => card(p).getByRole('status').textContent()).toContain('That didn’t quite work');
  });

  it('loads nothing from another origin', async () => {
    mock = await startMock();
    const context = await browser.newContext();
    page = await context.newPage();
    const foreign: string[] = [];
    page.on('request', (r) => !r.url().startsWith(mock!.url) && foreign.push(r.url()));
    await page.goto(mock.url, { waitUntil: 'networkidle' });
    expect(foreign).toEqual([]);
  });
});

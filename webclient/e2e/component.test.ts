// The component in every state, language and size, read by axe; and its manners with the camera. Against a scripted
// server; the pictures in test-results/ are to be looked at.
import { existsSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { catalogue, languages } from '../src/liveness/words';
import { en } from '../src/liveness/words/en';
import { overflow, violations } from './support/axe';
import { askPerson, cameras, launch, open, press, reach } from './support/browser';
import { startMock, type Mock, type MockPeer } from './support/mock';
import { media, nobody, result } from './support/paths';

let browser: Browser;
let mock: Mock | undefined;
let page: Page | undefined;
let peer: MockPeer;

beforeAll(async () => {
  const person = media('person_A_640x480.mjpeg');
  browser = await launch({ file: existsSync(person) ? person : nobody() });
});
afterEach(async () => {
  await page?.context().close();
  await mock?.close();
  page = mock = undefined;
});
afterAll(() => browser?.close());

async function visit(context: Parameters<typeof open>[2] = {}, path = '', by = browser): Promise<Page> {
  mock = await startMock();
  page = await open(by, mock.url + path, context);
  return page;
}

const card = (p: Page) => p.locator('liveness-check');
const progress = (scored: number) => peer.send({ type: 'progress', fraction: scored / 10, scored, needed: 10 });

/** Presses start and waits until the server has everything; the session does not stream yet. */
async function connect(p: Page, allow: () => Promise<void> = async () => undefined): Promise<void> {
  const attempt = mock!.peers.length;
  await press(p);
  await allow();
  await expect.poll(() => mock!.peers[attempt]?.types(), { timeout: 20_000 }).toContain('settings');
  peer = mock!.peers[attempt]!;
}

async function stream(p: Page): Promise<void> {
  await connect(p);
  peer.send({ type: 'state', state: 'streaming' });
  await reach(p, ['positioning']);
}

/** A challenge that does not begin before the test is over. */
const waiting = {
  id: '0af7651916cd43dd8448eb211c80319c',
  kind: 'flash',
  attempt: 1,
  begins_in: 50,
  duration: 3.2,
  colours: [
    { at: 0, colour: '#9b9b9b' },
    { at: 0.14, colour: '#ff6e6e' },
  ],
};

/** Goes through every state, and calls back in each. */
async function everyState(p: Page, then: (state: string) => Promise<void>): Promise<void> {
  const end = async (message: Record<string, unknown>, state: string) => {
    peer.send(message);
    await reach(p, [state]);
    await then(state);
    await stream(p);
  };
  await then('idle');
  const allow = await askPerson(p);
  await connect(p, async () => {
    await reach(p, ['permission']);
    await then('permission');
    await allow();
  });
  await then('connecting');
  peer.send({ type: 'state', state: 'streaming' });
  await reach(p, ['positioning']);
  peer.send({ type: 'hint', reason: 'low_bitrate' });
  await p.locator('liveness-check[data-hint=low_bitrate]').waitFor({ state: 'attached' });
  await then('positioning');
  peer.send({ type: 'challenge', challenge: waiting });
  await reach(p, ['challenge']);
  await then('challenge');
  await end({ type: 'decided', result: 'pass', reasons: [] }, 'passed');
  await end({ type: 'decided', result: 'retry', reasons: ['score_undecided'] }, 'retry');
  await end({ type: 'decided', result: 'fail', reasons: [] }, 'failed');
  peer.send({ type: 'hint', reason: '' });
  progress(6);
  await reach(p, ['checking']);
  await then('checking');
  peer.drop();
  await reach(p, ['error']);
  await then('error');
}

/** The title that the person reads, and what it has to be. */
const title = (p: Page, state: string) =>
  card(p)
    .locator(state === 'challenge' ? '.screen h2' : 'h2[part=title]')
    .textContent();
function titleOf(lang: string, state: string): string {
  const { states, errors } = catalogue(lang);
  return (state === 'error' ? errors.connection_lost : states[state as keyof typeof states]).title;
}

describe('every state', () => {
  const states = [...Object.keys(en.states), 'error']; // the type checker refuses words that lack a state
  const looks = [320, 1280].flatMap((width) => (['light', 'dark'] as const).map((colorScheme) => ({ width, colorScheme })));
  it.each(looks)('$width px, $colorScheme, in three languages: axe finds nothing, nothing overflows', async ({ width, colorScheme }) => {
    const look = { viewport: { width, height: width === 320 ? 720 : 860 }, colorScheme, reducedMotion: 'reduce' as const };
    const p = await visit(look, 'playground.html');
    const seen: string[] = [];
    await everyState(p, async (state) => {
      seen.push(state);
      for (const lang of ['en', 'de', 'ar']) {
        await p.getByLabel('Language of the page').selectOption(lang);
        const name = `${width}-${colorScheme}-${lang}-${state}`;
        await expect.poll(() => title(p, state), { message: name }).toBe(titleOf(lang, state));
        await p.evaluate(() => scrollTo(0, 0));
        await p.screenshot({ path: result(`component-${name}.png`) });
        expect(await violations(p), name).toEqual([]);
        expect(await overflow(p), name).toBeLessThanOrEqual(0);
      }
    });
    expect(seen.sort()).toEqual(states.sort());
  });

  it.each([320, 1280])('%d px, in every language: nothing is cut off', async (width) => {
    const p = await visit({ viewport: { width, height: 720 } }, 'playground.html');
    await stream(p);
    peer.send({ type: 'hint', reason: 'low_bitrate' });
    await p.locator('liveness-check[data-hint=low_bitrate]').waitFor({ state: 'attached' });
    for (const lang of languages) {
      await p.evaluate((to) => Object.assign(document.documentElement, { lang: to, dir: to === 'ar' ? 'rtl' : 'ltr' }), lang);
      await expect.poll(() => title(p, 'positioning')).toBe(titleOf(lang, 'positioning'));
      await p.screenshot({ path: result(`component-${width}-${lang}-hint.png`) });
      expect(await overflow(p), lang).toBeLessThanOrEqual(0);
      const cut = await card(p).evaluate((el) => {
        const stage = el.shadowRoot!.querySelector('.stage')!.getBoundingClientRect();
        const hint = el.shadowRoot!.querySelector('.hint')!.getBoundingClientRect();
        const outside = hint.left < stage.left || hint.right > stage.right || hint.bottom > stage.bottom;
        const clipped = [...el.shadowRoot!.querySelectorAll('.main, h2, .hint')].filter((e) => e.scrollWidth > e.clientWidth);
        return [...(outside ? ['hint outside'] : []), ...clipped.map((e) => e.textContent)];
      });
      expect(cut, lang).toEqual([]);
    }
  });

  it('text twice as large: nothing overflows, the words grow', async () => {
    const p = await visit({ viewport: { width: 320, height: 900 } }, 'playground.html?lang=de');
    const size = () => card(p).evaluate((el) => parseFloat(getComputedStyle(el.shadowRoot!.querySelector('h2')!).fontSize));
    const before = await size();
    await p.evaluate(() => (document.documentElement.style.fontSize = '32px'));
    expect(await size()).toBeCloseTo(2 * before, 1);
    await p.screenshot({ path: result('component-320-twice.png') });
    const inside = await card(p).evaluate((el) => {
      const box = el.shadowRoot!.querySelector('.card')!;
      return box.scrollWidth - box.clientWidth;
    });
    expect(inside).toBeLessThanOrEqual(0);
  });
});

describe('the challenge by movement', () => {
  const turn = {
    id: '1af7651916cd43dd8448eb211c80319c',
    kind: 'turn',
    attempt: 2,
    begins_in: 0.3,
    duration: 50,
    steps: [
      { at: 0, movement: 'left' },
      { at: 48, movement: 'nod' },
    ],
  };
  const looks = [
    { width: 320, height: 640, lang: 'en' },
    { width: 320, height: 640, lang: 'de' },
    { width: 320, height: 640, lang: 'ar' },
    { width: 1280, height: 860, lang: 'en' },
  ];
  it.each(looks)('$width px, $lang: an arrow and spoken words, nothing overflows, axe finds nothing', async ({ width, height, lang }) => {
    const p = await visit({ viewport: { width, height }, reducedMotion: 'reduce' }, `?lang=${lang}`);
    await stream(p);
    peer.send({ type: 'challenge', challenge: turn });
    const dialog = p.getByRole('dialog', { name: catalogue(lang).turn.title, exact: true });
    await dialog.waitFor();
    const spoken = card(p).locator('.screen-step p[aria-live=assertive]');
    await expect.poll(() => spoken.textContent()).toBe(`${catalogue(lang).turn.left} 1/2`);
    await p.screenshot({ path: result(`turn-${width}-${lang}.png`) });
    expect(await dialog.boundingBox()).toMatchObject({ x: 0, y: 0, width, height });
    expect(await dialog.evaluate((e) => [e.scrollWidth > e.clientWidth, e.scrollHeight > e.clientHeight])).toEqual([false, false]);
    const arrow = card(p).locator('.screen-step svg');
    expect(await arrow.evaluate((e) => getComputedStyle(e).animationName)).toBe('none');
    const [left, right] = await arrow.locator('path').evaluate((e) => {
      const d = e.getAttribute('d') ?? '';
      return [d.startsWith('M21 12H3'), getComputedStyle(e.closest('svg')!).transform];
    });
    expect([left, right]).toEqual([true, 'none']); // to the left in every direction of writing
    expect(await violations(p)).toEqual([]);
    await p.keyboard.press('Escape');
    await reach(p, ['idle']);
    expect(await dialog.isVisible()).toBe(false);
    await expect.poll(() => peer.types()).toContain('bye');
  });

  it('follows the page’s language, and the camera that takes the place of one that ended', async () => {
    const p = await visit();
    await stream(p);
    peer.send({ type: 'challenge', challenge: turn });
    const spoken = card(p).locator('.screen-step p[aria-live=assertive]');
    await expect.poll(() => spoken.textContent()).toBe(`${en.turn.left} 1/2`);
    await p.evaluate(() => (document.documentElement.lang = 'de'));
    await expect.poll(() => spoken.textContent()).toBe(`${catalogue('de').turn.left} 1/2`);
    expect(await title(p, 'challenge')).toBe(catalogue('de').turn.title);
    await p.evaluate(() => {
      const track = (window as unknown as { testTracks: MediaStreamTrack[] }).testTracks.at(-1)!;
      track.stop();
      track.dispatchEvent(new Event('ended'));
    });
    await expect.poll(() => cameras(p)).toEqual({ given: 2, live: 1 });
    const shown = () =>
      card(p)
        .locator('.screen video')
        .evaluate((v) => ((v as HTMLVideoElement).srcObject as MediaStream).getTracks().map((t) => t.readyState));
    await expect.poll(shown).toEqual(['live']);
    expect(await card(p).getAttribute('data-state')).toBe('challenge');
  });

  it('moves the arrow where the system does not ask for reduced motion, and a further try says what to change', async () => {
    const p = await visit();
    await stream(p);
    peer.send({ type: 'challenge', challenge: turn });
    await p.getByRole('dialog', { name: en.turn.title, exact: true }).waitFor();
    expect(await card(p).locator('#screen-text').textContent()).toBe(en.turn.again);
    expect(
      await card(p)
        .locator('.screen-step svg')
        .evaluate((e) => getComputedStyle(e).animationName),
    ).toBe('screen-nudge');
    peer.send({ type: 'challenge', challenge: { ...turn, id: '2af7651916cd43dd8448eb211c80319c', attempt: 1, begins_in: 50 } });
    await expect.poll(() => card(p).locator('#screen-text').textContent()).toBe(en.turn.text);
    expect((await card(p).locator('.screen-step p').textContent())?.trim()).toBe(''); // the first step is not told before its time
  });
});

describe('words', () => {
  it('follow the page while a hint is shown, and an unknown language is marked English', async () => {
    const p = await visit();
    await connect(p);
    peer.send({ type: 'state', state: 'streaming' });
    peer.send({ type: 'hint', reason: 'too_dark' });
    await p.locator('liveness-check[data-hint=too_dark]').waitFor({ state: 'attached' });
    await p.evaluate(() => (document.documentElement.lang = 'ja'));
    await expect.poll(() => card(p).locator('.hint').textContent()).toContain('暗すぎます');
    await p.evaluate(() => (document.documentElement.lang = 'nl'));
    await expect.poll(() => card(p).locator('.card').getAttribute('lang')).toBe('en');
    expect(await card(p).locator('.hint').textContent()).toContain('too dark');
  });

  it('slots take the place of the words, and axe finds nothing', async () => {
    const p = await visit({}, 'playground.html');
    await p.getByLabel('slots of the page').check();
    await p.getByText('One moment for you.', { exact: true }).waitFor();
    expect(
      await card(p)
        .locator('h2[part=title]')
        .evaluate((el) => el.getBoundingClientRect().height),
    ).toBeLessThanOrEqual(1);
    await p.screenshot({ path: result('component-slots.png') });
    expect(await violations(p)).toEqual([]);
  });
});

describe('the session', () => {
  /** A backend of another origin, which knows people by a cookie and wants a header of the page. */
  async function startBackend(origin: string, signalUrl: string): Promise<{ backend: Mock; asked: string[] }> {
    const asked: string[] = [];
    const backend = await startMock({
      routes: (req, res) => {
        res.setHeader('Access-Control-Allow-Origin', origin);
        res.setHeader('Access-Control-Allow-Credentials', 'true');
        res.setHeader('Access-Control-Allow-Headers', 'content-type, x-csrf');
        if (req.method === 'POST') asked.push(`${String(req.headers['x-csrf'])} ${String(req.headers.cookie)}`);
        const known = req.headers.cookie === 'person=7';
        const made = { id: `S${asked.length}`, client_token: 'token', signal_url: signalUrl };
        res.writeHead(req.method === 'OPTIONS' ? 204 : known ? 201 : 401).end(JSON.stringify(known ? made : {}));
        return true;
      },
    });
    return { backend, asked };
  }

  it('of another origin: with cookies and headers when the page says so; else its 401 is told as the backend’s', async () => {
    const p = await visit();
    const signalUrl = `${mock!.url.replace('http', 'ws')}v1/sessions/S/signal`;
    const { backend, asked } = await startBackend(new URL(mock!.url).origin, signalUrl);
    try {
      await p.context().addCookies([{ name: 'person', value: '7', url: backend.url }]);
      await card(p).evaluate((el, url) => Object.assign(el, { sessionUrl: url, headers: () => ({ 'X-CSRF': 'c' }) }), backend.url);
      await press(p);
      await reach(p, ['error']);
      expect(await card(p).getAttribute('data-error')).toBe('backend_unauthorized');
      await card(p).getByText(en.errors.backend_unauthorized.title).first().waitFor();
      await card(p).evaluate((el) => Object.assign(el, { credentials: 'include' }));
      await connect(p);
      expect(asked).toEqual(['c undefined', 'c person=7']);
      expect(await card(p).getAttribute('data-session-id')).toBe('S2');
    } finally {
      await backend.close();
    }
  });

  it('of the page’s own: getSession, then a ready one, which is good for one check', async () => {
    const p = await visit();
    await card(p).evaluate((el) => {
      const made = (id: string) => ({ id, client_token: 'token', signal_url: `/v1/sessions/${id}/signal` });
      Object.assign(el, { sessionUrl: '', getSession: async () => Response.json(made('GOT')) });
      Object.assign(window, { made });
    });
    await connect(p);
    expect(await card(p).getAttribute('data-session-id')).toBe('GOT');
    await press(p);
    await reach(p, ['idle']);
    await card(p).evaluate((el) => {
      const { made } = window as unknown as { made: (id: string) => object };
      Object.assign(el, { getSession: null, session: made('READY') });
    });
    await stream(p);
    expect(await card(p).getAttribute('data-session-id')).toBe('READY');
    peer.send({ type: 'decided', result: 'retry', reasons: [] });
    await reach(p, ['retry']);
    expect(await card(p).getByRole('button').count()).toBe(0);
  });
});

describe('the camera', () => {
  const happens = (p: Page, type: string) =>
    p.evaluate((name) => {
      const track = (window as unknown as { testTracks: MediaStreamTrack[] }).testTracks.at(-1)!;
      if (name === 'ended') track.stop();
      track.dispatchEvent(new Event(name));
    }, type);

  it('a call mutes it, then takes it: the person is told, and the check goes on with a new one', async () => {
    const p = await visit();
    await stream(p);
    await happens(p, 'mute');
    await p.locator('liveness-check[data-hint=camera_paused]').waitFor({ state: 'attached' });
    await happens(p, 'unmute');
    await p.locator('liveness-check:not([data-hint])').waitFor({ state: 'attached' });
    await happens(p, 'ended');
    await expect.poll(() => cameras(p)).toEqual({ given: 2, live: 1 });
    await expect.poll(() => peer.types().filter((t) => t === 'settings').length).toBe(2);
    const sent = await p.evaluate(() => {
      const { testPeers, testTracks } = window as unknown as { testPeers: RTCPeerConnection[]; testTracks: MediaStreamTrack[] };
      return testPeers.at(-1)!.getSenders()[0]!.track === testTracks.at(-1);
    });
    expect(sent).toBe(true);
    expect(await card(p).getAttribute('data-state')).toBe('positioning');
    expect(peer.received.filter((m) => m['type'] === 'settings').at(-1)).toMatchObject({
      requested: { frameRate: 15 },
      delivered: { width: 640, height: 480 },
    });
  });

  it('two of them: a list and a switch, by keyboard too', async () => {
    const two = await launch({ count: 2 });
    try {
      const p = await visit({}, '', two);
      await connect(p);
      peer.send({ type: 'state', state: 'streaming' });
      await reach(p, ['positioning']);
      const list = card(p).getByRole('combobox', { name: 'Camera' });
      await list.waitFor();
      expect(await list.locator('option').count()).toBe(2);
      const chosen = () => list.evaluate((el) => (el as HTMLSelectElement).selectedIndex);
      expect(await chosen()).toBe(0);
      await card(p).getByRole('button', { name: 'Switch camera' }).press('Enter');
      await expect.poll(chosen).toBe(1);
      await expect.poll(() => cameras(p)).toEqual({ given: 2, live: 1 });
      await p.screenshot({ path: result('component-two-cameras.png') });
      expect(await violations(p)).toEqual([]);
      progress(3);
      await reach(p, ['checking']);
      expect(await list.isVisible()).toBe(false);
    } finally {
      await two.close();
    }
  });

  it('is off after leaving the page and coming back', async () => {
    const cached = await launch({ file: nobody(), backForwardCache: true });
    try {
      const p = await visit({}, '', cached);
      await stream(p);
      await p.evaluate(() => Object.assign(window, { sameDocument: true }));
      await p.goto(`${mock!.url}playground.html`);
      await expect.poll(() => peer.types()).toContain('bye');
      await p.goBack({ waitUntil: 'commit' }); // no load event comes from the cache
      await card(p).waitFor();
      const restored = await p.evaluate(() => 'sameDocument' in window);
      console.log(restored ? 'restored from the back-forward cache' : 'loaded again');
      expect(await card(p).getAttribute('data-state')).toBe(restored ? 'error' : 'idle');
      expect((await cameras(p)).live).toBe(0);
      await stream(p);
      expect((await cameras(p)).live).toBe(1);
    } finally {
      await cached.close();
    }
  });
});

// The element with fake camera, socket and peer: every way a check can end
// leaves the camera released. The browser tests show the same with real ones.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LivenessCheck } from './element';
import './auto';
import { define } from './index';
import { FakePeerConnection, FakeSocket, fakeStream } from './testing';

const former = ['statechange', 'livenessresult', 'livenesssample'] as const;
const all = [
  ...former,
  'liveness-state',
  'liveness-hint',
  'liveness-result',
  'liveness-error',
  'liveness-camera',
  'liveness-sample',
] as const;

const getUserMedia = vi.fn<MediaDevices['getUserMedia']>();
let streams: MediaStream[];
let check: LivenessCheck;
let seen: [string, Record<string, unknown>][];

beforeEach(() => {
  streams = [];
  seen = [];
  vi.stubGlobal('isSecureContext', true);
  vi.stubGlobal('RTCPeerConnection', FakePeerConnection);
  vi.stubGlobal('WebSocket', FakeSocket);
  Element.prototype.scrollIntoView = () => undefined; // jsdom has none
  const session = { id: 'S', client_token: 'T', ice_servers: [], signal_url: 'ws://h/signal' };
  vi.stubGlobal(
    'fetch',
    vi.fn(async () => new Response(JSON.stringify(session), { status: 201 })),
  );
  getUserMedia.mockReset().mockImplementation(async () => streams[streams.push(fakeStream()) - 1]!);
  Object.defineProperty(navigator, 'mediaDevices', { configurable: true, value: { getUserMedia } });
  check = document.createElement('liveness-check');
  check.setAttribute('session-url', '/s');
  for (const type of all) {
    check.addEventListener(type, (e) => seen.push([type, e.detail as unknown as Record<string, unknown>]));
  }
  document.body.append(check);
});
afterEach(() => {
  check.remove();
  FakeSocket.reset();
  vi.unstubAllGlobals();
  Reflect.deleteProperty(navigator, 'mediaDevices');
});

async function stream(): Promise<FakeSocket> {
  const sockets = FakeSocket.count();
  check.start();
  await vi.waitFor(() => expect(FakeSocket.count()).toBe(sockets + 1));
  const socket = FakeSocket.last();
  socket.accept('liveproof.v1');
  await vi.waitFor(() => expect(socket.sent.length).toBeGreaterThan(0));
  socket.deliver({ type: 'state', state: 'streaming' });
  expect(check.state).toBe('positioning');
  return socket;
}

const live = () => streams.flatMap((s) => s.getTracks()).filter((t) => t.readyState === 'live').length;
const shown = () => check.shadowRoot!.querySelector('video')!.srcObject ?? null;

describe('the camera is released', () => {
  const decide = (result: string) => (s: FakeSocket) => s.deliver({ type: 'decided', result, reasons: ['deadline'] });
  it.each<[string, string, (s: FakeSocket) => void]>([
    ['passed', 'passed', decide('pass')],
    ['retry', 'retry', decide('retry')],
    ['failed', 'failed', decide('fail')],
    ['error: malformed message', 'error', (s) => s.deliver('{')],
    ['error: channel lost', 'error', (s) => s.drop(1006)],
    ['error: ICE failed', 'error', () => FakePeerConnection.last().become('failed')],
    ['error: page left', 'error', () => window.dispatchEvent(new Event('pagehide'))],
    ['cancelled', 'idle', () => check.cancel()],
    ['removed from the page', 'idle', () => check.remove()],
  ])('%s', async (_name, state, end) => {
    const socket = await stream();
    expect(live()).toBe(1);
    end(socket);
    expect(check.state).toBe(state);
    expect(check.dataset['state']).toBe(state);
    expect(live()).toBe(0);
    expect(shown()).toBeNull();
    expect(FakePeerConnection.last().connectionState).toBe('closed');
    expect(socket.readyState).toBe(3);
  });

  it('error: camera unplugged', async () => {
    await stream();
    getUserMedia.mockRejectedValue(new DOMException('', 'NotFoundError'));
    streams[0]!.getTracks()[0]!.dispatchEvent(new Event('ended'));
    await vi.waitFor(() => expect(check.dataset['error']).toBe('camera_lost'));
    expect(live()).toBe(0);
    expect(shown()).toBeNull();
  });

  it('and stays released when the page comes back from the back-forward cache', async () => {
    await stream();
    window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }));
    window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));
    expect(check.dataset['error']).toBe('interrupted');
    expect(live()).toBe(0);
    await stream();
    expect(live()).toBe(1);
  });

  it('not when the element is moved as a whole', async () => {
    await stream();
    check.connectedMoveCallback();
    expect(check.state).toBe('positioning');
    expect(live()).toBe(1);
  });

  it('when cancel comes before the camera', async () => {
    check.start();
    check.cancel();
    await vi.waitFor(() => expect(streams).toHaveLength(1));
    await vi.waitFor(() => expect(live()).toBe(0));
    expect(check.state).toBe('idle');
    expect(FakeSocket.count()).toBe(0);
  });
});

describe('events', () => {
  it('tell states and result, never a score', async () => {
    const socket = await stream();
    socket.deliver({ type: 'hint', reason: 'no_face' });
    socket.deliver({ type: 'decided', result: 'fail', reasons: ['score_below_threshold'], verdict: 'spoof', score: 0.02 });
    expect(seen.filter(([t]) => t === 'statechange').map(([, d]) => d['state'])).toEqual([
      'permission',
      'connecting',
      'positioning',
      'failed',
    ]);
    expect(seen.filter(([t]) => t === 'livenessresult').at(-1)).toEqual([
      'livenessresult',
      { result: 'fail', reasons: ['score_below_threshold'], sessionId: 'S' },
    ]);
    expect(JSON.stringify(seen)).not.toContain('0.02');
    const [states, results] = ['liveness-state', 'liveness-result'].map((type) => seen.filter(([t]) => t === type).map(([, d]) => d));
    expect(states).toEqual(seen.filter(([t]) => t === 'statechange').map(([, d]) => d));
    expect(results).toEqual([{ result: 'fail', reasons: ['score_below_threshold'], sessionId: 'S' }]);
    expect(seen.filter(([t]) => t === 'liveness-hint').map(([, d]) => d)).toEqual([
      { hint: 'no_face', text: 'Move your face into the oval.', sessionId: 'S' },
      { hint: '', text: '', sessionId: 'S' },
    ]);
  });

  it('an error comes with its words, and with what a developer needs', async () => {
    vi.mocked(fetch).mockImplementation(async () => new Response('{}', { status: 403 }));
    vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    check.start();
    await vi.waitFor(() => expect(check.state).toBe('error'));
    expect(seen.at(-1)).toEqual([
      'liveness-error',
      {
        error: 'backend_forbidden',
        title: 'This check is not open to you',
        text: expect.stringContaining('account') as unknown,
        message: 'HTTP 403',
        sessionId: '',
      },
    ]);
  });

  it('the camera tells what it was asked for and what it gives', async () => {
    await stream();
    await vi.waitFor(() => expect(seen.map(([t]) => t)).toContain('liveness-camera'));
    const settings = { width: 640, height: 480, frameRate: 15 };
    expect(seen.find(([t]) => t === 'liveness-camera')?.[1]).toMatchObject({ requested: settings, delivered: settings, cameras: [] });
  });

  it('a listener may start the next check at once', async () => {
    const socket = await stream();
    check.addEventListener('liveness-state', (e) => e.detail.state === 'retry' && check.start(), { once: false });
    socket.deliver({ type: 'decided', result: 'retry', reasons: [] });
    expect(check.state).toBe('permission');
    await vi.waitFor(() => expect(live()).toBe(1));
  });

  it('samples only when the server sends them', async () => {
    const socket = await stream();
    expect(seen.some(([t]) => t === 'livenesssample')).toBe(false);
    socket.deliver({ type: 'sample', seq: 1, t: 0, scored: true, rho: 0.9, weight: 1, smoothed: 0.9, track: 1, threshold: 0.5 });
    expect(seen.at(-1)).toMatchObject(['livenesssample', { rho: 0.9 }]);
  });
});

describe('retry', () => {
  it('starts over with a new session and a new camera, and old messages mean nothing', async () => {
    const first = await stream();
    first.deliver({ type: 'decided', result: 'retry', reasons: ['no_face'] });
    await stream();
    first.deliver({ type: 'decided', result: 'pass', reasons: [] });
    expect(check.state).toBe('positioning');
    expect(streams).toHaveLength(2);
    expect(live()).toBe(1);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it('start while running does nothing', async () => {
    await stream();
    check.start();
    expect(check.state).toBe('positioning');
    expect(streams).toHaveLength(1);
  });
});

describe('words', () => {
  const text = (selector: string) => check.shadowRoot!.querySelector(selector)!.textContent;
  const button = () => check.shadowRoot!.querySelector<HTMLButtonElement>('.main')!;

  it('follow the nearest lang attribute', () => {
    check.lang = 'de';
    expect(button().textContent).toBe('Prüfung starten');
    check.lang = 'en';
    expect(button().textContent).toBe('Start camera check');
  });

  it('follow changes around the element, and say where they are English', async () => {
    const card = () => check.shadowRoot!.querySelector<HTMLElement>('.card')!;
    const shows = (lang: string, dir: string, start: string) =>
      vi.waitFor(() => expect([card().lang, card().dir, button().textContent]).toEqual([lang, dir, start]));
    try {
      document.documentElement.lang = 'fr';
      await shows('fr', 'ltr', 'Démarrer le contrôle');
      document.body.lang = 'ar-EG';
      await shows('ar', 'rtl', 'بدء التحقق');
      document.body.lang = 'nl';
      await shows('en', 'ltr', 'Start camera check');
    } finally {
      document.documentElement.removeAttribute('lang');
      document.body.removeAttribute('lang');
    }
    await shows('en', 'ltr', 'Start camera check');
  });

  it('follow the language outside of a shadow root', async () => {
    const host = document.createElement('div');
    document.body.append(host);
    host.attachShadow({ mode: 'open' }).append(check);
    host.lang = 'it';
    await vi.waitFor(() => expect(button().textContent).toBe('Avvia la verifica'));
    host.remove();
  });

  it('the page’s own come first, also by a function of the language', () => {
    check.texts = { start: 'Go' };
    expect(button().textContent).toBe('Go');
    check.texts = (lang) => ({ start: `Go in ${lang}` });
    check.lang = 'de';
    expect(button().textContent).toBe('Go in de');
    check.texts = null;
    expect(button().textContent).toBe('Prüfung starten');
  });

  it.each([
    ['start', 'idle', async () => undefined],
    ['result', 'failed', async () => (await stream()).deliver({ type: 'decided', result: 'fail', reasons: [] })],
    ['error', 'error', async () => (await stream()).drop(1006)],
  ])('slot %s takes the place of the words in %s', async (slot, state, reach) => {
    const card = () => check.shadowRoot!.querySelector<HTMLElement>('.card')!.dataset['slot'];
    check.innerHTML = `<p slot="${slot}">Ours</p>`;
    await reach();
    expect(check.state).toBe(state);
    await vi.waitFor(() => expect(card()).toBe(slot));
    check.start();
    expect(card()).toBe('');
  });

  it('an error says what mends it', async () => {
    vi.stubGlobal('isSecureContext', false);
    vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    check.start();
    await vi.waitFor(() => expect(check.dataset['error']).toBe('insecure_context'));
    expect(text('p')).toContain('https://');
    expect(text('[role=status]')).toContain('This page is not secure');
  });

  it('one hint at a time, spoken too', async () => {
    const socket = await stream();
    socket.deliver({ type: 'hint', reason: 'too_dark' });
    expect(text('.hint')).toContain('too dark');
    expect(text('[role=status]')).toContain('too dark');
    expect(check.dataset['hint']).toBe('too_dark');
  });

  it('after a pass nothing more is offered, unless allowed', async () => {
    const socket = await stream();
    socket.deliver({ type: 'decided', result: 'pass', reasons: [] });
    expect(button().hidden).toBe(true);
    check.setAttribute('allow-repeat', '');
    expect(button().hidden).toBe(false);
  });

  it('Escape cancels', async () => {
    await stream();
    button().dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
    expect(check.state).toBe('idle');
  });
});

describe('sessions', () => {
  it('a session of the page’s own is good for one check', async () => {
    check.removeAttribute('session-url');
    check.session = { id: 'MINE', client_token: 'T', signal_url: 'ws://h/signal' };
    const socket = await stream();
    expect(check.session).toBeNull();
    socket.deliver({ type: 'decided', result: 'retry', reasons: [] });
    expect(seen.filter(([t]) => t === 'liveness-result').at(-1)?.[1]).toMatchObject({ sessionId: 'MINE' });
    const button = check.shadowRoot!.querySelector<HTMLButtonElement>('.main')!;
    expect(button.hidden).toBe(true);
    check.session = { id: 'NEXT', client_token: 'T', signal_url: 'ws://h/signal' };
    expect(button.hidden).toBe(false);
    await stream();
    expect(fetch).not.toHaveBeenCalled();
  });

  it('a session that was not used is kept', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    check.session = { id: 'MINE', client_token: 'T', signal_url: 'ws://h/signal' };
    getUserMedia.mockRejectedValueOnce(new DOMException('', 'NotAllowedError'));
    check.start();
    await vi.waitFor(() => expect(check.dataset['error']).toBe('permission_denied'));
    expect(check.session.id).toBe('MINE');
  });

  it('getSession, credentials and headers are used', async () => {
    check.credentials = 'include';
    check.headers = { 'X-CSRF': '7' };
    await stream();
    expect(vi.mocked(fetch).mock.calls[0]?.[1]).toMatchObject({ credentials: 'include' });
    check.cancel();
    check.getSession = vi.fn(() => ({ id: 'GOT', client_token: 'T', signal_url: 'ws://h/signal' }));
    await stream();
    expect(check.dataset['sessionId']).toBe('GOT');
    expect(fetch).toHaveBeenCalledOnce();
  });

  it('an element without any way to a session says so', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    check.removeAttribute('session-url');
    check.start();
    await vi.waitFor(() => expect(check.dataset['error']).toBe('not_configured'));
    expect(live()).toBe(0);
  });

  it('properties set before the element is defined count', () => {
    const holder = document.createElement('div');
    holder.innerHTML = '<early-check></early-check>';
    document.body.append(holder);
    const early = holder.firstElementChild as LivenessCheck;
    Object.assign(early, { texts: { start: 'Early' }, sessionUrl: '/early', allowRepeat: true });
    define('early-check');
    expect(early.shadowRoot!.querySelector('.main')!.textContent).toBe('Early');
    expect(early.getAttribute('session-url')).toBe('/early');
    expect(early.hasAttribute('allow-repeat')).toBe(true);
    holder.remove();
  });
});

describe('cameras', () => {
  const videoinput = (deviceId: string) => ({ kind: 'videoinput', deviceId, label: `Camera ${deviceId}` });
  const open = (settings: object) => async () => streams[streams.push(fakeStream({ settings })) - 1]!;
  const asked = () => getUserMedia.mock.calls.at(-1)?.[0]?.video;
  const box = () => check.shadowRoot!.querySelector<HTMLElement>('.cameras')!;

  function devices(settings: object, ids = ['a', 'b']) {
    Object.assign(navigator.mediaDevices, { enumerateDevices: async () => ids.map(videoinput) });
    getUserMedia.mockImplementation(open(settings));
  }

  it('one camera: no controls', async () => {
    devices({}, ['a']);
    await stream();
    await vi.waitFor(() => expect(seen.map(([t]) => t)).toContain('liveness-camera'));
    expect(box().hidden).toBe(true);
  });

  it('a phone: the switch leads to the other side, the picture is a mirror only in front', async () => {
    devices({ facingMode: 'user' });
    const socket = await stream();
    await vi.waitFor(() => expect(box().hidden).toBe(false));
    const card = check.shadowRoot!.querySelector('.card')!;
    expect(card.hasAttribute('data-mirrored')).toBe(true);
    devices({ facingMode: 'environment' });
    box().querySelector('button')!.click();
    await vi.waitFor(() => expect(streams).toHaveLength(2));
    expect(asked()).toMatchObject({ facingMode: 'environment' });
    await vi.waitFor(() => expect(card.hasAttribute('data-mirrored')).toBe(false));
    expect(live()).toBe(1);
    expect(FakePeerConnection.last().sent).toEqual([streams[1]!.getTracks()[0]!.id]);
    expect(socket.sent.filter((m) => m.includes('settings'))).toHaveLength(2);
    socket.deliver({ type: 'progress', fraction: 0.5, scored: 5, needed: 10 });
    expect(box().hidden).toBe(true); // another camera would restart the evidence
  });

  it('a desktop: the switch leads to the next, the list to any, and the choice is kept', async () => {
    devices({ deviceId: 'a' });
    await stream();
    await vi.waitFor(() => expect(box().hidden).toBe(false));
    const list = box().querySelector('select')!;
    expect([...list.options].map((o) => [o.textContent, o.selected])).toEqual([
      ['Camera a', true],
      ['Camera b', false],
    ]);
    check.switchCamera();
    await vi.waitFor(() => expect(asked()).toMatchObject({ deviceId: { exact: 'b' } }));
    await vi.waitFor(() => expect(live()).toBe(1));
    list.value = 'a';
    list.dispatchEvent(new Event('change'));
    await vi.waitFor(() => expect(asked()).toMatchObject({ deviceId: { exact: 'a' } }));
    await vi.waitFor(() => expect(live()).toBe(1));
    check.cancel();
    await stream();
    expect(asked()).toMatchObject({ deviceId: { exact: 'a' } });
  });

  it('facing says which camera to begin with', async () => {
    check.facing = 'environment';
    await stream();
    expect(asked()).toMatchObject({ facingMode: 'environment' });
  });
});

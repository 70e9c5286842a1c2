// The element with fake camera, socket and peer: every way a check can end
// leaves the camera released. The browser tests show the same with real ones.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LivenessCheck } from './element';
import './index';
import { FakePeerConnection, FakeSocket, fakeStream } from './testing';

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
  const getUserMedia = vi.fn(async () => streams[streams.push(fakeStream()) - 1]);
  Object.defineProperty(navigator, 'mediaDevices', { configurable: true, value: { getUserMedia } });
  check = document.createElement('liveness-check');
  check.setAttribute('session-url', '/s');
  for (const type of ['statechange', 'livenessresult', 'livenesssample'] as const) {
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
    ['error: camera unplugged', 'error', () => streams[0]!.getTracks()[0]!.dispatchEvent(new Event('ended'))],
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
    socket.deliver({ type: 'decided', result: 'fail', reasons: ['score_below_threshold'], verdict: 'spoof', score: 0.02 });
    expect(seen.filter(([t]) => t === 'statechange').map(([, d]) => d['state'])).toEqual([
      'permission',
      'connecting',
      'positioning',
      'failed',
    ]);
    expect(seen.at(-1)).toEqual(['livenessresult', { result: 'fail', reasons: ['score_below_threshold'], sessionId: 'S' }]);
    expect(JSON.stringify(seen)).not.toContain('0.02');
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
  const button = () => check.shadowRoot!.querySelector('button')!;

  it('follow the nearest lang attribute', () => {
    check.lang = 'de';
    expect(button().textContent).toBe('Kameraprüfung starten');
    check.lang = 'en';
    expect(button().textContent).toBe('Start camera check');
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

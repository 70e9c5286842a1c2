import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Attempt, type Factories } from './attempt';
import { Camera } from './camera/camera';
import { LivenessError } from './errors';
import type { MachineEvent } from './machine';
import { FakePeerConnection, FakeSocket, fakeStream } from './testing';

const live = new AbortController().signal;
const session = { id: 'S', clientToken: 'T', iceServers: [], signalUrl: 'ws://h/signal' };

let stream: MediaStream;
let events: MachineEvent[];
let samples: unknown[];
let attempts: Attempt[];

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  stream = fakeStream();
  events = [];
  samples = [];
  attempts = [];
});
afterEach(() => {
  for (const a of attempts) a.close();
  vi.useRealTimers();
  vi.restoreAllMocks();
  FakeSocket.reset();
});

const camera = () => Camera.open(live, {}, { getUserMedia: async () => stream } as unknown as MediaDevices);

function attempt(make: Partial<Factories> = {}, light = true) {
  const a = new Attempt(
    { source: { url: '/s' }, camera: {}, codec: '', light, connectTimeout: 20_000, hiddenTimeout: 5_000 },
    { event: (e) => events.push(e), camera: () => undefined, sample: (s) => samples.push(s) },
    { openCamera: camera, obtainSession: async () => session, Socket: FakeSocket.type, PC: FakePeerConnection.type, ...make },
  );
  attempts.push(a);
  return a;
}

async function connected(make: Partial<Factories> = {}, light = true) {
  const a = attempt(make, light);
  const running = a.run();
  await vi.waitFor(() => expect(FakeSocket.count()).toBe(1));
  FakeSocket.last().accept('liveproof.v1');
  await running;
  return { a, socket: FakeSocket.last(), pc: FakePeerConnection.last() };
}

const released = () => stream.getTracks().every((t) => t.readyState === 'ended');
const faults = () => events.filter((e) => e.type === 'fault').map((e) => e.error);

describe('Attempt', () => {
  const challenge = {
    id: 'c',
    kind: 'flash',
    attempt: 1,
    begins_in: 1,
    duration: 3,
    colours: [
      { at: 0, colour: '#9b9b9b' },
      { at: 3, colour: '#9b9b9b' },
    ],
  };

  it('hands a challenge on', async () => {
    const { socket } = await connected();
    socket.deliver({ type: 'challenge', challenge });
    expect(events.at(-1)).toMatchObject({ type: 'challenge', challenge: { id: 'c' } });
  });

  it('declines a challenge by light where there is to be none', async () => {
    const { socket } = await connected({}, false);
    socket.deliver({ type: 'challenge', challenge });
    expect(JSON.parse(socket.sent.at(-1)!)).toEqual({ type: 'challenge', id: 'c', declined: true });
    expect(events.filter((e) => e.type === 'challenge')).toEqual([]);
  });

  it('sets up camera, session, channel and peer, then offers and tells the settings', async () => {
    const { socket } = await connected();
    expect(events).toEqual([{ type: 'camera-ready' }, { type: 'session-created', sessionId: 'S' }]);
    expect(socket.sent.map((m) => JSON.parse(m) as unknown)).toEqual([
      { type: 'offer', sdp: 'fake offer' },
      { type: 'settings', requested: { width: 640, height: 480, frameRate: 15 }, delivered: { width: 640, height: 480, frameRate: 15 } },
    ]);
  });

  it('follows a probe, says so, and restores the rate', async () => {
    const { socket, pc } = await connected();
    socket.deliver({ type: 'probe', probe: { frame_rate: 8, duration: 1 } });
    await vi.advanceTimersByTimeAsync(999);
    expect(pc.rates).toEqual([8]);
    expect(socket.sent.map((s) => JSON.parse(s) as unknown)).toContainEqual({ type: 'probe', able: true });
    await vi.advanceTimersByTimeAsync(1);
    expect(pc.rates).toEqual([8, 15]);
    expect(faults()).toEqual([]);
  });

  it('passes hints, progress, samples and the verdict on', async () => {
    const { socket, pc } = await connected();
    events = [];
    socket.deliver({ type: 'answer', sdp: 'answer' });
    socket.deliver({ type: 'state', state: 'streaming' });
    socket.deliver({ type: 'hint', reason: 'no_face' });
    socket.deliver({ type: 'sample', seq: 1, t: 0, scored: false, rho: 0, weight: 0, smoothed: 0, track: 0, threshold: 0.5 });
    socket.deliver({ type: 'decided', result: 'retry', reasons: ['no_face'] });
    expect(pc.log).toEqual(['answer']);
    expect(samples).toHaveLength(1);
    expect(events).toEqual([
      { type: 'streaming' },
      { type: 'hint', reason: 'no_face' },
      { type: 'decided', result: 'retry', reasons: ['no_face'] },
    ]);
  });

  it('close releases everything, twice, and silences what comes later', async () => {
    const { a, socket, pc } = await connected();
    events = [];
    a.close();
    a.close();
    socket.deliver({ type: 'decided', result: 'pass', reasons: [] });
    socket.drop(1006);
    vi.runAllTimers();
    expect(released()).toBe(true);
    expect(pc.connectionState).toBe('closed');
    expect(socket.sent.at(-1)).toBe('{"type":"bye"}');
    expect(events).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('close while the session is asked for releases the camera', async () => {
    let answer: (s: typeof session) => void = () => undefined;
    const a = attempt({ obtainSession: () => new Promise((resolve) => (answer = resolve)) });
    const running = a.run();
    await vi.waitFor(() => expect(events).toEqual([{ type: 'camera-ready' }]));
    a.close();
    answer(session);
    await running;
    expect(released()).toBe(true);
    expect(FakeSocket.count()).toBe(0);
  });

  it('close while the channel opens closes it as it opens', async () => {
    const a = attempt();
    const running = a.run();
    await vi.waitFor(() => expect(FakeSocket.count()).toBe(1));
    a.close();
    FakeSocket.last().accept('liveproof.v1');
    await running;
    expect(FakeSocket.last().readyState).toBe(WebSocket.CLOSED);
    expect(faults()).toEqual([]);
  });
});

describe('faults', () => {
  it('no camera', async () => {
    await attempt({ openCamera: () => Promise.reject(new LivenessError('no_camera')) }).run();
    expect(faults()).toEqual(['no_camera']);
  });

  it('what nobody foresaw is a server_error', async () => {
    await attempt({ obtainSession: () => Promise.reject(new Error('?')) }).run();
    expect(faults()).toEqual(['server_error']);
  });

  it('no streaming state in time', async () => {
    await connected();
    vi.advanceTimersByTime(20_000);
    expect(faults()).toEqual(['connect_timeout']);
  });

  it('streaming ends the wait', async () => {
    const { socket } = await connected();
    socket.deliver({ type: 'state', state: 'streaming' });
    vi.advanceTimersByTime(60_000);
    expect(faults()).toEqual([]);
  });

  it.each([
    ['the channel drops', 'connection_lost', (s: FakeSocket) => s.drop(1006)],
    ['a malformed message', 'protocol_error', (s: FakeSocket) => s.deliver('{')],
    ['the server reports an error', 'server_error', (s: FakeSocket) => s.deliver({ type: 'error', code: 'internal', detail: '' })],
    ['the server is full', 'service_busy', (s: FakeSocket) => s.deliver({ type: 'error', code: 'overloaded', detail: '' })],
  ])('%s: %s', async (_what, code, happen) => {
    const { socket } = await connected();
    happen(socket);
    expect(faults()).toEqual([code]);
  });

  it('an answer that the browser cannot read', async () => {
    const { socket, pc } = await connected();
    pc.setRemoteDescription = () => Promise.reject(new DOMException('', 'InvalidAccessError'));
    socket.deliver({ type: 'answer', sdp: 'x' });
    await vi.waitFor(() => expect(faults()).toEqual(['protocol_error']));
  });

  it('ICE fails before there is a connection', async () => {
    const { pc } = await connected();
    pc.become('failed');
    expect(faults()).toEqual(['connection_lost']);
  });

  it('a disconnection is a hint; when it lasts, ICE is restarted by a renewed offer, until that takes too long', async () => {
    const { pc, socket } = await connected();
    socket.deliver({ type: 'state', state: 'streaming' });
    const offers = () => socket.sent.map((m) => JSON.parse(m) as { type: string; sdp?: string }).filter((m) => m.type === 'offer');
    pc.become('connected');
    pc.become('disconnected');
    expect(events.at(-1)).toEqual({ type: 'hint', reason: 'connection_unstable' });
    pc.become('connected');
    expect(events.at(-1)).toEqual({ type: 'hint', reason: '' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(offers()).toHaveLength(1);
    pc.become('disconnected');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(offers().at(-1)?.sdp).toBe('renewed offer 1');
    pc.become('connecting');
    expect(events.at(-1)).toEqual({ type: 'hint', reason: 'connection_unstable' });
    socket.deliver({ type: 'candidate', candidate: { candidate: 'early' } });
    socket.deliver({ type: 'answer', sdp: 'renewed answer' });
    pc.become('connected');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(pc.log).toEqual(['renewed answer', 'early']);
    expect(faults()).toEqual([]);
    pc.become('failed');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(offers().at(-1)?.sdp).toBe('renewed offer 2');
    expect(faults()).toEqual(['connection_lost']);
  });

  it('the camera is unplugged', async () => {
    const openCamera = vi.fn(camera);
    await connected({ openCamera });
    openCamera.mockRejectedValue(new LivenessError('no_camera'));
    stream.getTracks()[0]!.dispatchEvent(new Event('ended'));
    await vi.waitFor(() => expect(faults()).toEqual(['camera_lost']));
  });

  it('a call takes the camera: a hint, and the check goes on when it comes back', async () => {
    const { socket, pc } = await connected();
    socket.deliver({ type: 'hint', reason: 'no_face' });
    const first = stream.getTracks()[0]!;
    first.dispatchEvent(new Event('mute'));
    expect(events.at(-1)).toEqual({ type: 'hint', reason: 'camera_paused' });
    first.dispatchEvent(new Event('unmute'));
    expect(events.at(-1)).toEqual({ type: 'hint', reason: 'no_face' });
    stream = fakeStream();
    first.dispatchEvent(new Event('ended'));
    await vi.waitFor(() => expect(pc.sent).toEqual([stream.getTracks()[0]!.id]));
    expect(events.at(-1)).toEqual({ type: 'hint', reason: 'no_face' });
    expect(socket.sent.filter((m) => m.includes('"settings"'))).toHaveLength(2);
    expect(faults()).toEqual([]);
  });

  it('the page leaves', async () => {
    await connected();
    window.dispatchEvent(new Event('pagehide'));
    expect(faults()).toEqual(['interrupted']);
  });

  it('a camera that comes muted is told once the check streams', async () => {
    Object.assign(stream.getTracks()[0]!, { muted: true });
    const { socket } = await connected();
    socket.deliver({ type: 'state', state: 'streaming' });
    expect(events.slice(-2)).toEqual([{ type: 'streaming' }, { type: 'hint', reason: 'camera_paused' }]);
    stream.getTracks()[0]!.dispatchEvent(new Event('unmute'));
    expect(events.at(-1)).toEqual({ type: 'hint', reason: '' });
  });

  it('the page is hidden too long, but not when it comes back', async () => {
    const { socket } = await connected();
    socket.deliver({ type: 'state', state: 'streaming' });
    const hide = (hidden: boolean) => {
      vi.spyOn(document, 'hidden', 'get').mockReturnValue(hidden);
      document.dispatchEvent(new Event('visibilitychange'));
    };
    hide(true);
    vi.advanceTimersByTime(4_999);
    hide(false);
    vi.advanceTimersByTime(10_000);
    expect(faults()).toEqual([]);
    hide(true);
    vi.advanceTimersByTime(5_000);
    expect(faults()).toEqual(['interrupted']);
    hide(false);
  });
});

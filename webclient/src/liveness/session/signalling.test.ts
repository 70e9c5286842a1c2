import { afterEach, describe, expect, it, vi } from 'vitest';
import { FakeSocket } from '../testing';
import { parse, Signalling, type SignallingHandlers } from './signalling';

afterEach(() => FakeSocket.reset());

function handlers() {
  return { message: vi.fn(), lost: vi.fn() } satisfies SignallingHandlers;
}

async function open(h: SignallingHandlers = handlers()) {
  const opening = Signalling.open('ws://s/signal', 'tok', h, FakeSocket.type);
  FakeSocket.last().accept('liveproof.v1');
  return { channel: await opening, socket: FakeSocket.last() };
}

describe('Signalling', () => {
  it('offers the protocol and the token as subprotocols', async () => {
    const { socket } = await open();
    expect(socket.protocols).toEqual(['liveproof.v1', 'bearer.tok']);
  });

  it('rejects when the server refuses the token', async () => {
    const opening = Signalling.open('ws://s/signal', 'tok', handlers(), FakeSocket.type);
    FakeSocket.last().drop(1006);
    await expect(opening).rejects.toMatchObject({ code: 'connection_refused' });
  });

  it('rejects when the server picks another protocol', async () => {
    const opening = Signalling.open('ws://s/signal', 'tok', handlers(), FakeSocket.type);
    FakeSocket.last().accept('');
    await expect(opening).rejects.toMatchObject({ code: 'protocol_error' });
    expect(FakeSocket.last().readyState).toBe(WebSocket.CLOSED);
  });

  it('passes messages on', async () => {
    const h = handlers();
    const { socket } = await open(h);
    socket.deliver('{"type":"hint","reason":"no_face"}');
    expect(h.message).toHaveBeenCalledWith({ type: 'hint', reason: 'no_face' });
  });

  it('never reconnects: a dropped channel is lost once', async () => {
    const h = handlers();
    const { socket } = await open(h);
    socket.drop(1006);
    socket.drop(1006);
    expect(h.lost).toHaveBeenCalledOnce();
    expect(h.lost.mock.calls[0]?.[0]).toMatchObject({ code: 'connection_lost' });
    expect(FakeSocket.count()).toBe(1);
  });

  const moved = '{"type":"moved","signal_url":"wss://owner/signal"}';

  it('goes on at the server that has the session, which hears all that was said', async () => {
    const h = handlers();
    const { channel, socket } = await open(h);
    channel.send({ type: 'offer', sdp: 'v=0' });
    socket.deliver(moved);
    socket.drop(4307);
    const owner = FakeSocket.last();
    expect(owner.url).toBe('wss://owner/signal');
    expect(owner.protocols).toEqual(['liveproof.v1', 'bearer.tok']);
    channel.send({ type: 'candidate', candidate: null });
    owner.accept('liveproof.v1');
    await Promise.resolve();
    expect(owner.sent).toEqual(['{"type":"offer","sdp":"v=0"}', '{"type":"candidate","candidate":null}']);
    owner.deliver('{"type":"answer","sdp":"v=0"}');
    expect(h.message.mock.calls).toEqual([[{ type: 'answer', sdp: 'v=0' }]]);
    expect(h.lost).not.toHaveBeenCalled();
    owner.drop(1006);
    expect(h.lost).toHaveBeenCalledOnce();
  });

  it.each([
    ['twice', (first: FakeSocket) => first.deliver(moved), 'protocol_error'],
    ['to a server that refuses', (first: FakeSocket) => (first.drop(1006), undefined), 'connection_refused'],
  ])('is lost when it is moved %s', async (_, then, code) => {
    const h = handlers();
    const { socket } = await open(h);
    socket.deliver(moved);
    const owner = FakeSocket.last();
    if (code === 'protocol_error') owner.accept('liveproof.v1');
    await Promise.resolve();
    then(owner);
    await new Promise((r) => setTimeout(r));
    expect(h.lost.mock.calls.map(([err]) => (err as { code: string }).code)).toEqual([code]);
    expect(FakeSocket.count()).toBe(2);
  });

  it('does not move after an answer', async () => {
    const h = handlers();
    const { socket } = await open(h);
    socket.deliver('{"type":"hint","reason":""}');
    socket.deliver(moved);
    expect(h.lost.mock.calls[0]?.[0]).toMatchObject({ code: 'protocol_error' });
    expect(FakeSocket.count()).toBe(1);
  });

  it('says nothing at the next server when it was closed on the way', async () => {
    const h = handlers();
    const { channel, socket } = await open(h);
    socket.deliver(moved);
    channel.close();
    FakeSocket.last().drop(1006);
    await new Promise((r) => setTimeout(r));
    expect(h.lost).not.toHaveBeenCalled();
  });

  it('a malformed message breaks the channel', async () => {
    const h = handlers();
    const { socket } = await open(h);
    socket.deliver('{"type":"decided","result":"live"}');
    socket.deliver('{"type":"decided","result":"pass"}');
    expect(h.lost.mock.calls[0]?.[0]).toMatchObject({ code: 'protocol_error' });
    expect(h.message).not.toHaveBeenCalled();
    expect(socket.readyState).toBe(WebSocket.CLOSED);
  });

  it('says bye when closed, and nothing afterwards', async () => {
    const h = handlers();
    const { channel, socket } = await open(h);
    channel.close();
    channel.close();
    channel.send({ type: 'offer', sdp: '' });
    socket.deliver('{"type":"hint","reason":"no_face"}');
    socket.drop(1000);
    expect(socket.sent).toEqual(['{"type":"bye"}']);
    expect(h.lost).not.toHaveBeenCalled();
    expect(h.message).not.toHaveBeenCalled();
  });
});

describe('parse', () => {
  const sample = {
    type: 'sample',
    seq: 7,
    t: 1.4,
    scored: true,
    rho: 0.93,
    weight: 1,
    smoothed: 0.88,
    track: 1,
    reasons: [],
    threshold: 0.5,
  };
  it.each([
    { type: 'answer', sdp: 'v=0' },
    { type: 'candidate', candidate: { candidate: 'x', sdpMid: '0' } },
    { type: 'candidate', candidate: null },
    { type: 'state', state: 'streaming' },
    { type: 'hint', reason: '' },
    { type: 'progress', fraction: 0.4, scored: 4, needed: 10 },
    { type: 'decided', result: 'pass', reasons: ['score_above_threshold'] },
    { type: 'error', code: 'x', detail: 'y' },
    sample,
  ])('reads $type', (m) => {
    expect(parse(JSON.stringify(m))).toEqual(m);
  });

  it('drops the score that a dev server adds to decided', () => {
    const m = parse('{"type":"decided","result":"fail","reasons":null,"verdict":"spoof","score":0.1}');
    expect(m).toEqual({ type: 'decided', result: 'fail', reasons: [] });
  });

  it('skips types it does not know', () => {
    expect(parse('{"type":"weather","sun":1}')).toBeNull();
  });

  it.each([
    'null',
    '[]',
    '"x"',
    '{',
    '',
    '{}',
    '{"type":7}',
    '{"type":"answer"}',
    '{"type":"candidate","candidate":"x"}',
    '{"type":"hint","reason":null}',
    '{"type":"progress","fraction":"1","scored":1,"needed":1}',
    '{"type":"decided","result":"live"}',
    '{"type":"decided"}',
    '{"type":"decided","result":"pass","reasons":[1]}',
    '{"type":"sample"}',
    '{"type":"error"}',
  ])('refuses %s', (text) => {
    expect(() => parse(text)).toThrow();
  });

  it('refuses binary', () => {
    expect(() => parse(new ArrayBuffer(2))).toThrow();
  });
});

// Seeded, so that a failure comes again: xorshift32.
function random(seed: number): () => number {
  let x = seed;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
}

it('whatever comes, a message is typed or refused, and only "pass" passes', () => {
  const seeds = [
    '{"type":"decided","result":"pass","reasons":["deadline"]}',
    '{"type":"progress","fraction":0.4,"scored":4,"needed":10}',
    '{"type":"hint","reason":"no_face"}',
    '{"type":"candidate","candidate":{"candidate":"c","sdpMid":"0"}}',
  ];
  const pieces = ['"', '{', '}', '[', ']', ':', ',', 'null', '1e999', '"pass"', '"live"', '"type"', '"decided"', 'true', '\u0000', 'x'];
  const next = random(20_260_101);
  for (let i = 0; i < 20_000; i++) {
    let text = seeds[Math.floor(next() * seeds.length)]!;
    for (let n = 1 + Math.floor(next() * 3); n > 0; n--) {
      const at = Math.floor(next() * text.length);
      const cut = Math.floor(next() * 6);
      text = text.slice(0, at) + (next() < 0.7 ? pieces[Math.floor(next() * pieces.length)]! : '') + text.slice(at + cut);
    }
    let m: ReturnType<typeof parse>;
    try {
      m = parse(text);
    } catch {
      continue;
    }
    if (m?.type === 'decided' && m.result === 'pass') expect(JSON.parse(text)).toMatchObject({ type: 'decided', result: 'pass' });
    if (m?.type === 'decided') expect(['pass', 'retry', 'fail']).toContain(m.result);
    if (m?.type === 'hint') expect(typeof m.reason).toBe('string');
    if (m?.type === 'progress') expect(typeof m.fraction).toBe('number');
  }
});

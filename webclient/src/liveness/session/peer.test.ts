import { describe, expect, it, vi } from 'vitest';
import { FakePeerConnection, fakeStream } from '../testing';
import { only, Peer } from './peer';

function peer() {
  const handlers = { candidate: vi.fn(), connection: vi.fn() };
  const p = new Peer(fakeStream(), { iceServers: [{ urls: 'stun:s' }], codec: '' }, handlers, FakePeerConnection.type);
  return { p, pc: FakePeerConnection.last(), handlers };
}

describe('Peer', () => {
  it('sends one track and receives nothing', async () => {
    const { p, pc } = peer();
    expect(pc.transceivers).toEqual([{ kind: 'video', direction: 'sendonly', sendEncodings: [{ maxFramerate: 15 }] }]);
    expect(pc.config.iceServers).toEqual([{ urls: 'stun:s' }]);
    await expect(p.offer()).resolves.toBe('fake offer');
  });

  it('holds candidates back until the answer is set, in order', async () => {
    const { p, pc } = peer();
    await p.addCandidate({ candidate: 'a' });
    await p.addCandidate({ candidate: 'b' });
    expect(pc.log).toEqual([]);
    await p.accept('answer');
    await p.addCandidate({ candidate: 'c' });
    await p.addCandidate(null);
    expect(pc.log).toEqual(['answer', 'a', 'b', 'c']);
  });

  it('trickles local candidates and their end', () => {
    const { pc, handlers } = peer();
    pc.onicecandidate?.({ candidate: { toJSON: () => ({ candidate: 'x' }) } });
    pc.onicecandidate?.({ candidate: null });
    expect(handlers.candidate.mock.calls).toEqual([[{ candidate: 'x' }], [null]]);
  });

  it('is silent once closed, and closes twice', () => {
    const { p, pc, handlers } = peer();
    p.close();
    p.close();
    expect(pc.onconnectionstatechange).toBeNull();
    expect(pc.connectionState).toBe('closed');
    expect(handlers.connection).not.toHaveBeenCalled();
  });

  it('refuses a stream without video', () => {
    const make = () =>
      new Peer(
        fakeStream({ video: false }),
        { iceServers: [], codec: '' },
        { candidate: vi.fn(), connection: vi.fn() },
        FakePeerConnection.type,
      );
    expect(make).toThrow('no_camera');
  });
});

describe('only', () => {
  const all = ['video/VP8', 'video/rtx', 'video/H264', 'video/AV1', 'video/red'].map((mimeType) => ({ mimeType, clockRate: 90000 }));
  it.each([
    ['VP8', ['video/VP8', 'video/rtx', 'video/red']],
    ['h264', ['video/H264', 'video/rtx', 'video/red']],
  ])('%s', (name, want) => {
    expect(only(name, all).map((c) => c.mimeType)).toEqual(want);
  });
  it('names a codec the browser lacks', () => {
    expect(() => only('VP9', all)).toThrow('no VP9 encoder');
  });
});

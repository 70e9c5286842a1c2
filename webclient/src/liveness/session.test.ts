import { afterEach, describe, expect, it, vi } from 'vitest';
import { createSession, socketUrl } from './session';

const signal = new AbortController().signal;
const body = { id: 'S', client_token: 'T', ice_servers: [{ urls: ['stun:x'] }], signal_url: '/v1/sessions/S/signal' };

function reply(status: number, json: unknown) {
  const res = new Response(typeof json === 'string' ? json : JSON.stringify(json), { status });
  vi.stubGlobal('fetch', vi.fn().mockResolvedValue(res));
}

afterEach(() => vi.unstubAllGlobals());

describe('createSession', () => {
  it('posts and resolves the signalling address', async () => {
    reply(201, body);
    await expect(createSession('/demo/sessions', signal, 'https://bank.example/check')).resolves.toEqual({
      id: 'S',
      clientToken: 'T',
      iceServers: [{ urls: ['stun:x'] }],
      signalUrl: 'wss://bank.example/v1/sessions/S/signal',
    });
    expect(vi.mocked(fetch).mock.calls[0]?.[1]).toMatchObject({ method: 'POST', body: '{"mode":"onboarding"}' });
  });

  it.each([
    [503, { code: 'overloaded' }, 'service_busy'],
    [429, 'no JSON', 'service_busy'],
    [401, { code: 'unauthorized' }, 'session_refused'],
    [500, null, 'session_refused'],
    [201, {}, 'protocol_error'],
    [201, 'no JSON', 'protocol_error'],
    [201, { ...body, client_token: 7 }, 'protocol_error'],
  ])('%d %j is %s', async (status, json, code) => {
    reply(status, json);
    await expect(createSession('/s', signal)).rejects.toMatchObject({ code });
  });

  it('an unreachable backend is a network error', async () => {
    vi.stubGlobal('fetch', vi.fn().mockRejectedValue(new TypeError('failed to fetch')));
    await expect(createSession('/s', signal)).rejects.toMatchObject({ code: 'network' });
  });

  it('asks nobody without a session-url', async () => {
    reply(201, body);
    await expect(createSession('', signal)).rejects.toMatchObject({ code: 'session_refused' });
    expect(fetch).not.toHaveBeenCalled();
  });

  it('a cancelled request stays cancelled', async () => {
    const gone = AbortSignal.abort();
    vi.stubGlobal('fetch', vi.fn().mockRejectedValue(gone.reason));
    await expect(createSession('/s', gone)).rejects.toBe(gone.reason);
  });
});

it.each([
  ['/v1/x', 'http://h:8080/', 'ws://h:8080/v1/x'],
  ['https://api.example/v1/x', 'http://h/', 'wss://api.example/v1/x'],
  ['ws://h/x', 'https://h/', 'ws://h/x'],
])('socketUrl(%s)', (url, from, want) => {
  expect(socketUrl(url, from)).toBe(want);
});

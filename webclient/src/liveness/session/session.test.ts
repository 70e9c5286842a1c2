import { afterEach, describe, expect, it, vi } from 'vitest';
import { LivenessError } from '../errors';
import { obtainSession, socketUrl, type GetSession } from './session';

const signal = new AbortController().signal;
const body = { id: 'S', client_token: 'T', ice_servers: [{ urls: ['stun:x'] }], signal_url: '/v1/sessions/S/signal' };

function reply(status: number, json: unknown) {
  const res = new Response(typeof json === 'string' ? json : JSON.stringify(json), { status });
  vi.stubGlobal('fetch', vi.fn().mockResolvedValue(res));
}

afterEach(() => vi.unstubAllGlobals());

describe('session-url', () => {
  it('posts and resolves the signalling address', async () => {
    reply(201, body);
    await expect(obtainSession({ url: '/demo/sessions' }, signal, 'https://bank.example/check')).resolves.toEqual({
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
    [401, null, 'backend_unauthorized'],
    [401, { code: 'unauthorized' }, 'backend_unauthorized'],
    [403, 'no JSON', 'backend_forbidden'],
    [404, null, 'backend_error'],
    [500, null, 'backend_error'],
    [401, { code: 'unauthorized', fault: 'integrator' }, 'session_refused'],
    [403, { code: 'origin_forbidden', fault: 'integrator' }, 'session_refused'],
    [500, { code: 'internal_error', fault: 'server' }, 'session_refused'],
    [503, { code: 'overloaded', fault: 'server' }, 'service_busy'],
    [201, {}, 'protocol_error'],
    [201, 'no JSON', 'protocol_error'],
    [201, { ...body, client_token: 7 }, 'protocol_error'],
  ])('%d %j is %s', async (status, json, code) => {
    reply(status, json);
    await expect(obtainSession({ url: '/s' }, signal)).rejects.toMatchObject({ code });
  });

  it('an unreachable backend is a network error', async () => {
    vi.stubGlobal('fetch', vi.fn().mockRejectedValue(new TypeError('failed to fetch')));
    await expect(obtainSession({ url: '/s' }, signal)).rejects.toMatchObject({ code: 'network' });
  });

  it('asks nobody without a session-url', async () => {
    reply(201, body);
    await expect(obtainSession({ url: '' }, signal)).rejects.toMatchObject({ code: 'not_configured' });
    expect(fetch).not.toHaveBeenCalled();
  });

  const sent = () => vi.mocked(fetch).mock.calls[0]?.[1];

  it('sends the page’s headers and credentials', async () => {
    reply(201, body);
    await obtainSession(
      { url: '/s', credentials: 'include', headers: { Authorization: 'Bearer x', Accept: 'application/vnd.bank+json' } },
      signal,
    );
    expect(sent()?.credentials).toBe('include');
    expect(Object.fromEntries(sent()?.headers as Headers)).toEqual({
      authorization: 'Bearer x',
      accept: 'application/vnd.bank+json',
      'content-type': 'application/json',
    });
  });

  it('asks a function for the headers of each request', async () => {
    reply(201, body);
    await obtainSession({ url: '/s', headers: async () => [['X-CSRF', '7']] }, signal);
    expect((sent()?.headers as Headers).get('X-CSRF')).toBe('7');
  });

  it.each<[string, () => HeadersInit]>([
    ['no headers', () => ({ 'not a name': 'x' })],
    [
      'a function that throws',
      () => {
        throw new Error('signed out');
      },
    ],
  ])('%s is a backend_error', async (_what, headers) => {
    reply(201, body);
    await expect(obtainSession({ url: '/s', headers }, signal)).rejects.toMatchObject({ code: 'backend_error' });
    expect(fetch).not.toHaveBeenCalled();
  });

  it('a cancelled request stays cancelled', async () => {
    const gone = AbortSignal.abort();
    vi.stubGlobal('fetch', vi.fn().mockRejectedValue(gone.reason));
    await expect(obtainSession({ url: '/s' }, gone)).rejects.toBe(gone.reason);
  });
});

describe('a session of the page’s own', () => {
  const got = { id: 'S', signalUrl: 'wss://bank.example/v1/sessions/S/signal' };
  const base = 'https://bank.example/check';

  it('is used as it is, before getSession and session-url', async () => {
    reply(201, body);
    const getSession = vi.fn();
    await expect(obtainSession({ session: body, getSession, url: '/s' }, signal, base)).resolves.toMatchObject(got);
    expect(getSession).not.toHaveBeenCalled();
    expect(fetch).not.toHaveBeenCalled();
  });

  it.each<[string, GetSession]>([
    ['a session', () => body],
    ['a promise of one', async () => body],
    ['a Response', async () => new Response(JSON.stringify(body), { status: 201 })],
  ])('getSession may return %s, and comes before session-url', async (_what, getSession) => {
    reply(500, null);
    await expect(obtainSession({ getSession, url: '/s' }, signal, base)).resolves.toMatchObject(got);
  });

  const axios = Object.assign(new Error('Request failed'), { response: { status: 401 } });
  it.each<[string, GetSession, string]>([
    ['a Response of 401', async () => new Response(null, { status: 401 }), 'backend_unauthorized'],
    [
      'a problem of Liveproof',
      async () => new Response('{"code":"unauthorized","fault":"integrator"}', { status: 401 }),
      'session_refused',
    ],
    ['an error with a status', () => Promise.reject(Object.assign(new Error(), { status: 403 })), 'backend_forbidden'],
    ['an error with a response', () => Promise.reject(axios), 'backend_unauthorized'],
    ['any other error', () => Promise.reject(new Error('?')), 'backend_error'],
    ['a LivenessError', () => Promise.reject(new LivenessError('network')), 'network'],
    ['nothing', () => undefined as never, 'protocol_error'],
    ['half a session', () => ({ id: 'S' }) as never, 'protocol_error'],
  ])('getSession with %s', async (_what, getSession, code) => {
    await expect(obtainSession({ getSession }, signal)).rejects.toMatchObject({ code });
  });

  it('getSession is told when the check is cancelled', async () => {
    const gone = new AbortController();
    const asked = obtainSession(
      { getSession: ({ signal }) => new Promise((_, no) => signal.addEventListener('abort', () => no(new Error('late')))) },
      gone.signal,
    );
    gone.abort();
    await expect(asked).rejects.toBe(gone.signal.reason);
  });
});

it.each([
  ['/v1/x', 'http://h:8080/', 'ws://h:8080/v1/x'],
  ['https://api.example/v1/x', 'http://h/', 'wss://api.example/v1/x'],
  ['ws://h/x', 'https://h/', 'ws://h/x'],
])('socketUrl(%s)', (url, from, want) => {
  expect(socketUrl(url, from)).toBe(want);
});

// Where a check gets its session from: the page hands one over, calls its own
// backend, or names the address that the component shall call. Whatever answers,
// the answer is what POST /v1/sessions returned to the page's backend.
import { LivenessError, type ErrorCode } from '../errors';

/** The answer of Liveproof's POST /v1/sessions, as the page's backend hands it on; other members are ignored. */
export interface SessionAnswer {
  readonly id: string;
  /** Opens one connection, once: a second check needs a second session. */
  readonly client_token: string;
  /** Where to connect; a relative address is resolved against the page's. */
  readonly signal_url: string;
  readonly ice_servers?: readonly RTCIceServer[];
}

/** What getSession is called with. */
export interface SessionRequest {
  /** Aborted when the check is cancelled: hand it to fetch. */
  readonly signal: AbortSignal;
}

/** Gets a session in the page's own way. A Response is read as the answer of session-url is: its status tells the error. */
export type GetSession = (request: SessionRequest) => SessionAnswer | Response | Promise<SessionAnswer | Response>;

/** Headers for session-url; a function is called for each request. */
export type SessionHeaders = HeadersInit | (() => HeadersInit | Promise<HeadersInit>);

export interface Session {
  readonly id: string;
  /** Opens one connection, once. */
  readonly clientToken: string;
  readonly iceServers: RTCIceServer[];
  /** ws: or wss: */
  readonly signalUrl: string;
}

/** The ways to a session; the first that is there is used. */
export interface SessionSource {
  readonly session?: SessionAnswer | null;
  readonly getSession?: GetSession | null;
  readonly url?: string;
  readonly credentials?: RequestCredentials;
  readonly headers?: SessionHeaders | null;
}

export async function obtainSession(from: SessionSource, signal: AbortSignal, base = document.baseURI): Promise<Session> {
  if (from.session) return read(from.session, base);
  const answer = await (from.getSession ? ask(from.getSession, signal) : post(from, signal, base));
  return answer instanceof Response ? readResponse(answer, base) : read(answer, base);
}

async function ask(getSession: GetSession, signal: AbortSignal): Promise<SessionAnswer | Response> {
  try {
    return await getSession({ signal });
  } catch (err) {
    signal.throwIfAborted();
    if (err instanceof LivenessError) throw err;
    throw new LivenessError(codeOfStatus(statusOf(err)), err instanceof Error ? err.message : '', { cause: err });
  }
}

async function post(from: SessionSource, signal: AbortSignal, base: string): Promise<Response> {
  if (!from.url) throw new LivenessError('not_configured', 'set session-url, session or getSession');
  const headers = await headersOf(from.headers);
  return fetch(new URL(from.url, base), {
    method: 'POST',
    headers,
    body: JSON.stringify({ mode: 'onboarding' }),
    signal,
    ...(from.credentials ? { credentials: from.credentials } : {}),
  }).catch((err: unknown) => {
    signal.throwIfAborted();
    throw new LivenessError('network', '', { cause: err });
  });
}

// The page's headers win over ours.
async function headersOf(given: SessionHeaders | null | undefined): Promise<Headers> {
  try {
    const headers = new Headers((typeof given === 'function' ? await given() : given) ?? {});
    if (!headers.has('Content-Type')) headers.set('Content-Type', 'application/json');
    if (!headers.has('Accept')) headers.set('Accept', 'application/json');
    return headers;
  } catch (err) {
    throw new LivenessError('backend_error', 'the headers cannot be used', { cause: err });
  }
}

async function readResponse(res: Response, base: string): Promise<Session> {
  const body: unknown = await res.json().catch(() => null);
  if (!res.ok) throw refusal(res.status, body);
  return read(body, res.url || base);
}

// Liveproof's problems (RFC 9457) carry code and fault; what carries less is the
// page's own backend speaking.
function refusal(status: number, body: unknown): LivenessError {
  const problem = (body ?? {}) as { code?: unknown; fault?: unknown };
  const ofLiveproof = typeof problem.code === 'string' && typeof problem.fault === 'string';
  const code = codeOfStatus(status);
  const detail = `HTTP ${status} ${typeof problem.code === 'string' ? problem.code : ''}`.trim();
  return new LivenessError(ofLiveproof && code !== 'service_busy' ? 'session_refused' : code, detail);
}

function codeOfStatus(status: number): ErrorCode {
  switch (status) {
    case 401:
      return 'backend_unauthorized';
    case 403:
      return 'backend_forbidden';
    case 429:
    case 503:
      return 'service_busy';
    default:
      return 'backend_error';
  }
}

// Many HTTP clients throw errors that carry the status: as status, or in a response.
function statusOf(err: unknown): number {
  const { status, response } = (err ?? {}) as { status?: unknown; response?: { status?: unknown } };
  return Number(status ?? response?.status ?? 0);
}

function read(body: unknown, from: string): Session {
  const b = (body ?? {}) as Record<string, unknown>;
  if (typeof b['id'] !== 'string' || typeof b['client_token'] !== 'string' || typeof b['signal_url'] !== 'string') {
    throw new LivenessError('protocol_error', 'session without id, client_token or signal_url');
  }
  return {
    id: b['id'],
    clientToken: b['client_token'],
    iceServers: Array.isArray(b['ice_servers']) ? (b['ice_servers'] as RTCIceServer[]) : [],
    signalUrl: socketUrl(b['signal_url'], from),
  };
}

/** An absolute ws: or wss: address; http: and relative addresses are resolved against from. */
export function socketUrl(url: string, from: string): string {
  const u = new URL(url, from);
  u.protocol = u.protocol.replace(/^http/, 'ws');
  return u.href;
}

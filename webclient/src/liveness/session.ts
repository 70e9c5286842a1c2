// Asks the integrator's backend (or the demo backend) for a session: what
// POST /v1/sessions returned to it, handed on to the browser.
import { LivenessError } from './errors';

export interface Session {
  readonly id: string;
  /** Opens one connection, once. */
  readonly clientToken: string;
  readonly iceServers: RTCIceServer[];
  /** ws: or wss: */
  readonly signalUrl: string;
}

export async function createSession(url: string, signal: AbortSignal, base = document.baseURI): Promise<Session> {
  if (!url) throw new LivenessError('session_refused', 'the element has no session-url');
  const res = await fetch(new URL(url, base), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify({ mode: 'onboarding' }),
    signal,
  }).catch((err: unknown) => {
    signal.throwIfAborted();
    throw new LivenessError('network', '', { cause: err });
  });
  if (!res.ok) throw await refusal(res);
  return read(await res.json().catch(() => null), res.url || new URL(url, base).href);
}

// RFC 9457 problem JSON carries a stable code; the status says whether waiting helps.
async function refusal(res: Response): Promise<LivenessError> {
  const problem = (await res.json().catch(() => ({}))) as { code?: unknown } | null;
  const detail = `HTTP ${res.status} ${typeof problem?.code === 'string' ? problem.code : ''}`.trim();
  return new LivenessError(res.status === 503 || res.status === 429 ? 'service_busy' : 'session_refused', detail);
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

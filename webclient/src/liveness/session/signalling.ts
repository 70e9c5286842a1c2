// The signalling channel, subprotocol liveproof.v1 (docs/architecture.md). A
// token opens one connection, so this never reconnects: a lost channel ends the
// attempt and the person starts another. A server that does not have the session
// names the one that does, before it uses the token up; there the channel goes on.
import type { VideoSettings } from '../camera/camera';
import { parseChallenge, type Challenge } from '../challenge/challenge';
import { LivenessError } from '../errors';
import type { Progress, Result } from '../machine';
import { parseProbe, type Probe } from './probe';

export const subprotocol = 'liveproof.v1';

/** One sampled frame, sent only by a server in dev mode. Times in seconds. */
export interface Sample {
  readonly seq: number;
  readonly t: number;
  readonly scored: boolean;
  /** Expected liveness score, [0,1]; counts only when scored. */
  readonly rho: number;
  /** (0,1] */
  readonly weight: number;
  /** EWMA of ρ after this sample, [0,1]. */
  readonly smoothed: number;
  readonly track: number;
  readonly reasons: readonly string[];
  readonly threshold: number;
}

export type ServerMessage =
  | { readonly type: 'answer'; readonly sdp: string }
  | { readonly type: 'candidate'; readonly candidate: RTCIceCandidateInit | null }
  | { readonly type: 'state'; readonly state: string }
  | { readonly type: 'hint'; readonly reason: string }
  | ({ readonly type: 'progress' } & Progress)
  | { readonly type: 'challenge'; readonly challenge: Challenge }
  | { readonly type: 'probe'; readonly probe: Probe }
  | { readonly type: 'decided'; readonly result: Result; readonly reasons: readonly string[] }
  | { readonly type: 'moved'; readonly url: string }
  | { readonly type: 'error'; readonly code: string; readonly detail: string }
  | ({ readonly type: 'sample' } & Sample);

export type ClientMessage =
  | { type: 'offer'; sdp: string }
  | { type: 'candidate'; candidate: RTCIceCandidateInit | null }
  | { type: 'settings'; requested: VideoSettings; delivered: VideoSettings }
  | { type: 'challenge'; id: string; declined: true }
  | { type: 'probe'; able: boolean }
  | { type: 'bye' };

export interface SignallingHandlers {
  message(m: ServerMessage): void;
  /** The channel is gone or broken, and not because close was called. */
  lost(err: LivenessError): void;
}

export class Signalling {
  #ws: WebSocket;
  #closed = false;
  // Sent before the server has said anything: to be said again at the one that has the session.
  #unheard: string[] | null = [];
  #moved = false;

  private constructor(
    ws: WebSocket,
    private readonly handlers: SignallingHandlers,
    private readonly connect: (url: string) => WebSocket,
  ) {
    this.#ws = ws;
  }

  /** Opens the channel; rejects with connection_refused, or protocol_error when the server speaks another protocol. */
  static async open(url: string, token: string, handlers: SignallingHandlers, Socket: typeof WebSocket = WebSocket): Promise<Signalling> {
    const connect = (to: string) => new Socket(to, [subprotocol, `bearer.${token}`]);
    const ws = connect(url);
    const channel = new Signalling(ws, handlers, connect);
    await opened(ws);
    channel.#listen(ws);
    return channel;
  }

  send(m: ClientMessage): void {
    if (this.#closed) return;
    const text = JSON.stringify(m);
    this.#unheard?.push(text);
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.send(text);
  }

  #listen(ws: WebSocket): void {
    ws.onmessage = (e: MessageEvent<unknown>) => this.#receive(e.data);
    ws.onclose = (e) => this.#lose(new LivenessError('connection_lost', `closed with ${e.code}`));
  }

  /** Says bye and closes. Safe to call twice. */
  close(): void {
    this.send({ type: 'bye' });
    this.#closed = true;
    this.#ws.close(1000);
  }

  #receive(data: unknown): void {
    if (this.#closed) return;
    try {
      const m = parse(data);
      if (m?.type === 'moved') return this.#move(m.url);
      this.#unheard = null;
      if (m) this.handlers.message(m);
    } catch (err) {
      this.#lose(new LivenessError('protocol_error', '', { cause: err }));
    }
  }

  #move(to: string): void {
    if (this.#moved || !this.#unheard) throw new Error('moved twice, or after an answer'); // servers that name each other make no loop
    this.#moved = true;
    const ws = this.connect(to);
    const left = this.#ws;
    this.#ws = ws;
    left.onmessage = left.onclose = null;
    left.close(1000);
    opened(ws).then(
      () => {
        this.#listen(ws);
        for (const text of this.#unheard ?? []) ws.send(text);
      },
      (err: unknown) => this.#lose(err as LivenessError),
    );
  }

  #lose(err: LivenessError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ws.close();
    this.handlers.lost(err);
  }
}

function opened(ws: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    ws.onopen = () => {
      if (ws.protocol === subprotocol) {
        resolve();
        return;
      }
      ws.close();
      reject(new LivenessError('protocol_error', `server chose "${ws.protocol}"`));
    };
    ws.onclose = (e) => reject(new LivenessError('connection_refused', `signalling refused with ${e.code}`));
  });
}

type Fields = Record<string, unknown>;

/**
 * One server message. null for a type this client does not know (the protocol
 * grows); throws on anything malformed, above all on a result that is none of
 * pass, retry, fail.
 */
export function parse(data: unknown): ServerMessage | null {
  if (typeof data !== 'string') throw new TypeError('not a text message');
  const m: unknown = JSON.parse(data);
  if (!isFields(m)) throw new TypeError('not an object');
  switch (m['type']) {
    case 'answer':
      return { type: 'answer', sdp: str(m, 'sdp') };
    case 'candidate':
      return { type: 'candidate', candidate: candidate(m['candidate']) };
    case 'state':
      return { type: 'state', state: str(m, 'state') };
    case 'hint':
      return { type: 'hint', reason: str(m, 'reason') };
    case 'progress':
      return { type: 'progress', fraction: num(m, 'fraction'), scored: num(m, 'scored'), needed: num(m, 'needed') };
    case 'probe':
      return { type: 'probe', probe: parseProbe(m['probe']) };
    case 'challenge': {
      const challenge = parseChallenge(m['challenge'], performance.now());
      return challenge && { type: 'challenge', challenge };
    }
    case 'decided':
      return { type: 'decided', result: result(m['result']), reasons: strs(m['reasons']) };
    case 'moved':
      return { type: 'moved', url: str(m, 'signal_url') };
    case 'error':
      return { type: 'error', code: str(m, 'code'), detail: typeof m['detail'] === 'string' ? m['detail'] : '' };
    case 'sample':
      return sample(m);
    default:
      str(m, 'type');
      return null;
  }
}

function sample(m: Fields): ServerMessage {
  return {
    type: 'sample',
    seq: num(m, 'seq'),
    t: num(m, 't'),
    scored: m['scored'] === true,
    rho: num(m, 'rho'),
    weight: num(m, 'weight'),
    smoothed: num(m, 'smoothed'),
    track: num(m, 'track'),
    reasons: strs(m['reasons']),
    threshold: num(m, 'threshold'),
  };
}

function isFields(v: unknown): v is Fields {
  return typeof v === 'object' && v !== null && !Array.isArray(v);
}

function str(m: Fields, key: string): string {
  const v = m[key];
  if (typeof v !== 'string') throw new TypeError(`${key} is not a string`);
  return v;
}

function num(m: Fields, key: string): number {
  const v = m[key];
  if (typeof v !== 'number') throw new TypeError(`${key} is not a number`);
  return v;
}

function strs(v: unknown): string[] {
  if (v === undefined || v === null) return [];
  if (!Array.isArray(v) || !v.every((x) => typeof x === 'string')) throw new TypeError('reasons are not strings');
  return v;
}

function candidate(v: unknown): RTCIceCandidateInit | null {
  if (v === null || v === undefined) return null;
  if (!isFields(v)) throw new TypeError('candidate is not an object');
  return v as RTCIceCandidateInit;
}

function result(v: unknown): Result {
  if (v === 'pass' || v === 'retry' || v === 'fail') return v;
  throw new TypeError('unknown result');
}

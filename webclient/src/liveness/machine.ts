// The check's state machine, pure: next(snapshot, event) → snapshot. It owns no
// camera and no socket; element.ts turns transitions into effects. An event that
// means nothing in the present state returns the same snapshot, so that a late
// message can never move an ended check.
import type { Challenge } from './challenge/challenge';
import type { ErrorCode } from './errors';

export type State =
  'idle' | 'permission' | 'connecting' | 'positioning' | 'checking' | 'challenge' | 'passed' | 'retry' | 'failed' | 'error';

/** What the server tells the browser: live → pass, inconclusive → retry, spoof → fail. */
export type Result = 'pass' | 'retry' | 'fail';

export interface Progress {
  /** [0,1] */
  readonly fraction: number;
  /** Samples that count since the evidence last restarted. */
  readonly scored: number;
  readonly needed: number;
}

export interface Snapshot {
  readonly state: State;
  /** What the person should change now: a reason code, '' when all is well. */
  readonly hint: string;
  readonly progress: Progress;
  /** Why the check ended as it did: reason codes. */
  readonly reasons: readonly string[];
  readonly error: ErrorCode | '';
  /** What is known of the error beyond its code, for a developer; '' when nothing is. */
  readonly message: string;
  readonly sessionId: string;
  /** What the person is asked now; null outside of state challenge. */
  readonly challenge: Challenge | null;
}

export type MachineEvent =
  | { readonly type: 'start' }
  | { readonly type: 'cancel' }
  | { readonly type: 'camera-ready' }
  | { readonly type: 'session-created'; readonly sessionId: string }
  | { readonly type: 'streaming' }
  | { readonly type: 'hint'; readonly reason: string }
  | ({ readonly type: 'progress' } & Progress)
  | { readonly type: 'challenge'; readonly challenge: Challenge }
  | { readonly type: 'challenge-over' }
  | { readonly type: 'decided'; readonly result: Result; readonly reasons: readonly string[] }
  | { readonly type: 'fault'; readonly error: ErrorCode; readonly message?: string };

const noProgress: Progress = { fraction: 0, scored: 0, needed: 0 };

export const initial: Snapshot = {
  state: 'idle',
  hint: '',
  progress: noProgress,
  reasons: [],
  error: '',
  message: '',
  sessionId: '',
  challenge: null,
};

const endStates: ReadonlySet<State> = new Set(['passed', 'retry', 'failed', 'error']);
const endOf: Record<Result, State> = { pass: 'passed', retry: 'retry', fail: 'failed' };

/** The check is over and its camera released; only start leaves such a state. */
export function isEnd(state: State): boolean {
  return endStates.has(state);
}

/** The check holds, or is about to hold, the camera. */
export function isActive(state: State): boolean {
  return state !== 'idle' && !isEnd(state);
}

function isStreaming(state: State): boolean {
  return state === 'positioning' || state === 'checking' || state === 'challenge';
}

export function next(s: Snapshot, e: MachineEvent): Snapshot {
  switch (e.type) {
    case 'start':
      return isActive(s.state) ? s : { ...initial, state: 'permission' };
    case 'cancel':
      return isActive(s.state) ? initial : s;
    case 'camera-ready':
      return s.state === 'permission' ? { ...s, state: 'connecting' } : s;
    case 'session-created':
      return s.state === 'connecting' ? { ...s, sessionId: e.sessionId } : s;
    case 'streaming':
      return s.state === 'connecting' ? { ...s, state: 'positioning' } : s;
    case 'hint':
    case 'progress':
    case 'challenge':
    case 'challenge-over':
      return isStreaming(s.state) ? during(s, e) : s;
    case 'decided':
      return decided(s, e.result, e.reasons);
    case 'fault':
      return isActive(s.state) ? faulted(s, e) : s;
  }
}

type StreamingEvent = Extract<MachineEvent, { type: 'hint' | 'progress' | 'challenge' | 'challenge-over' }>;

function during(s: Snapshot, e: StreamingEvent): Snapshot {
  switch (e.type) {
    case 'hint':
      return s.hint !== e.reason ? { ...s, hint: e.reason } : s;
    case 'progress':
      return progressed(s, e);
    case 'challenge':
      return { ...s, state: 'challenge', challenge: e.challenge };
    case 'challenge-over':
      return s.state === 'challenge' ? { ...s, state: standing(s.progress), challenge: null } : s;
  }
}

function faulted(s: Snapshot, e: { error: ErrorCode; message?: string }): Snapshot {
  return { ...s, state: 'error', error: e.error, message: e.message ?? '', hint: '', progress: noProgress, challenge: null };
}

// The first sample that counts starts the check proper; evidence that restarts
// (another face, a face lost) goes back to positioning.
function progressed(s: Snapshot, p: Progress): Snapshot {
  const progress = { fraction: clamp(p.fraction), scored: p.scored, needed: p.needed };
  return { ...s, progress, state: s.state === 'challenge' ? s.state : standing(p) };
}

function standing(p: Progress): State {
  return p.scored > 0 ? 'checking' : 'positioning';
}

// A check may end while connecting (no media arrived), but nobody passes unseen.
function decided(s: Snapshot, result: Result, reasons: readonly string[]): Snapshot {
  const early = s.state === 'connecting' && result !== 'pass';
  if (!isStreaming(s.state) && !early) return s;
  const state = endOf[result];
  const fraction = state === 'passed' ? 1 : s.progress.fraction;
  return { ...s, state, reasons, hint: '', challenge: null, progress: { ...s.progress, fraction } };
}

function clamp(x: number): number {
  return Number.isFinite(x) ? Math.min(1, Math.max(0, x)) : 0;
}

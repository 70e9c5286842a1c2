import { describe, expect, it } from 'vitest';
import type { Challenge } from './challenge/challenge';
import { initial, isActive, isEnd, next, type MachineEvent, type Snapshot, type State } from './machine';

const states: State[] = ['idle', 'permission', 'connecting', 'positioning', 'checking', 'challenge', 'passed', 'retry', 'failed', 'error'];
const at = (state: State, more: Partial<Snapshot> = {}): Snapshot => ({ ...initial, state, ...more });
const progress = (scored: number, fraction = scored / 10): MachineEvent => ({
  type: 'progress',
  scored,
  needed: 10,
  fraction,
});
const decided = (result: 'pass' | 'retry' | 'fail'): MachineEvent => ({ type: 'decided', result, reasons: ['deadline'] });

const light: Challenge = { id: 'c', kind: 'flash', attempt: 1, begins: 900, duration: 3200, colours: [] };

// For each event, the states it moves and where to; every other state must not move.
const table: [name: string, event: MachineEvent, moves: Partial<Record<State, State>>][] = [
  [
    'start',
    { type: 'start' },
    {
      idle: 'permission',
      passed: 'permission',
      retry: 'permission',
      failed: 'permission',
      error: 'permission',
    },
  ],
  [
    'cancel',
    { type: 'cancel' },
    {
      permission: 'idle',
      connecting: 'idle',
      positioning: 'idle',
      checking: 'idle',
      challenge: 'idle',
    },
  ],
  ['camera-ready', { type: 'camera-ready' }, { permission: 'connecting' }],
  ['session-created', { type: 'session-created', sessionId: 'S' }, {}],
  ['streaming', { type: 'streaming' }, { connecting: 'positioning' }],
  ['hint', { type: 'hint', reason: 'no_face' }, {}],
  ['progress with evidence', progress(3), { positioning: 'checking' }],
  ['progress after a restart', progress(0), { checking: 'positioning' }],
  ['challenge', { type: 'challenge', challenge: light }, { positioning: 'challenge', checking: 'challenge' }],
  ['challenge-over', { type: 'challenge-over' }, { challenge: 'positioning' }],
  ['pass', decided('pass'), { positioning: 'passed', checking: 'passed', challenge: 'passed' }],
  ['retry', decided('retry'), { connecting: 'retry', positioning: 'retry', checking: 'retry', challenge: 'retry' }],
  ['fail', decided('fail'), { connecting: 'failed', positioning: 'failed', checking: 'failed', challenge: 'failed' }],
  [
    'fault',
    { type: 'fault', error: 'network' },
    {
      permission: 'error',
      connecting: 'error',
      positioning: 'error',
      checking: 'error',
      challenge: 'error',
    },
  ],
];

describe.each(table)('%s', (_name, event, moves) => {
  it.each(states)('from %s', (state) => {
    expect(next(at(state), event).state).toBe(moves[state] ?? state);
  });
});

describe('snapshots', () => {
  it('an event that means nothing returns the very same snapshot', () => {
    const s = at('passed', { sessionId: 'S' });
    for (const e of [{ type: 'cancel' }, { type: 'streaming' }, progress(4), decided('fail')] as MachineEvent[]) {
      expect(next(s, e)).toBe(s);
    }
  });

  it('a challenge stays while progress comes, and evidence decides where it ends', () => {
    const asked = next(at('positioning'), { type: 'challenge', challenge: light });
    expect(asked.challenge).toBe(light);
    const seen = next(asked, progress(3));
    expect(seen.state).toBe('challenge');
    expect(next(seen, { type: 'challenge-over' })).toMatchObject({ state: 'checking', challenge: null });
  });

  it('no challenge outlives the check', () => {
    const asked = at('challenge', { challenge: light });
    for (const e of [{ type: 'cancel' }, decided('retry'), { type: 'fault', error: 'network' }] as MachineEvent[]) {
      expect(next(asked, e).challenge).toBeNull();
    }
  });

  it('start forgets the attempt before', () => {
    const s = at('error', { error: 'network', sessionId: 'S', reasons: ['deadline'] });
    expect(next(s, { type: 'start' })).toEqual({ ...initial, state: 'permission' });
  });

  it('keeps the session id to the end', () => {
    let s = next(at('connecting'), { type: 'session-created', sessionId: 'S' });
    s = next(next(s, { type: 'streaming' }), decided('retry'));
    expect(s).toMatchObject({ state: 'retry', sessionId: 'S', reasons: ['deadline'] });
  });

  it('holds one hint, cleared by "" and by the end', () => {
    let s = next(at('positioning'), { type: 'hint', reason: 'no_face' });
    s = next(s, { type: 'hint', reason: 'too_dark' });
    expect(s.hint).toBe('too_dark');
    expect(next(s, { type: 'hint', reason: '' }).hint).toBe('');
    expect(next(s, decided('fail')).hint).toBe('');
    expect(next(s, { type: 'fault', error: 'network' }).hint).toBe('');
  });

  it.each([
    [Number.NaN, 0],
    [-1, 0],
    [7, 1],
    [0.4, 0.4],
  ])('progress %d is drawn as %d', (given, drawn) => {
    expect(next(at('checking'), progress(1, given)).progress.fraction).toBe(drawn);
  });

  it('every state is idle, active or an end', () => {
    for (const s of states) expect([s === 'idle', isActive(s), isEnd(s)].filter(Boolean)).toHaveLength(1);
  });
});

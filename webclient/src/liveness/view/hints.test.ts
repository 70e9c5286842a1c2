import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { advice, HintPacer } from './hints';

describe('advice', () => {
  it.each([
    [['deadline', 'insufficient_evidence', 'no_face'], 'no_face'],
    [['too_dark', 'deadline'], 'too_dark'],
    [['deadline', 'score_undecided'], 'score_undecided'],
    [['deadline', 'score_undecided', 'too_dark'], 'score_undecided'],
    [['deadline', 'low_frame_rate', 'insufficient_evidence'], 'low_frame_rate'],
    [['insufficient_evidence', 'timestamps_jumped'], 'timestamps_jumped'],
    [['deadline'], 'deadline'],
    [[], ''],
  ])('%j → %j', (reasons, want) => expect(advice(reasons)).toBe(want));
});

describe('HintPacer', () => {
  let shown: string[];
  let pacer: HintPacer;
  beforeEach(() => {
    vi.useFakeTimers();
    shown = [];
    pacer = new HintPacer((r) => shown.push(r), 900);
  });
  afterEach(() => vi.useRealTimers());

  it('shows the first hint at once', () => {
    pacer.set('no_face');
    expect(shown).toEqual(['no_face']);
  });

  it('keeps a hint readable, then shows only the newest', () => {
    for (const r of ['no_face', 'blurred', 'too_dark']) pacer.set(r);
    vi.advanceTimersByTime(899);
    expect(shown).toEqual(['no_face']);
    vi.advanceTimersByTime(1);
    expect(shown).toEqual(['no_face', 'too_dark']);
  });

  it('a hint that came and went is not repeated', () => {
    pacer.set('no_face');
    pacer.set('');
    pacer.set('no_face');
    vi.advanceTimersByTime(5000);
    expect(shown).toEqual(['no_face']);
  });

  it('clear leaves no timer behind', () => {
    pacer.set('no_face');
    pacer.set('blurred');
    pacer.clear();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(5000);
    expect(shown).toEqual(['no_face']);
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseProbe, Prober, type LimitRate } from './probe';

describe('a probe', () => {
  it('has a rate and a duration', () => {
    expect(parseProbe({ frame_rate: 8, duration: 0.9 })).toEqual({ frameRate: 8, duration: 900 });
  });

  const bad: Record<string, unknown> = {
    nothing: null,
    'no rate': { duration: 1 },
    'a rate that stops everything': { frame_rate: 0, duration: 1 },
    'a rate that is no number': { frame_rate: '8', duration: 1 },
    'no end': { frame_rate: 8, duration: Infinity },
    'a long time': { frame_rate: 8, duration: 6 },
  };
  for (const [name, value] of Object.entries(bad)) {
    it(`with ${name} is refused`, () => expect(() => parseProbe(value)).toThrow(TypeError));
  }
});

describe('Prober', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const probe = { frameRate: 8, duration: 900 };

  it('limits the rate, answers, and restores the rate', async () => {
    const limit = vi.fn<LimitRate>(async () => undefined);
    const answer = vi.fn();
    await new Prober(limit, answer).follow(probe);
    expect(limit.mock.calls).toEqual([[8]]);
    expect(answer).toHaveBeenCalledExactlyOnceWith(true);
    await vi.advanceTimersByTimeAsync(899);
    expect(limit).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(limit.mock.calls).toEqual([[8], []]);
  });

  it('says so where the browser cannot', async () => {
    const limit = vi.fn<LimitRate>(async () => Promise.reject(new Error('no')));
    const answer = vi.fn();
    await new Prober(limit, answer).follow(probe);
    await vi.runAllTimersAsync();
    expect(answer).toHaveBeenCalledExactlyOnceWith(false);
    expect(limit).toHaveBeenCalledTimes(1);
  });

  it('does nothing after it was closed', async () => {
    const limit = vi.fn<LimitRate>(async () => undefined);
    const prober = new Prober(limit, vi.fn());
    await prober.follow(probe);
    prober.close();
    await vi.runAllTimersAsync();
    expect(limit).toHaveBeenCalledTimes(1);
  });
});

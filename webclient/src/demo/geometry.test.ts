import { describe, expect, it } from 'vitest';
import type { Sample } from '../liveness/session/signalling';
import { domain, gaps, nearest, scale, smoothedPath, ticks, type Frame } from './geometry';

const frame: Frame = { width: 120, height: 120, left: 10, right: 10, top: 10, bottom: 10 };
const at = (t: number, smoothed: number, more: Partial<Sample> = {}): Sample => ({
  seq: t,
  t,
  scored: true,
  rho: smoothed,
  weight: 1,
  smoothed,
  track: 1,
  reasons: [],
  threshold: 0.5,
  ...more,
});
const blind = (t: number) => at(t, 0, { scored: false, reasons: ['no_face'] });

describe('domain', () => {
  it.each([
    [[], 6],
    [[at(2, 1)], 6],
    [[at(6, 1)], 7],
    [[at(14.9, 1)], 16],
  ])('case %#', (samples, want) => expect(domain(samples)).toBe(want));
});

describe('scale', () => {
  const s = scale(frame, 10);
  it('maps the corners', () => {
    expect([s.x(0), s.x(10), s.y(1), s.y(0)]).toEqual([10, 110, 10, 110]);
  });
  it('keeps values inside the plot', () => {
    expect([s.y(-3), s.y(4), s.y(Number.NaN)]).toEqual([110, 10, 110]);
  });
  it('inverts, inside the domain', () => {
    expect([s.t(s.x(4)), s.t(-50), s.t(500)]).toEqual([4, 0, 10]);
  });
  it('survives a chart narrower than its margins', () => {
    expect(Number.isFinite(scale({ ...frame, width: 5 }, 10).x(3))).toBe(true);
  });
});

describe('smoothedPath', () => {
  const s = scale(frame, 10);
  it('is one line while every sample counts', () => {
    expect(smoothedPath([at(0, 0), at(5, 0.5), at(10, 1)], s)).toBe('M10 110L60 60L110 10');
  });
  it('breaks where a sample was not scored', () => {
    expect(smoothedPath([at(0, 1), blind(1), at(2, 1), at(3, 1)], s)).toBe('M10 10M30 10L40 10');
  });
  it('breaks where another face begins', () => {
    expect(smoothedPath([at(0, 1), at(1, 1, { track: 2 })], s)).toBe('M10 10M20 10');
  });
  it('is empty without samples', () => expect(smoothedPath([], s)).toBe(''));
});

describe('gaps', () => {
  it('reach half way to their neighbours', () => {
    const all = [at(0, 1), blind(1), blind(2), at(3, 1)];
    expect(gaps(all)).toEqual([{ from: 0.5, to: 2.5, samples: [all[1], all[2]] }]);
  });
  it('end at their own samples where there is no neighbour', () => {
    expect(gaps([blind(1), blind(2)]).map((g) => [g.from, g.to])).toEqual([[1, 2]]);
  });
  it('keep apart', () => {
    expect(gaps([blind(0), at(1, 1), blind(2)])).toHaveLength(2);
  });
});

it('nearest', () => {
  const all = [at(0, 1), at(1, 1), at(4, 1)];
  expect([nearest([], 1), nearest(all, 0.6), nearest(all, 99)]).toEqual([undefined, all[1], all[2]]);
});

it.each([
  [6, 8, [0, 1, 2, 3, 4, 5, 6]],
  [16, 8, [0, 2, 4, 6, 8, 10, 12, 14, 16]],
  [6, 3, [0, 2, 4, 6]],
  [170, 6, [0, 30, 60, 90, 120, 150]],
])('ticks(%d, %d)', (tMax, n, want) => expect(ticks(tMax, n)).toEqual(want));

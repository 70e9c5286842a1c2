// The chart's geometry, pure: samples → coordinates. Time in seconds from the
// first picture, ρ in [0,1], coordinates in CSS pixels from the top left.
import type { Sample } from '../liveness/session/signalling';

export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export interface Scale {
  x(t: number): number;
  y(v: number): number;
  /** The time at a coordinate, inside the domain. */
  t(x: number): number;
}

/** A run of samples that were not scored, with the time it covers. */
export interface Gap {
  readonly from: number;
  readonly to: number;
  readonly samples: readonly Sample[];
}

/** The right end of the time axis: room to grow, never shorter than min seconds. */
export function domain(samples: readonly Sample[], min = 6): number {
  const last = samples.at(-1)?.t ?? 0;
  return Math.max(min, Math.ceil(last + 0.25));
}

export function scale(frame: Frame, tMax: number): Scale {
  const w = Math.max(1, frame.width - frame.left - frame.right);
  const h = Math.max(1, frame.height - frame.top - frame.bottom);
  return {
    x: (t) => frame.left + (t / tMax) * w,
    y: (v) => frame.top + (1 - clamp01(v)) * h,
    t: (x) => clamp01((x - frame.left) / w) * tMax,
  };
}

/** The smoothed line as an SVG path: one piece per run of scored samples on one track. */
export function smoothedPath(samples: readonly Sample[], s: Scale): string {
  let path = '';
  let before: Sample | undefined;
  for (const p of samples) {
    if (p.scored) {
      const joined = before?.scored && before.track === p.track;
      path += `${joined ? 'L' : 'M'}${round(s.x(p.t))} ${round(s.y(p.smoothed))}`;
    }
    before = p;
  }
  return path;
}

/** Each gap reaches half way to its scored neighbours. */
export function gaps(samples: readonly Sample[]): Gap[] {
  const found: Gap[] = [];
  let before: Sample | undefined; // the last scored one
  let run: Sample[] = []; // what was not scored since
  const end = (after?: Sample): void => {
    const [first, last] = [run[0], run.at(-1)];
    if (first && last) found.push({ from: midway(first, before), to: midway(last, after), samples: run });
    run = [];
  };
  for (const sample of samples) {
    if (sample.scored) {
      end(sample);
      before = sample;
    } else {
      run.push(sample);
    }
  }
  end();
  return found;
}

/** The sample closest in time. */
export function nearest(samples: readonly Sample[], t: number): Sample | undefined {
  let best: Sample | undefined;
  for (const p of samples) if (!best || Math.abs(p.t - t) < Math.abs(best.t - t)) best = p;
  return best;
}

/** Round tick positions, at most n + 1 of them. */
export function ticks(tMax: number, n: number): number[] {
  const step = [1, 2, 5, 10, 15, 30, 60, 120, 300].find((s) => tMax / s <= n) ?? 600;
  return Array.from({ length: Math.floor(tMax / step) + 1 }, (_, i) => i * step);
}

function midway(p: Sample, neighbour: Sample | undefined): number {
  return neighbour ? (p.t + neighbour.t) / 2 : p.t;
}

function clamp01(v: number): number {
  return Number.isFinite(v) ? Math.min(1, Math.max(0, v)) : 0;
}

function round(v: number): number {
  return Math.round(v * 10) / 10;
}

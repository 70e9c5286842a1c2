// What the server asks the person while the check runs, as its message says (docs/challenge.md).

export interface ColourAt {
  /** Seconds from the beginning. */
  readonly at: number;
  /** #rrggbb */
  readonly colour: string;
}

/** A movement of the head. Left and right are the person's own. */
export type Movement = 'left' | 'right' | 'nod' | 'closer';

export const movements: readonly Movement[] = ['left', 'right', 'nod', 'closer'];

export interface StepAt {
  /** Seconds from the beginning. */
  readonly at: number;
  readonly movement: Movement;
}

interface Asked {
  readonly id: string;
  /** Counts what the person was asked, from 1. */
  readonly attempt: number;
  /** When the colours or the movements begin, on the clock of performance.now, milliseconds. */
  readonly begins: number;
  /** Milliseconds. */
  readonly duration: number;
}

/** The challenge by light: the whole screen shows colours, and the server looks for their light on the face. */
export interface LightChallenge extends Asked {
  readonly kind: 'flash';
  readonly colours: readonly ColourAt[];
}

/** The challenge by movement: the person makes one movement after the other, and the server looks for them in the video. */
export interface TurnChallenge extends Asked {
  readonly kind: 'turn';
  readonly steps: readonly StepAt[];
}

export type Challenge = LightChallenge | TurnChallenge;

const limits = { wait: 60, duration: 60, colours: 256, steps: 16 };

/** A challenge that came at now; null for a kind, or a movement, that this client does not know. Throws on one that is malformed or has no end. */
export function parseChallenge(value: unknown, now: number): Challenge | null {
  const c = value as Record<string, unknown> | null;
  if (typeof c !== 'object' || c === null) throw new TypeError('challenge is not an object');
  const { id, kind, attempt, begins_in: wait, duration } = c;
  if (typeof id !== 'string' || typeof kind !== 'string') throw new TypeError('challenge has no id or kind');
  if (kind !== 'flash' && kind !== 'turn') return null;
  if (!within(wait, -limits.wait, limits.wait) || !within(duration, 0, limits.duration)) throw new TypeError('challenge has no end');
  const asked: Asked = {
    id,
    attempt: typeof attempt === 'number' ? attempt : 1,
    begins: now + 1000 * wait,
    duration: 1000 * duration,
  };
  if (kind === 'flash') return { ...asked, kind, colours: coloursOf(c['colours'], duration) };
  const steps = stepsOf(c['steps'], duration);
  return steps && { ...asked, kind, steps };
}

function coloursOf(value: unknown, duration: number): ColourAt[] {
  if (!Array.isArray(value) || value.length < 2 || value.length > limits.colours) throw new TypeError('challenge has no colours');
  return value.map((x, i) => {
    const { at, colour } = fields(x);
    if (!within(at, timeOf(value, i - 1), duration)) throw new TypeError('a colour has no time');
    if (typeof colour !== 'string' || !/^#[0-9a-f]{6}$/.test(colour)) throw new TypeError('a colour is none');
    return { at, colour };
  });
}

function stepsOf(value: unknown, duration: number): StepAt[] | null {
  if (!Array.isArray(value) || value.length < 1 || value.length > limits.steps) throw new TypeError('challenge has no steps');
  const steps = value.map((x, i) => {
    const { at, movement } = fields(x);
    if (!within(at, timeOf(value, i - 1), duration)) throw new TypeError('a step has no time');
    if (typeof movement !== 'string') throw new TypeError('a step is none');
    return { at, movement: movement as Movement };
  });
  return steps.every((s) => movements.includes(s.movement)) ? steps : null;
}

// Times never fall and end with the challenge, as an animation's must.
function timeOf(list: unknown[], i: number): number {
  const at = i < 0 ? 0 : fields(list[i])['at'];
  return typeof at === 'number' ? at : Infinity;
}

function fields(value: unknown): Record<string, unknown> {
  return (value ?? {}) as Record<string, unknown>;
}

function within(v: unknown, least: number, most: number): v is number {
  return typeof v === 'number' && v >= least && v <= most;
}

/** The challenge's colours for Element.animate. */
export function keyframes(c: LightChallenge): Keyframe[] {
  return c.colours.map(({ at, colour }) => ({ offset: Math.min(1, (1000 * at) / c.duration), backgroundColor: colour }));
}

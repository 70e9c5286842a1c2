// What the server asks the person while the check runs, as its message says (docs/challenge.md).

export interface ColourAt {
  /** Seconds from the beginning. */
  readonly at: number;
  /** #rrggbb */
  readonly colour: string;
}

/** The challenge by light: the whole screen shows colours, and the server looks for their light on the face. */
export interface Challenge {
  readonly id: string;
  readonly kind: 'flash';
  /** Counts what the person was asked, from 1. */
  readonly attempt: number;
  /** When the colours begin, on the clock of performance.now, milliseconds. */
  readonly begins: number;
  /** Milliseconds. */
  readonly duration: number;
  readonly colours: readonly ColourAt[];
}

const limits = { wait: 60, duration: 60, colours: 256 };

/** A challenge that came at now; null for a kind that this client does not know. Throws on one that is malformed or has no end. */
export function parseChallenge(value: unknown, now: number): Challenge | null {
  const c = value as Record<string, unknown> | null;
  if (typeof c !== 'object' || c === null) throw new TypeError('challenge is not an object');
  const { id, kind, attempt, begins_in: wait, duration, colours } = c;
  if (typeof id !== 'string' || typeof kind !== 'string') throw new TypeError('challenge has no id or kind');
  if (kind !== 'flash') return null;
  if (!within(wait, -limits.wait, limits.wait) || !within(duration, 0, limits.duration)) throw new TypeError('challenge has no end');
  if (!Array.isArray(colours) || colours.length < 2 || colours.length > limits.colours) throw new TypeError('challenge has no colours');
  return {
    id,
    kind,
    attempt: typeof attempt === 'number' ? attempt : 1,
    begins: now + 1000 * wait,
    duration: 1000 * duration,
    colours: colours.map((x, i) => colourAt(x, i ? (colours[i - 1] as ColourAt).at : 0, duration)),
  };
}

// Times never fall and end with the challenge, as an animation's must.
function colourAt(value: unknown, least: number, most: number): ColourAt {
  const { at, colour } = (value ?? {}) as Record<string, unknown>;
  if (!within(at, least, most)) throw new TypeError('a colour has no time');
  if (typeof colour !== 'string' || !/^#[0-9a-f]{6}$/.test(colour)) throw new TypeError('a colour is none');
  return { at, colour };
}

function within(v: unknown, least: number, most: number): v is number {
  return typeof v === 'number' && v >= least && v <= most;
}

/** The challenge's colours for Element.animate. */
export function keyframes(c: Challenge): Keyframe[] {
  return c.colours.map(({ at, colour }) => ({ offset: Math.min(1, (1000 * at) / c.duration), backgroundColor: colour }));
}

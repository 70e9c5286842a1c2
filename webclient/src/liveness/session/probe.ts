// The server's probe: send fewer pictures a second for a moment. The server looks in the stream for the effect (docs/injection.md). The
// person notices nothing.

export interface Probe {
  /** Pictures a second at most. */
  readonly frameRate: number;
  /** For how long, milliseconds. */
  readonly duration: number;
}

const limits = { frameRate: 60, duration: 5 };

/** A probe as the server's message has it. Throws on one that is malformed. */
export function parseProbe(value: unknown): Probe {
  const { frame_rate: frameRate, duration } = (value ?? {}) as Record<string, unknown>;
  if (typeof frameRate !== 'number' || !(frameRate >= 1 && frameRate <= limits.frameRate)) throw new TypeError('probe has no rate');
  if (typeof duration !== 'number' || !(duration > 0 && duration <= limits.duration)) throw new TypeError('probe has no end');
  return { frameRate, duration: 1000 * duration };
}

/** Limits the pictures that are sent; without a rate, to the usual one. Rejects where the browser cannot. */
export type LimitRate = (frameRate?: number) => Promise<void>;

export class Prober {
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** answer tells the server whether the probe is followed. */
  constructor(
    private readonly limit: LimitRate,
    private readonly answer: (able: boolean) => void,
  ) {}

  /** Follows a probe and restores the usual rate after it. Never rejects. */
  async follow(probe: Probe): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.limit().catch(() => undefined), probe.duration);
    try {
      await this.limit(probe.frameRate);
      this.answer(true);
    } catch {
      clearTimeout(this.#timer);
      this.answer(false);
    }
  }

  /** Safe to call twice. */
  close(): void {
    clearTimeout(this.#timer);
  }
}

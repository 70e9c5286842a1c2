// Which hint the person gets, and for how long; the words are in words/.
import type { ServerReason } from '../words/catalogue';

// What the person can act on comes before what they cannot.
const unhelpful = new Set<string>([
  'deadline',
  'insufficient_evidence',
  'score_above_threshold',
  'score_below_threshold',
] satisfies ServerReason[]);

/** The one reason worth telling at a retry: the first that says what to change. */
export function advice(reasons: readonly string[]): string {
  return reasons.find((r) => !unhelpful.has(r)) ?? reasons[0] ?? '';
}

/**
 * Paces hints so that each can be read: one stays at least minMs, in between
 * the newest wins. show is called with '' when there is nothing to change.
 */
export class HintPacer {
  #shown = '';
  #wanted = '';
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly show: (reason: string) => void,
    private readonly minMs = 900,
  ) {}

  set(reason: string): void {
    this.#wanted = reason;
    if (this.#timer === undefined) this.#flush();
  }

  /** Forgets everything at once, without showing. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#shown = this.#wanted = '';
  }

  #flush(): void {
    this.#timer = undefined;
    if (this.#wanted === this.#shown) return;
    this.#shown = this.#wanted;
    this.show(this.#shown);
    if (this.#shown !== '') this.#timer = setTimeout(() => this.#flush(), this.minMs);
  }
}

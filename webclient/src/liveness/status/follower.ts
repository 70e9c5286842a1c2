// The connection to the events: opened again when it ends, and distrusted when nothing comes.
import type { Heard } from './standing';
import { EventParser, type ServerEvent } from './stream';

export interface Pace {
  /** Nothing heard for so long: nothing is known any more. The server writes at least every 17 s. */
  readonly silenceMs: number;
  /** The same after the connection has ended: a new one is tried in this time before the verdict is given up. */
  readonly dropMs: number;
  /** Pause before the first new try; it doubles up to maxRetryMs. */
  readonly retryMs: number;
  readonly maxRetryMs: number;
}

export const defaults: Pace = { silenceMs: 30_000, dropMs: 5_000, retryMs: 1_000, maxRetryMs: 30_000 };

const tickMs = 1_000;

/** Opens the stream once: fetch with the address, or what the page does instead. */
export type Open = (signal: AbortSignal) => Promise<Response>;

// A clock that was set back does not say how long ago it was: then it counts as long.
const since = (at: number) => Math.abs(Date.now() - at);

/** The server will not answer otherwise when it is asked again. */
class Refused extends Error {}

export class Follower {
  readonly #closed = new AbortController();
  #attempt = new AbortController();
  #begunAt = Date.now(); // the attempt
  #heardAt = Date.now(); // the last byte, in any attempt
  #patience: number;
  #heard = false; // in this attempt
  #failures = 0;

  constructor(
    private readonly open: Open,
    private readonly tell: (heard: Heard) => void,
    private readonly pace: Pace = defaults,
  ) {
    this.#patience = pace.silenceMs;
  }

  /** Follows until the session ends, the server refuses for good, or close. Never rejects. */
  async run(): Promise<void> {
    // By the clock of the wall: one timer over the whole time would stand still while the computer sleeps.
    const timer = setInterval(() => this.#look(), tickMs);
    try {
      while (!this.#over()) await this.#round();
    } finally {
      clearInterval(timer);
    }
  }

  close(): void {
    this.#closed.abort();
    this.#attempt.abort();
  }

  #over(): boolean {
    return this.#closed.signal.aborted;
  }

  async #round(): Promise<void> {
    let pause = 0;
    this.#attempt = new AbortController();
    this.#begunAt = Date.now();
    this.#heard = false;
    try {
      pause = await this.#read(await this.open(this.#attempt.signal));
    } catch (err) {
      if (this.#mute()) this.#silence(); // not even a new connection could be had
      if (err instanceof Refused) this.close();
    } finally {
      this.#attempt.abort();
      this.#patience = this.pace.dropMs; // it ended, as when a server restarts
    }
    if (!this.#over()) await this.#wait(pause);
  }

  // Reads to the end of the stream; returns the pause that the server asks for, in ms.
  async #read(response: Response): Promise<number> {
    if (response.status === 204) {
      this.#end();
      return 0;
    }
    if (!response.ok || !response.body) return this.#refusal(response);
    const parser = new EventParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let piece = await reader.read(); !piece.done && !this.#over(); piece = await reader.read()) {
      this.#hear();
      this.#understand(parser, piece.value);
    }
    return 0;
  }

  #refusal(response: Response): number {
    const passing = response.status === 429 || response.status >= 500;
    if (!passing) throw new Refused(`HTTP ${response.status}`);
    this.#silence();
    return 1000 * (Number(response.headers.get('Retry-After')) || 0);
  }

  // What cannot be read says that nothing is known, and ends the connection.
  #understand(parser: EventParser, piece: string): void {
    try {
      for (const event of parser.push(piece)) this.#take(event);
    } catch (err) {
      this.#silence();
      throw err;
    }
  }

  #take(event: ServerEvent): void {
    if (this.#over()) return;
    if (event.type === 'end') return this.#end();
    if (event.type !== 'state') return;
    const data: unknown = JSON.parse(event.data);
    this.#failures = 0;
    this.tell({ type: 'state', data });
  }

  #end(): void {
    this.tell({ type: 'end' });
    this.close();
  }

  #hear(): void {
    this.#heard = true;
    this.#heardAt = Date.now();
    this.#patience = this.pace.silenceMs;
  }

  // Nothing came in this attempt.
  #mute(): boolean {
    return !this.#heard;
  }

  #look(): void {
    if (since(this.#heardAt) >= this.#patience) this.#silence();
    if (since(Math.max(this.#heardAt, this.#begunAt)) >= this.pace.silenceMs) this.#attempt.abort();
  }

  #silence(): void {
    if (!this.#over()) this.tell({ type: 'silence', at: Date.now() });
  }

  // Half of the pause is chance, so that the pages of all agents do not come back at once.
  async #wait(least: number): Promise<void> {
    const pause = Math.min(this.pace.maxRetryMs, this.pace.retryMs * 2 ** this.#failures++);
    const ms = Math.max(least, pause * (0.5 + Math.random() / 2));
    await new Promise<void>((done) => {
      const timer = setTimeout(done, ms);
      const stop = () => {
        clearTimeout(timer);
        done();
      };
      this.#closed.signal.addEventListener('abort', stop, { once: true });
    });
  }
}

// <liveness-check session-url="…">: the machine's effects. It opens an attempt
// when the machine says so and closes it in every state that is not active.
import { Attempt, defaults } from './attempt';
import { initial, isActive, isEnd, next, type MachineEvent, type Result, type Snapshot, type State } from './machine';
import type { Sample } from './signalling';
import { View } from './view';

export interface StateChangeDetail {
  readonly state: State;
  readonly previous: State;
  readonly sessionId: string;
  /** Set in state error; see errors.ts. */
  readonly error: string;
}

export interface LivenessResultDetail {
  readonly result: Result;
  /** Reason codes; see reason.go. */
  readonly reasons: readonly string[];
  readonly sessionId: string;
}

declare global {
  interface HTMLElementTagNameMap {
    'liveness-check': LivenessCheck;
  }
  interface HTMLElementEventMap {
    statechange: CustomEvent<StateChangeDetail>;
    livenessresult: CustomEvent<LivenessResultDetail>;
    livenesssample: CustomEvent<Sample>;
  }
}

const resultOf: Partial<Record<State, Result>> = { passed: 'pass', retry: 'retry', failed: 'fail' };

/**
 * Attributes: session-url (required), lang, theme ("light", "dark"; else the
 * system's), auto-start, allow-repeat (offer another check after a pass), codec.
 * Events: statechange, livenessresult; livenesssample from a server in dev mode.
 * data-state, data-hint, data-error and data-session-id mirror the state.
 */
export class LivenessCheck extends HTMLElement {
  static readonly observedAttributes = ['lang', 'allow-repeat'];

  readonly #view = new View(this.attachShadow({ mode: 'open' }), {
    start: () => this.start(),
    cancel: () => this.cancel(),
  });
  #snapshot: Snapshot = initial;
  #attempt: Attempt | undefined;

  connectedCallback(): void {
    this.#draw();
    if (this.hasAttribute('auto-start')) this.start();
  }

  /** Leaving the document ends the check. */
  disconnectedCallback(): void {
    this.cancel();
  }

  attributeChangedCallback(): void {
    this.#draw();
  }

  get state(): State {
    return this.#snapshot.state;
  }

  /** Starts a check; nothing happens while one runs. */
  start(): void {
    this.#dispatch({ type: 'start' });
  }

  /** Ends a running check without a result and releases the camera. */
  cancel(): void {
    this.#dispatch({ type: 'cancel' });
  }

  #dispatch(e: MachineEvent): void {
    const previous = this.#snapshot;
    this.#snapshot = next(previous, e);
    if (this.#snapshot === previous) return;
    const entered = this.#snapshot.state !== previous.state;
    if (entered) this.#effects(this.#snapshot.state);
    this.#draw();
    if (entered) this.#announce(previous.state);
  }

  // The camera's whole life is here: acquired when permission is entered,
  // released when the check is not active any more.
  #effects(state: State): void {
    if (!isActive(state)) this.#release();
    if (state === 'permission') this.#begin();
  }

  #begin(): void {
    this.#release();
    const attempt = new Attempt(
      { sessionUrl: this.getAttribute('session-url') ?? '', codec: this.getAttribute('codec') ?? '', ...defaults },
      {
        event: (e) => this.#dispatch(e),
        preview: (stream) => this.#view.preview(stream),
        sample: (detail) => this.#emit('livenesssample', detail),
      },
    );
    this.#attempt = attempt;
    void attempt.run();
  }

  #release(): void {
    this.#attempt?.close();
    this.#attempt = undefined;
    this.#view.preview(null);
  }

  #draw(): void {
    const s = this.#snapshot;
    this.#mirror({ state: s.state, hint: s.hint, error: s.error, sessionId: s.sessionId });
    this.#view.draw(s, this.#lang(), this.hasAttribute('allow-repeat'));
  }

  // The nearest lang attribute, as HTML says.
  #lang(): string {
    return this.closest('[lang]')?.getAttribute('lang') ?? document.documentElement.lang;
  }

  #mirror(values: Record<string, string>): void {
    for (const [key, value] of Object.entries(values)) {
      if (value) this.dataset[key] = value;
      // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- a dataset drops an attribute in no other way
      else delete this.dataset[key];
    }
  }

  #announce(previous: State): void {
    const { state, sessionId, error, reasons } = this.#snapshot;
    this.#emit('statechange', { state, previous, sessionId, error });
    const result = resultOf[state];
    if (isEnd(state) && result) this.#emit('livenessresult', { result, reasons, sessionId });
  }

  #emit(type: 'statechange' | 'livenessresult' | 'livenesssample', detail: unknown): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }
}

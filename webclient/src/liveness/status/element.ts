// <liveness-status>: what stands, followed for as long as the element is in a document.
import { langOf, watchLang } from '../shared/lang';
import type { LivenessStatusDetail } from './events';
import { Follower, type Open } from './follower';
import { initial, next, type Heard, type Standing, type Status } from './standing';
import { StatusView } from './view';
import { reasonText, speak, type StatusSpoken, type StatusTexts } from './words';

declare global {
  interface HTMLElementTagNameMap {
    'liveness-status': LivenessStatus;
  }
}

/** Called for each connection: the address of the events, or a fetch's Response with them. */
export type EventSourceOf = (request: { signal: AbortSignal }) => string | Response | Promise<string | Response>;

// Where there is no DOM (Node, at server-side rendering) the module can be imported all the same.
// eslint-disable-next-line @typescript-eslint/no-unnecessary-condition, @typescript-eslint/no-extraneous-class -- the type says that there always is one; nothing is done with the empty class
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

// Set before the element was defined, these lie on the instance and hide the accessors.
const properties = ['eventsUrl', 'source', 'credentials', 'texts'] as const;

/**
 * Shows the agent of a call whether a live person is in front of the caller's camera, since when, and what changed it. Raises an alarm when that is lost.
 *
 * @tag liveness-status
 *
 * @attr {string} events-url - The address of the session's events: `events_url` of its read token, or a route of your own backend.
 * @attr {"omit" | "same-origin" | "include"} [credentials=same-origin] - Whether cookies go with that request, as in `fetch`.
 * @attr {string} lang - The language of the words; else the nearest `lang` around the element. Changes are followed.
 * @attr {"light" | "dark"} theme - Colours; else the system's.
 *
 * @fires {LivenessStatusDetail} liveness-status - The status, its reason or the alarm has changed.
 *
 * @csspart card - The whole.
 * @csspart lamp - The sign of the status.
 * @csspart words - The words.
 * @csspart title - The status.
 * @csspart reason - What changed it.
 * @csspart since - Since when.
 * @csspart alarm - The alarm; empty without one.
 *
 * @cssprop [--liveness-surface=#fff] - The card.
 * @cssprop [--liveness-text=#15171c] - The title where it has no colour of its own.
 * @cssprop [--liveness-muted=#5b606b] - The reason and the time.
 * @cssprop [--liveness-line=#dfe1e6] - The card's border.
 * @cssprop [--liveness-success=#17794a] - Live.
 * @cssprop [--liveness-warning=#96600a] - Not confirmed, connection lost.
 * @cssprop [--liveness-danger=#b3352b] - A suspected attack, the alarm.
 * @cssprop [--liveness-on-danger=#fff] - The alarm's words.
 * @cssprop [--liveness-radius=20px] - The card's corners.
 * @cssprop [--liveness-font=inherit] - The font.
 */
export class LivenessStatus extends Base {
  static readonly observedAttributes = ['events-url', 'credentials', 'lang'];

  readonly #view = new StatusView(this.attachShadow({ mode: 'open' }));
  #standing: Standing = initial;
  #follower: Follower | undefined;
  #unwatch: () => void = () => undefined;
  #restarting = false;
  #source: EventSourceOf | null = null;
  #texts: StatusTexts | ((lang: string) => StatusTexts) | null = null;

  constructor() {
    super();
    for (const name of properties) this.#adopt(name);
  }

  connectedCallback(): void {
    this.#unwatch = watchLang(this, () => this.#draw());
    this.#restart();
  }

  /** Leaving the document ends the connection. */
  disconnectedCallback(): void {
    this.#unwatch();
    this.#stop();
  }

  /** moveBefore() keeps the connection. */
  connectedMoveCallback(): void {
    this.#unwatch();
    this.#unwatch = watchLang(this, () => this.#draw());
    this.#draw();
  }

  attributeChangedCallback(name: string): void {
    if (name === 'lang') this.#draw();
    else this.#restart();
  }

  /** What is shown: `connecting`, `pending`, `live`, `spoof`, `lost`, `unknown` or `ended`. */
  get status(): Status {
    return this.#standing.status;
  }

  /** The attribute events-url. */
  get eventsUrl(): string {
    return this.getAttribute('events-url') ?? '';
  }
  set eventsUrl(url: string) {
    if (url) this.setAttribute('events-url', url);
    else this.removeAttribute('events-url');
  }

  /** Called for each connection in place of events-url. Returns an address, or a fetch's Response, so that headers of your own can go with it. */
  get source(): EventSourceOf | null {
    return this.#source;
  }
  set source(source: EventSourceOf | null) {
    this.#source = source;
    this.#restart();
  }

  /** Whether cookies go with the request to events-url. */
  get credentials(): RequestCredentials {
    const value = this.getAttribute('credentials');
    return value === 'omit' || value === 'include' ? value : 'same-origin';
  }
  set credentials(value: RequestCredentials) {
    this.setAttribute('credentials', value);
  }

  /** Words of your own in place of the built-in ones, or a function that returns them for a language. */
  get texts(): StatusTexts | ((lang: string) => StatusTexts) | null {
    return this.#texts;
  }
  set texts(texts: StatusTexts | ((lang: string) => StatusTexts) | null) {
    this.#texts = texts;
    this.#draw();
  }

  // Several settings of one moment make one connection. What stood belongs to the former source.
  #restart(): void {
    this.#stop();
    this.#turn(initial);
    if (this.#restarting) return;
    this.#restarting = true;
    queueMicrotask(() => {
      this.#restarting = false;
      this.#follow();
    });
  }

  #follow(): void {
    if (!this.isConnected || (!this.#source && !this.eventsUrl)) return;
    const follower = new Follower(this.#open, (heard) => this.#hear(follower, heard));
    this.#follower = follower;
    void follower.run();
  }

  #stop(): void {
    this.#follower?.close();
    this.#follower = undefined;
  }

  readonly #open: Open = async (signal) => {
    const from = this.#source ? await this.#source({ signal }) : this.eventsUrl;
    if (typeof from !== 'string') return from;
    const headers = { Accept: 'text/event-stream' };
    return fetch(from, { signal, headers, credentials: this.credentials, cache: 'no-store', referrerPolicy: 'no-referrer' });
  };

  #hear(from: Follower, heard: Heard): void {
    if (from === this.#follower) this.#turn(next(this.#standing, heard));
  }

  #turn(standing: Standing): void {
    const previous = this.#standing;
    this.#standing = standing;
    this.#draw();
    const { status, reason, alarm, sessionId } = standing;
    const same = status === previous.status && reason === previous.reason && alarm === previous.alarm && sessionId === previous.sessionId;
    if (!same) this.#announce(previous.status);
  }

  #announce(previous: Status): void {
    const { status, verdict, reason, since, alarm, sessionId } = this.#standing;
    const text = reasonText(this.#spoken().words, reason);
    const at = since === undefined ? '' : new Date(since).toISOString();
    const detail: LivenessStatusDetail = { status, previous, verdict, reason, text, since: at, alarm, sessionId };
    this.dispatchEvent(new CustomEvent('liveness-status', { detail, bubbles: true, composed: true }));
  }

  #draw(): void {
    if (this.isConnected) this.dataset['status'] = this.#standing.status; // a constructor must not set attributes
    this.#view.draw(this.#standing, this.#spoken());
  }

  #spoken(): StatusSpoken {
    const lang = langOf(this);
    return speak(lang, (typeof this.#texts === 'function' ? this.#texts(lang) : this.#texts) ?? {});
  }

  #adopt(name: (typeof properties)[number]): void {
    if (!Object.hasOwn(this, name)) return;
    const value = this[name];
    Reflect.deleteProperty(this, name);
    Object.assign(this, { [name]: value });
  }
}

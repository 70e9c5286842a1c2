// <liveness-check>: the machine's effects. It opens an attempt when the machine
// says so and closes it in every state that is not active.
import { Attempt, defaults } from './attempt';
import { Camera, requested, type CameraChoice, type Facing } from './camera/camera';
import { ChallengeScreen } from './challenge/screen';
import { emit } from './events';
import { initial, isActive, next, type MachineEvent, type Result, type Snapshot, type State } from './machine';
import type { GetSession, SessionAnswer, SessionHeaders, SessionSource } from './session/session';
import { langOf, watchLang } from './shared/lang';
import { other, type Cameras } from './view/picker';
import { View, wordsOf } from './view/view';
import { reasonText, speak, type Catalogue, type Spoken, type Texts } from './words';

declare global {
  interface HTMLElementTagNameMap {
    'liveness-check': LivenessCheck;
  }
}

const resultOf: Partial<Record<State, Result>> = { passed: 'pass', retry: 'retry', failed: 'fail' };

// Where there is no DOM (Node, at server-side rendering) the module can be imported all the same.
// eslint-disable-next-line @typescript-eslint/no-unnecessary-condition, @typescript-eslint/no-extraneous-class -- the type says that there always is one; nothing is done with the empty class
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

// Set before the element was defined, these lie on the instance and hide the accessors.
const properties = [
  'sessionUrl',
  'session',
  'getSession',
  'credentials',
  'headers',
  'texts',
  'facing',
  'autoStart',
  'allowRepeat',
  'noLight',
] as const;

/**
 * Asks for the camera, sends it to Liveproof over WebRTC, tells the person what to change, and ends in a result.
 *
 * @tag liveness-check
 *
 * @attr {string} session-url - Where the component asks for a session, by `POST`: a route of your own backend.
 * @attr {"omit" | "same-origin" | "include"} [credentials=same-origin] - Whether cookies go with that request, as in `fetch`.
 * @attr {string} lang - The language of the words; else the nearest `lang` around the element. Changes are followed.
 * @attr {"light" | "dark"} theme - Colours; else the system's.
 * @attr {"user" | "environment"} [facing=user] - The camera to begin with: front or back.
 * @attr {boolean} auto-start - Start without a press.
 * @attr {boolean} allow-repeat - Offer another check after a pass.
 * @attr {"auto" | ""} no-light - Decline a challenge by light, in favour of one by movement where the server allows it; `auto` does so only where the system asks for reduced motion.
 * @attr {string} codec - The name of a codec, such as `VP8` or `H264`: send only this one.
 *
 * @fires {StateChangeDetail} liveness-state - The check entered another state. `statechange` is the same under its former name.
 * @fires {LivenessHintDetail} liveness-hint - What the person should change has changed; `hint` is empty when all is well.
 * @fires {LivenessResultDetail} liveness-result - The check ended in a result. `livenessresult` is the same under its former name.
 * @fires {LivenessErrorDetail} liveness-error - The check ended without a result.
 * @fires {LivenessCameraDetail} liveness-camera - A camera runs: what it was asked for, and what it gives.
 * @fires {Sample} liveness-sample - One scored frame; only from a server with `--dev`. `livenesssample` is the same under its former name.
 *
 * @slot start - Takes the place of title and text before the check.
 * @slot result - Takes their place when the check ended in a result.
 * @slot error - Takes their place when the check ended without one.
 *
 * @csspart card - The whole.
 * @csspart stage - Where the camera's picture is.
 * @csspart video - The camera's picture.
 * @csspart oval - Where the face belongs.
 * @csspart hint - What the person should change now.
 * @csspart cameras - The controls for cameras, there when the device has several.
 * @csspart camera-list - The list of cameras.
 * @csspart camera-switch - The button for the other camera.
 * @csspart foot - The words and the button.
 * @csspart words - The words, or what stands in their slot.
 * @csspart screen - The screen of a challenge, which covers the page.
 * @csspart title - The title of a state.
 * @csspart text - The text of a state.
 * @csspart button - The one button: start, cancel, try again.
 *
 * @cssprop [--liveness-accent=#2f55d4] - The start button.
 * @cssprop [--liveness-on-accent=#fff] - Its words.
 * @cssprop [--liveness-surface=#fff] - The card.
 * @cssprop [--liveness-text=#15171c] - The title.
 * @cssprop [--liveness-muted=#5b606b] - The text.
 * @cssprop [--liveness-line=#dfe1e6] - The card's border.
 * @cssprop [--liveness-success=#17794a] - A pass.
 * @cssprop [--liveness-warning=#96600a] - Another try, an error.
 * @cssprop [--liveness-danger=#b3352b] - A failed check.
 * @cssprop [--liveness-stage=#e9ebef] - Where no picture is.
 * @cssprop [--liveness-stage-line=#b6bac4] - The oval before the check.
 * @cssprop [--liveness-radius=20px] - The card's corners.
 * @cssprop [--liveness-font=inherit] - The font.
 */
export class LivenessCheck extends Base {
  static readonly observedAttributes = ['lang', 'allow-repeat', 'session-url'];

  readonly #root = this.attachShadow({ mode: 'open' });
  readonly #view = new View(this.#root, {
    start: () => this.start(),
    cancel: () => this.cancel(),
    choose: (camera) => this.#use(camera),
    slotted: () => this.#draw(),
  });
  readonly #screen = new ChallengeScreen(this.#root, {
    over: () => this.#dispatch({ type: 'challenge-over' }),
    declined: (c) => {
      this.#attempt?.decline(c);
      this.#dispatch({ type: 'challenge-over' });
    },
    cancelled: () => this.cancel(),
  });
  #snapshot: Snapshot = initial;
  #attempt: Attempt | undefined;
  #cameras: Cameras | undefined;
  #chosen: CameraChoice | undefined;
  #unwatch: () => void = () => undefined;
  #session: SessionAnswer | null = null;
  #spent = false;
  #getSession: GetSession | null = null;
  #headers: SessionHeaders | null = null;
  #texts: Texts | ((lang: string) => Texts) | null = null;

  constructor() {
    super();
    for (const name of properties) this.#adopt(name);
  }

  connectedCallback(): void {
    this.#unwatch = watchLang(this, () => this.#draw());
    this.#draw();
    if (this.autoStart) this.start();
  }

  /** Leaving the document ends the check. */
  disconnectedCallback(): void {
    this.#unwatch();
    this.cancel();
  }

  /** moveBefore() keeps the check running. */
  connectedMoveCallback(): void {
    this.#unwatch();
    this.#unwatch = watchLang(this, () => this.#draw());
    this.#draw();
  }

  attributeChangedCallback(): void {
    this.#draw();
  }

  /** The state of the check. */
  get state(): State {
    return this.#snapshot.state;
  }

  /** The attribute session-url. */
  get sessionUrl(): string {
    return this.getAttribute('session-url') ?? '';
  }
  set sessionUrl(url: string) {
    this.#reflect('session-url', url);
  }

  /** A session that your page already has: what Liveproof answered to your backend. It is good for one check, and is used before getSession and session-url. */
  get session(): SessionAnswer | null {
    return this.#session;
  }
  set session(session: SessionAnswer | null) {
    this.#session = session;
    this.#draw();
  }

  /** Called for a session at each start, in place of session-url. May return a fetch's Response. */
  get getSession(): GetSession | null {
    return this.#getSession;
  }
  set getSession(get: GetSession | null) {
    this.#getSession = get;
    this.#draw();
  }

  /** Whether cookies go with the request to session-url. */
  get credentials(): RequestCredentials {
    const value = this.getAttribute('credentials');
    return value === 'omit' || value === 'include' ? value : 'same-origin';
  }
  set credentials(value: RequestCredentials) {
    this.#reflect('credentials', value);
  }

  /** Headers for the request to session-url, or a function that returns them. */
  get headers(): SessionHeaders | null {
    return this.#headers;
  }
  set headers(headers: SessionHeaders | null) {
    this.#headers = headers;
  }

  /** Words of your own in place of the built-in ones, or a function that returns them for a language. */
  get texts(): Texts | ((lang: string) => Texts) | null {
    return this.#texts;
  }
  set texts(texts: Texts | ((lang: string) => Texts) | null) {
    this.#texts = texts;
    this.#draw();
  }

  /** The camera to begin with. */
  get facing(): Facing {
    return this.getAttribute('facing') === 'environment' ? 'environment' : 'user';
  }
  set facing(facing: Facing) {
    this.#reflect('facing', facing);
  }

  /** The attribute auto-start. */
  get autoStart(): boolean {
    return this.hasAttribute('auto-start');
  }
  set autoStart(on: boolean) {
    this.#reflect('auto-start', on);
  }

  /** The attribute allow-repeat. */
  get allowRepeat(): boolean {
    return this.hasAttribute('allow-repeat');
  }
  set allowRepeat(on: boolean) {
    this.#reflect('allow-repeat', on);
  }

  /** The attribute no-light. */
  get noLight(): boolean {
    const value = this.getAttribute('no-light');
    return value === 'auto' ? matchMedia('(prefers-reduced-motion: reduce)').matches : value !== null;
  }
  set noLight(on: boolean) {
    this.#reflect('no-light', on);
  }

  /** Starts a check; nothing happens while one runs. */
  start(): void {
    this.#dispatch({ type: 'start' });
  }

  /** Ends a running check without a result and releases the camera. */
  cancel(): void {
    this.#dispatch({ type: 'cancel' });
  }

  /** Changes to the camera with this id; without one to the other side's, or to the next. Nothing happens while no camera runs. */
  switchCamera(deviceId?: string): void {
    const choice = deviceId ? { deviceId } : this.#cameras && other(this.#cameras);
    if (choice) this.#use(choice);
  }

  #dispatch(e: MachineEvent): void {
    const previous = this.#snapshot;
    this.#snapshot = next(previous, e);
    if (this.#snapshot === previous) return;
    if (e.type === 'session-created') this.#spend();
    const entered = this.#snapshot.state !== previous.state;
    if (entered) this.#effects(this.#snapshot.state);
    this.#draw();
    this.#announce(previous);
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
      {
        source: this.#source(),
        camera: this.#chosen ?? { facing: this.facing },
        codec: this.getAttribute('codec') ?? '',
        light: !this.noLight,
        ...defaults,
      },
      {
        event: (e) => this.#dispatch(e),
        camera: (camera) => void this.#runs(camera),
        sample: (detail) => emit(this, 'liveness-sample', detail),
      },
    );
    this.#attempt = attempt;
    void attempt.run();
  }

  #release(): void {
    this.#attempt?.close();
    this.#attempt = undefined;
    this.#cameras = undefined;
    this.#view.preview(null);
  }

  #source(): SessionSource {
    return {
      session: this.#session,
      getSession: this.#getSession,
      url: this.sessionUrl,
      credentials: this.credentials,
      headers: this.#headers,
    };
  }

  // A session opens one connection, once.
  #spend(): void {
    if (!this.#session) return;
    this.#session = null;
    this.#spent = true;
  }

  async #runs(camera: Camera): Promise<void> {
    this.#cameras = { current: camera, devices: [] };
    this.#view.preview(camera.stream, camera.facing !== 'environment');
    const cameras = await Camera.list().catch(() => []);
    if (this.#current() !== camera) return; // ended meanwhile
    this.#cameras = { current: camera, devices: cameras };
    this.#draw();
    const { deviceId, facing } = camera;
    emit(this, 'liveness-camera', { requested, delivered: camera.delivered(), deviceId, facing, cameras });
  }

  #current(): Camera | undefined {
    return this.#cameras?.current;
  }

  #use(choice: CameraChoice): void {
    if (!this.#attempt) return;
    this.#chosen = choice;
    this.#attempt.useCamera(choice);
  }

  #draw(): void {
    const s = this.#snapshot;
    const camera = this.#current();
    this.#screen.show(s.challenge, this.#spoken(), camera?.stream ?? null, camera?.facing !== 'environment');
    this.#mirror({ state: s.state, hint: s.hint, error: s.error, sessionId: s.sessionId });
    this.#view.draw(s, { spoken: this.#spoken(), startable: this.#startable(), cameras: this.#cameras });
  }

  #startable(): boolean {
    if (this.#snapshot.state === 'passed' && !this.allowRepeat) return false;
    return !this.#spent || this.#session !== null || this.#getSession !== null || this.sessionUrl !== '';
  }

  #spoken(): Spoken {
    const lang = langOf(this);
    return speak(lang, (typeof this.#texts === 'function' ? this.#texts(lang) : this.#texts) ?? {});
  }

  #mirror(values: Record<string, string>): void {
    for (const [key, value] of Object.entries(values)) {
      if (value) this.dataset[key] = value;
      // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- a dataset drops an attribute in no other way
      else delete this.dataset[key];
    }
  }

  #reflect(name: string, value: string | boolean): void {
    if (value === false || value === '') this.removeAttribute(name);
    else this.setAttribute(name, value === true ? '' : value);
  }

  #adopt(name: (typeof properties)[number]): void {
    if (!Object.hasOwn(this, name)) return;
    const value = this[name];
    Reflect.deleteProperty(this, name);
    Object.assign(this, { [name]: value });
  }

  #announce(previous: Snapshot): void {
    const s = this.#snapshot;
    const { state, sessionId, error, reasons, hint } = s;
    if (state !== previous.state) emit(this, 'liveness-state', { state, previous: previous.state, sessionId, error });
    if (s !== this.#snapshot) return; // a listener started or cancelled the check
    const { words } = this.#spoken();
    if (hint !== previous.hint) emit(this, 'liveness-hint', { hint, text: hint && reasonText(words, hint), sessionId });
    if (state === previous.state) return;
    if (state === 'challenge') emit(this, 'liveness-hint', { hint: 'challenge', text: challengeTitle(s, words), sessionId });
    const result = resultOf[state];
    if (result) emit(this, 'liveness-result', { result, reasons, sessionId });
    if (error) emit(this, 'liveness-error', { error, ...wordsOf(s, words), message: s.message, sessionId });
  }
}

function challengeTitle(s: Snapshot, words: Catalogue): string {
  return s.challenge?.kind === 'turn' ? words.turn.title : words.states.challenge.title;
}

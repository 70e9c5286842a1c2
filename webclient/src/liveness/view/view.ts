// What the person sees: built once in the shadow root, then drawn from
// snapshots. It holds no state of the check, only the DOM.
import type { CameraChoice } from '../camera/camera';
import { isActive, isEnd, type Snapshot, type State } from '../machine';
import { build, find } from '../shared/shadow';
import { catalogue, reasonText, type Catalogue, type Spoken, type Words } from '../words';
import { advice, HintPacer } from './hints';
import { Picker, type Cameras } from './picker';
import styles from './styles.css?inline';
import { template } from './template';

export interface ViewHandlers {
  start(): void;
  cancel(): void;
  choose(camera: CameraChoice): void;
  /** The page put something into a slot, or took it away. */
  slotted(): void;
}

/** How a snapshot is shown. */
export interface Look {
  readonly spoken: Spoken;
  /** Another check can follow: after a pass when the page allows it, else when there is a way to a session. */
  readonly startable: boolean;
  readonly cameras: Cameras | undefined;
}

// Which of the page's own slots takes the place of the words.
const slotOf: Partial<Record<State, string>> = { idle: 'start', passed: 'result', retry: 'result', failed: 'result', error: 'error' };

export class View {
  readonly #card: HTMLElement;
  readonly #video: HTMLVideoElement;
  readonly #ring: SVGElement;
  readonly #hint: HTMLElement;
  readonly #title: HTMLElement;
  readonly #text: HTMLElement;
  readonly #button: HTMLButtonElement;
  readonly #live: HTMLElement;
  readonly #picker: Picker;
  readonly #pacer = new HintPacer((reason) => this.#showHint(reason));
  #words: Catalogue = catalogue('en');
  #drawn: State | '' = '';
  #shownHint = '';

  constructor(
    private readonly root: ShadowRoot,
    handlers: ViewHandlers,
  ) {
    build(root, template, styles);
    this.#card = find(root, '.card', HTMLElement);
    this.#video = find(root, 'video', HTMLVideoElement);
    this.#ring = find(root, '.ring', SVGElement);
    this.#hint = find(root, '.hint', HTMLElement);
    this.#title = find(root, 'h2', HTMLElement);
    this.#text = find(root, 'p', HTMLElement);
    this.#button = find(root, '.main', HTMLButtonElement);
    this.#live = find(root, '[role=status]', HTMLElement);
    this.#video.muted = true; // the attribute alone does not count in a parsed fragment
    this.#picker = new Picker(root, (camera) => handlers.choose(camera));
    this.#listen(handlers);
  }

  draw(s: Snapshot, look: Look): void {
    this.#speak(look.spoken);
    const hadFocus = this.root.activeElement !== null;
    const entered = s.state !== this.#drawn;
    this.#drawn = s.state;
    this.#card.dataset['state'] = s.state;
    this.#card.toggleAttribute('data-end', isEnd(s.state));
    this.#card.setAttribute('aria-label', this.#words.label);
    this.#drawProgress(s);
    this.#drawWords(s);
    this.#drawSlot(s.state);
    this.#drawButton(s.state, look.startable);
    this.#drawHint(s);
    this.#picker.draw(look.cameras, this.#words, s.state === 'connecting' || s.state === 'positioning');
    if (entered) this.#enter(s, hadFocus);
  }

  /** Shows the camera's picture, as in a mirror unless it looks away from the person; null takes it away. */
  preview(stream: MediaStream | null, mirrored = true): void {
    this.#video.srcObject = stream;
    this.#card.toggleAttribute('data-mirrored', mirrored);
    if (!stream) this.#card.removeAttribute('data-video');
  }

  #listen(handlers: ViewHandlers): void {
    this.#button.addEventListener('click', () => (isActive(this.#drawn || 'idle') ? handlers.cancel() : handlers.start()));
    this.#card.addEventListener('keydown', (e) => {
      if (e.key === 'Escape' && isActive(this.#drawn || 'idle')) handlers.cancel();
    });
    for (const slot of this.root.querySelectorAll('slot')) slot.addEventListener('slotchange', () => handlers.slotted());
    // The picture appears when there is one, not when the camera is only granted.
    this.#video.addEventListener('playing', () => this.#card.toggleAttribute('data-video', this.#video.srcObject !== null));
  }

  // The card says which language its words are in: where the page's is unknown they are English.
  #speak({ words, lang, dir }: Spoken): void {
    const changed = words !== this.#words;
    this.#words = words;
    this.#card.lang = lang;
    this.#card.dir = dir;
    if (changed && this.#shownHint) this.#hint.textContent = reasonText(words, this.#shownHint);
  }

  // The page's own words keep the page's direction; ours stay for screen readers.
  #drawSlot(state: State): void {
    const name = slotOf[state];
    const slot = name ? find(this.root, `slot[name=${name}]`, HTMLSlotElement) : undefined;
    const slotted = slot !== undefined && slot.assignedElements().length > 0;
    if (slotted) slot.dir = getComputedStyle(this.root.host).direction;
    this.#card.dataset['slot'] = slotted ? name : '';
  }

  #drawProgress(s: Snapshot): void {
    const percent = Math.round(s.progress.fraction * 100);
    this.#card.style.setProperty('--progress', String(percent));
    this.#card.toggleAttribute('data-progress', isActive(s.state) && percent > 0);
    this.#ring.setAttribute('aria-label', this.#words.progress);
    this.#ring.setAttribute('aria-valuenow', String(percent));
  }

  #drawWords(s: Snapshot): void {
    const { title, text } = wordsOf(s, this.#words);
    this.#title.textContent = title;
    this.#text.textContent = text;
  }

  #drawButton(state: State, startable: boolean): void {
    const active = isActive(state);
    this.#button.hidden = !active && !startable;
    this.#button.classList.toggle('quiet', active || state === 'passed');
    this.#button.textContent = active ? this.#words.cancel : this.#startLabel(state);
  }

  #startLabel(state: State): string {
    if (state === 'idle') return this.#words.start;
    return state === 'passed' ? this.#words.again : this.#words.retry;
  }

  #drawHint(s: Snapshot): void {
    if (isActive(s.state)) return this.#pacer.set(s.state === 'challenge' ? '' : s.hint);
    this.#pacer.clear();
    this.#showHint('');
  }

  #showHint(reason: string): void {
    const text = reason ? reasonText(this.#words, reason) : '';
    this.#shownHint = reason;
    if (text) this.#hint.textContent = text; // kept while it fades out
    this.#card.toggleAttribute('data-hint', this.#shownHint !== '');
    if (text) this.#live.textContent = text;
  }

  // On a phone the button is below the stage: starting brings both into view.
  // Screen readers hear each state once; who works with the keyboard lands on
  // the outcome, from where Tab leads to the button.
  #enter(s: Snapshot, hadFocus: boolean): void {
    if (s.state === 'permission') this.root.host.scrollIntoView({ block: 'nearest' });
    const { title, text } = wordsOf(s, this.#words);
    this.#live.textContent = s.state === 'idle' ? '' : `${title}. ${text}`;
    if (hadFocus && isEnd(s.state)) this.#title.focus({ preventScroll: true });
  }
}

/** Title and text of a state. */
export function wordsOf(s: Snapshot, words: Catalogue): Words {
  if (s.state === 'error') return words.errors[s.error || 'server_error'];
  const { title, text } = words.states[s.state];
  if (!isEnd(s.state)) return { title, text };
  const reason = s.state === 'retry' ? advice(s.reasons) : '';
  return { title, text: `${reason ? reasonText(words, reason) : text} ${words.cameraOff}` };
}

// The whole screen in the colours of a challenge, with the camera's picture and the words small above it.
import { find } from '../shared/shadow';
import { reasonText, type Catalogue, type Spoken } from '../words';
import { keyframes, type Challenge } from './challenge';

export interface ScreenHandlers {
  /** The colours have ended. */
  over(): void;
  /** The person wants no light. */
  declined(c: Challenge): void;
}

// The last colour, grey, stays for as long as its light may still be on its way, milliseconds.
const rest = 300;

const markup = `
<div class="screen-card">
  <video playsinline muted autoplay aria-hidden="true"></video>
  <div>
    <h2 id="screen-title"></h2>
    <p id="screen-text"></p>
  </div>
  <button type="button"></button>
</div>`;

export class ColourScreen {
  readonly #screen = document.createElement('div');
  readonly #video: HTMLVideoElement;
  readonly #title: HTMLElement;
  readonly #text: HTMLElement;
  readonly #button: HTMLButtonElement;
  #shown: Challenge | undefined;
  #animation: Animation | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly root: ShadowRoot,
    private readonly handlers: ScreenHandlers,
  ) {
    const screen = this.#screen;
    screen.className = 'screen';
    screen.hidden = true;
    screen.tabIndex = -1;
    screen.innerHTML = markup;
    const attributes = {
      part: 'screen',
      role: 'dialog',
      'aria-modal': 'true',
      'aria-labelledby': 'screen-title',
      'aria-describedby': 'screen-text',
    };
    for (const [name, value] of Object.entries(attributes)) screen.setAttribute(name, value);
    if ('popover' in screen) screen.popover = 'manual';
    root.append(screen);
    this.#video = find(root, '.screen video', HTMLVideoElement);
    this.#title = find(root, '.screen h2', HTMLElement);
    this.#text = find(root, '.screen p', HTMLElement);
    this.#button = find(root, '.screen button', HTMLButtonElement);
    this.#video.muted = true; // the attribute alone does not count in a parsed fragment
    this.#button.addEventListener('click', () => this.#decline());
    screen.addEventListener('keydown', (e) => e.key === 'Escape' && this.#decline());
  }

  /** Shows the challenge from now on; null takes the screen away. The same challenge again changes nothing. */
  show(c: Challenge | null, spoken: Spoken, camera: MediaStream | null, mirrored = true): void {
    if ((c ?? undefined) === this.#shown) return;
    this.#clear();
    this.#shown = c ?? undefined;
    if (!c) return this.#hide();
    this.#write(c, spoken);
    this.#video.srcObject = camera;
    this.#screen.toggleAttribute('data-mirrored', mirrored);
    this.#open();
    this.#play(c);
  }

  #play(c: Challenge): void {
    const delay = c.begins - performance.now();
    this.#animation = this.#screen.animate(keyframes(c), { delay, duration: c.duration, fill: 'both' });
    this.#timer = setTimeout(() => this.handlers.over(), delay + c.duration + rest);
  }

  #write(c: Challenge, { words, lang, dir }: Spoken): void {
    const { title, text } = wordsFor(c, words);
    this.#screen.lang = lang;
    this.#screen.dir = dir;
    this.#title.textContent = title;
    this.#text.textContent = text;
    this.#button.textContent = words.noLight;
  }

  // A popover lies above everything in the page, whatever its boxes clip. Without popovers the screen covers what it can.
  #open(): void {
    const screen = this.#screen;
    screen.hidden = false;
    if ('popover' in screen && !screen.matches(':popover-open')) screen.showPopover();
    screen.focus({ preventScroll: true });
  }

  #hide(): void {
    const screen = this.#screen;
    const focused = screen.contains(this.root.activeElement);
    if ('popover' in screen && screen.matches(':popover-open')) screen.hidePopover();
    screen.hidden = true;
    this.#video.srcObject = null;
    if (focused) this.root.querySelector<HTMLElement>('.main')?.focus({ preventScroll: true });
  }

  #decline(): void {
    if (this.#shown) this.handlers.declined(this.#shown);
  }

  #clear(): void {
    clearTimeout(this.#timer);
    this.#animation?.cancel();
    this.#animation = undefined;
  }
}

/** A further try says what to change. */
function wordsFor(c: Challenge, words: Catalogue): { title: string; text: string } {
  const { title, text } = words.states.challenge;
  return { title, text: c.attempt > 1 ? reasonText(words, 'challenge_failed') : text };
}

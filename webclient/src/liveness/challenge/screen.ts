// The screen of a challenge, which covers the page. For light it shows the colours, with the camera's picture and the words small above them;
// for movement the camera's picture is large, and an arrow and words say what to do.
import { find } from '../shared/shadow';
import type { Catalogue, Spoken } from '../words';
import { keyframes, type Challenge, type TurnChallenge } from './challenge';
import { pictogram } from './pictogram';

export interface ScreenHandlers {
  /** The challenge has ended. */
  over(): void;
  /** The person wants no light. */
  declined(c: Challenge): void;
  /** The person wants no check. */
  cancelled(): void;
}

// The last colour, grey, stays for as long as its light may still be on its way, and so does the last movement; milliseconds.
const rest = 300;

const markup = `
<div class="screen-card">
  <video playsinline muted autoplay aria-hidden="true"></video>
  <div class="screen-step">
    <svg viewBox="0 0 24 24" aria-hidden="true"><path/></svg>
    <p aria-live="assertive" aria-atomic="true"><span class="screen-words"></span> <span class="screen-count"></span></p>
  </div>
  <div class="screen-head">
    <h2 id="screen-title"></h2>
    <p id="screen-text"></p>
  </div>
  <button type="button"></button>
</div>`;

export class ChallengeScreen {
  readonly #screen = document.createElement('div');
  readonly #video: HTMLVideoElement;
  readonly #title: HTMLElement;
  readonly #text: HTMLElement;
  readonly #step: HTMLElement;
  readonly #button: HTMLButtonElement;
  #shown: Challenge | undefined;
  /** The step that is told, -1 before the first. */
  #told = -1;
  #words: Catalogue | undefined;
  #animation: Animation | undefined;
  #timers: ReturnType<typeof setTimeout>[] = [];

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
    this.#text = find(root, '#screen-text', HTMLElement);
    this.#step = find(root, '.screen-step', HTMLElement);
    this.#button = find(root, '.screen button', HTMLButtonElement);
    this.#video.muted = true; // the attribute alone does not count in a parsed fragment
    this.#button.addEventListener('click', () => this.#refuse());
    screen.addEventListener('keydown', (e) => e.key === 'Escape' && this.#refuse());
  }

  /** Shows the challenge from now on; null takes the screen away. The same challenge again only changes its words and its picture. */
  show(c: Challenge | null, spoken: Spoken, camera: MediaStream | null, mirrored = true): void {
    const another = (c ?? undefined) !== this.#shown;
    if (another) this.#clear();
    this.#shown = c ?? undefined;
    if (!c) return another ? this.#hide() : undefined;
    this.#write(c, spoken);
    this.#film(camera, mirrored);
    if (!another) return;
    this.#open();
    this.#play(c);
  }

  #play(c: Challenge): void {
    const delay = c.begins - performance.now();
    if (c.kind === 'flash') {
      this.#animation = this.#screen.animate(keyframes(c), { delay, duration: c.duration, fill: 'both' });
    } else {
      c.steps.forEach((s, i) => this.#after(delay + 1000 * s.at, () => this.#instruct(c, i)));
    }
    this.#after(delay + c.duration + rest, () => this.handlers.over());
  }

  #after(ms: number, work: () => void): void {
    this.#timers.push(setTimeout(work, ms));
  }

  // The words are in a live region, so a screen reader speaks each step when it begins.
  #instruct(c: TurnChallenge, i: number): void {
    this.#told = i;
    const movement = c.steps[i]?.movement ?? 'nod';
    this.#step.dataset['movement'] = movement;
    find(this.root, '.screen-step path', SVGPathElement).setAttribute('d', pictogram[movement]);
    say(find(this.root, '.screen-words', HTMLElement), this.#words?.turn[movement] ?? '');
    say(find(this.root, '.screen-count', HTMLElement), `${i + 1}/${c.steps.length}`);
  }

  #write(c: Challenge, { words, lang, dir }: Spoken): void {
    const { title, text } = wordsFor(c, words);
    this.#words = words;
    this.#screen.lang = lang;
    this.#screen.dir = dir;
    this.#screen.dataset['kind'] = c.kind;
    say(this.#title, title);
    say(this.#text, text);
    say(this.#button, c.kind === 'flash' ? words.noLight : words.cancel);
    if (c.kind === 'turn' && this.#told >= 0) this.#instruct(c, this.#told);
  }

  // Another camera may take the place of one that a call took away.
  #film(camera: MediaStream | null, mirrored: boolean): void {
    if (this.#video.srcObject !== camera) this.#video.srcObject = camera;
    this.#screen.toggleAttribute('data-mirrored', mirrored);
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

  #refuse(): void {
    if (this.#shown?.kind === 'flash') this.handlers.declined(this.#shown);
    else if (this.#shown) this.handlers.cancelled();
  }

  #clear(): void {
    for (const t of this.#timers.splice(0)) clearTimeout(t);
    this.#animation?.cancel();
    this.#animation = undefined;
    this.#told = -1;
    find(this.root, '.screen-step path', SVGPathElement).removeAttribute('d');
    for (const e of this.#step.querySelectorAll('span')) e.textContent = '';
  }
}

/** Writes only what is new, because a screen reader speaks what is written. */
function say(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** A further try says what to change. */
function wordsFor(c: Challenge, words: Catalogue): { title: string; text: string } {
  const again = c.attempt > 1;
  if (c.kind === 'turn') return { title: words.turn.title, text: again ? words.turn.again : words.turn.text };
  const { title, text } = words.states.challenge;
  return { title, text: again ? words.lightAgain : text };
}

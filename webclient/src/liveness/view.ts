// What the person sees: built once in the shadow root, then drawn from
// snapshots. It holds no state of the check, only the DOM.
import { advice, HintPacer } from './hints';
import { isActive, isEnd, type Snapshot, type State } from './machine';
import styles from './styles.css?inline';
import { catalogue, reasonText, type Catalogue, type Words } from './words';

export interface ViewHandlers {
  start(): void;
  cancel(): void;
}

// The oval's outline in a 300×400 box, from the top, clockwise; pathLength 100
// makes the progress a percentage.
const outline = 'M150 1 A149 199 0 0 1 150 399 A149 199 0 0 1 150 1';

const template = `
<section class="card" part="card">
  <div class="stage" part="stage">
    <video part="video" playsinline muted autoplay aria-hidden="true"></video>
    <div class="oval" part="oval">
      <div class="figure" aria-hidden="true">
        <svg class="face" viewBox="0 0 64 64"><path d="M21 25v2M43 25v2M32.5 27v8q0 2-3 2M24 45q8 5.5 16 0"/></svg>
        <svg class="sign tick" viewBox="0 0 48 48"><path d="M8 26l11 11 21-25"/></svg>
        <svg class="sign again" viewBox="0 0 48 48"><path d="M39 24a15 15 0 1 1-5-11.2M35 5v9h-9"/></svg>
        <svg class="sign cross" viewBox="0 0 48 48"><path d="M12 12l24 24M36 12L12 36"/></svg>
        <svg class="sign bang" viewBox="0 0 48 48"><path d="M24 9v19M24 38v.1"/></svg>
      </div>
      <svg class="ring" viewBox="0 0 300 400" role="progressbar" aria-valuemin="0" aria-valuemax="100">
        <path class="rail" pathLength="100" d="${outline}"/>
        <path class="bar" pathLength="100" d="${outline}"/>
      </svg>
    </div>
    <div class="hint" part="hint" aria-hidden="true"></div>
  </div>
  <div class="foot" part="foot">
    <div class="words"><h2 part="title" tabindex="-1"></h2><p part="text"></p></div>
    <button type="button" part="button"></button>
  </div>
  <div class="sr-only" role="status" aria-live="polite"></div>
</section>`;

export class View {
  readonly #card: HTMLElement;
  readonly #video: HTMLVideoElement;
  readonly #ring: SVGElement;
  readonly #hint: HTMLElement;
  readonly #title: HTMLElement;
  readonly #text: HTMLElement;
  readonly #button: HTMLButtonElement;
  readonly #live: HTMLElement;
  readonly #pacer = new HintPacer((reason) => this.#showHint(reason));
  #words: Catalogue = catalogue('en');
  #drawn: State | '' = '';
  #shownHint = '';

  constructor(
    private readonly root: ShadowRoot,
    handlers: ViewHandlers,
  ) {
    adopt(root);
    const holder = document.createElement('template');
    holder.innerHTML = template;
    root.append(holder.content);
    this.#card = find(root, '.card', HTMLElement);
    this.#video = find(root, 'video', HTMLVideoElement);
    this.#ring = find(root, '.ring', SVGElement);
    this.#hint = find(root, '.hint', HTMLElement);
    this.#title = find(root, 'h2', HTMLElement);
    this.#text = find(root, 'p', HTMLElement);
    this.#button = find(root, 'button', HTMLButtonElement);
    this.#live = find(root, '[role=status]', HTMLElement);
    this.#video.muted = true; // the attribute alone does not count in a parsed fragment
    this.#listen(handlers);
  }

  /** Draws a snapshot in the language of a BCP 47 tag. repeat: passed offers another check. */
  draw(s: Snapshot, lang: string, repeat: boolean): void {
    this.#words = catalogue(lang);
    const hadFocus = this.root.activeElement !== null;
    const entered = s.state !== this.#drawn;
    this.#drawn = s.state;
    this.#card.dataset['state'] = s.state;
    this.#card.toggleAttribute('data-end', isEnd(s.state));
    this.#card.setAttribute('aria-label', this.#words.label);
    this.#drawProgress(s);
    this.#drawWords(s);
    this.#drawButton(s.state, repeat);
    this.#drawHint(s);
    if (entered) this.#enter(s, hadFocus);
  }

  /** Shows the camera's picture; null takes it away. */
  preview(stream: MediaStream | null): void {
    this.#video.srcObject = stream;
    if (!stream) this.#card.removeAttribute('data-video');
  }

  #listen(handlers: ViewHandlers): void {
    this.#button.addEventListener('click', () => (isActive(this.#drawn || 'idle') ? handlers.cancel() : handlers.start()));
    this.#card.addEventListener('keydown', (e) => {
      if (e.key === 'Escape' && isActive(this.#drawn || 'idle')) handlers.cancel();
    });
    // The picture appears when there is one, not when the camera is only granted.
    this.#video.addEventListener('playing', () => this.#card.toggleAttribute('data-video', this.#video.srcObject !== null));
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

  #drawButton(state: State, repeat: boolean): void {
    const active = isActive(state);
    this.#button.hidden = state === 'passed' && !repeat;
    this.#button.classList.toggle('quiet', active || state === 'passed');
    this.#button.textContent = active ? this.#words.cancel : this.#startLabel(state);
  }

  #startLabel(state: State): string {
    if (state === 'idle') return this.#words.start;
    return state === 'passed' ? this.#words.again : this.#words.retry;
  }

  #drawHint(s: Snapshot): void {
    if (isActive(s.state)) return this.#pacer.set(s.hint);
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

function wordsOf(s: Snapshot, words: Catalogue): Words {
  if (s.state === 'error') return words.errors[s.error || 'server_error'];
  const { title, text } = words.states[s.state];
  if (!isEnd(s.state)) return { title, text };
  const reason = s.state === 'retry' ? advice(s.reasons) : '';
  return { title, text: `${reason ? reasonText(words, reason) : text} ${words.cameraOff}` };
}

// A constructed sheet, so that a Content-Security-Policy without
// 'unsafe-inline' holds; the element is for engines without one.
function adopt(root: ShadowRoot): void {
  if ('adoptedStyleSheets' in root && 'replaceSync' in CSSStyleSheet.prototype) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(styles);
    root.adoptedStyleSheets = [sheet];
    return;
  }
  const style = document.createElement('style');
  style.textContent = styles;
  root.append(style);
}

function find<T extends Element>(root: ShadowRoot, selector: string, type: new () => T): T {
  const el = root.querySelector(selector);
  if (!(el instanceof type)) throw new Error(`template lacks ${selector}`);
  return el;
}

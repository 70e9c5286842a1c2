// What the agent sees: built once in the shadow root, then drawn from what stands.
import { build, find } from '../shared/shadow';
import type { Standing } from './standing';
import styles from './styles.css?inline';
import { reasonText, type StatusSpoken } from './words';

const template = `
<section class="card" part="card">
  <div class="lamp" part="lamp" aria-hidden="true">
    <svg class="sign tick" viewBox="0 0 48 48"><path d="M8 26l11 11 21-25"/></svg>
    <svg class="sign cross" viewBox="0 0 48 48"><path d="M12 12l24 24M36 12L12 36"/></svg>
    <svg class="sign bang" viewBox="0 0 48 48"><path d="M24 9v19M24 38v.1"/></svg>
    <svg class="sign dots" viewBox="0 0 48 48"><path d="M12 24v.1M24 24v.1M36 24v.1"/></svg>
    <svg class="sign stop" viewBox="0 0 48 48"><path d="M13 13h22v22h-22z"/></svg>
  </div>
  <div class="words" part="words">
    <div role="status">
      <p class="title" part="title"></p>
      <p class="reason" part="reason"></p>
    </div>
    <p class="since" part="since"><time></time></p>
  </div>
  <div class="alarm" part="alarm" role="alert"></div>
</section>`;

export class StatusView {
  readonly #card: HTMLElement;
  readonly #title: HTMLElement;
  readonly #reason: HTMLElement;
  readonly #time: HTMLTimeElement;
  readonly #alarm: HTMLElement;

  constructor(root: ShadowRoot) {
    build(root, template, styles);
    this.#card = find(root, '.card', HTMLElement);
    this.#title = find(root, '.title', HTMLElement);
    this.#reason = find(root, '.reason', HTMLElement);
    this.#time = find(root, 'time', HTMLTimeElement);
    this.#alarm = find(root, '.alarm', HTMLElement);
  }

  draw(s: Standing, { words, lang, dir }: StatusSpoken): void {
    const card = this.#card;
    card.lang = lang;
    card.dir = dir;
    card.setAttribute('aria-label', words.label);
    card.dataset['status'] = s.status;
    card.toggleAttribute('data-alarm', s.alarm);
    const { title, text } = words.statuses[s.status];
    write(this.#title, title);
    // What was so while a live person was there is not so after the end.
    const over = s.status === 'ended' && s.verdict === 'live';
    write(this.#reason, (!over && reasonText(words, s.reason)) || text);
    write(this.#alarm, s.alarm ? words.alarm : '');
    this.#drawSince(s.since, words.since, lang);
  }

  #drawSince(since: number | undefined, form: string, lang: string): void {
    const at = since === undefined ? undefined : new Date(since);
    this.#time.dateTime = at?.toISOString() ?? '';
    write(this.#time, at ? form.replace('{time}', clock(at, lang)) : '');
  }
}

// A screen reader reads a live region again when it is written, even with the same text.
function write(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

// The page may bring a language whose tag is not one.
function clock(at: Date, lang: string): string {
  try {
    return at.toLocaleTimeString(lang);
  } catch {
    return at.toLocaleTimeString();
  }
}

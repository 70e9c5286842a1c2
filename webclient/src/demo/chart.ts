// The live chart of ρ, drawn as SVG: raw scores as dots, the smoothed line, the
// threshold, and what was not scored as shaded gaps with a tick for each sample.
import type { Sample } from '../liveness/session/signalling';
import { domain, gaps, nearest, scale, smoothedPath, ticks, type Frame, type Scale } from './geometry';

const maxSamples = 900; // three minutes at five a second
const tickBand = 14; // the strip of reason ticks under the plot

const legend = `
  <li><svg viewBox="0 0 18 10"><circle class="raw" cx="9" cy="5" r="3.5"/></svg>score ρ of a frame</li>
  <li><svg viewBox="0 0 18 10"><path class="smoothed" d="M1 5h16"/></svg>smoothed</li>
  <li><svg viewBox="0 0 18 10"><path class="threshold" d="M0 5h18"/></svg>threshold</li>
  <li><svg viewBox="0 0 18 10"><path class="tick" d="M9 1.5v7"/></svg>not scored</li>`;

export class Chart {
  readonly #svg = svg('svg', { role: 'img', tabindex: '0' });
  readonly #tip = document.createElement('div');
  readonly #empty = document.createElement('div');
  #samples: Sample[] = [];
  #pointed: Sample | undefined;
  #queued = false;

  constructor(private readonly host: HTMLElement) {
    this.#tip.className = 'tip';
    this.#tip.hidden = true;
    this.#empty.className = 'empty';
    this.#empty.innerHTML = '<span>Scores appear here once a check runs.</span>';
    const list = document.createElement('ul');
    list.className = 'legend';
    list.innerHTML = legend;
    host.append(this.#svg, this.#empty, this.#tip, list);
    this.#listen();
    new ResizeObserver(() => this.#draw()).observe(host);
  }

  add(s: Sample): void {
    this.#samples.push(s);
    if (this.#samples.length > maxSamples) this.#samples.shift();
    this.#queue();
  }

  clear(): void {
    this.#samples = [];
    this.#pointed = undefined;
    this.#queue();
  }

  #listen(): void {
    this.#svg.addEventListener('pointermove', (e) => {
      this.#point(nearest(this.#samples, this.#scale().t(e.clientX - this.#svg.getBoundingClientRect().left)));
    });
    this.#svg.addEventListener('pointerleave', () => this.#point(undefined));
    this.#svg.addEventListener('blur', () => this.#point(undefined));
    this.#svg.addEventListener('keydown', (e) => this.#step(e));
  }

  // The arrow keys walk from sample to sample.
  #step(e: KeyboardEvent): void {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
    if (!by || this.#samples.length === 0) return;
    e.preventDefault();
    const here = this.#pointed ? this.#samples.indexOf(this.#pointed) : this.#samples.length;
    this.#point(this.#samples[Math.min(this.#samples.length - 1, Math.max(0, here + by))]);
  }

  #point(s: Sample | undefined): void {
    if (s === this.#pointed) return;
    this.#pointed = s;
    this.#queue();
  }

  // One drawing per animation frame, however many samples came.
  #queue(): void {
    if (this.#queued) return;
    this.#queued = true;
    requestAnimationFrame(() => this.#draw());
  }

  #frame(): Frame {
    const { width, height } = this.#svg.getBoundingClientRect();
    return { width, height, left: 30, right: 8, top: 10, bottom: 26 + tickBand };
  }

  #scale(): Scale {
    return scale(this.#frame(), domain(this.#samples));
  }

  #draw(): void {
    this.#queued = false;
    const frame = this.#frame();
    const s = this.#scale();
    this.#empty.hidden = this.#samples.length > 0;
    this.#svg.setAttribute('aria-label', summary(this.#samples));
    this.#svg.dataset['samples'] = String(this.#samples.length);
    this.#svg.replaceChildren(
      ...axes(frame, s, domain(this.#samples)),
      ...unscored(this.#samples, frame, s),
      ...threshold(this.#samples, frame, s),
      ...this.#samples.filter((p) => p.scored).map((p) => dot(p, s)),
      svg('path', { class: 'smoothed', d: smoothedPath(this.#samples, s) }),
      ...cursor(this.#pointed, frame, s),
    );
    this.#drawTip(s);
  }

  #drawTip(s: Scale): void {
    const p = this.#pointed;
    this.#tip.hidden = !p;
    if (!p) return;
    this.#tip.replaceChildren(...tipLines(p));
    const inset = this.#svg.getBoundingClientRect().left - this.host.getBoundingClientRect().left;
    const x = inset + s.x(p.t) + 14;
    const flip = x + this.#tip.offsetWidth > this.host.clientWidth - 8;
    this.#tip.style.left = `${flip ? Math.max(8, x - this.#tip.offsetWidth - 28) : x}px`;
  }
}

function axes(f: Frame, s: Scale, tMax: number): SVGElement[] {
  const lines = [0, 0.5, 1].flatMap((v) => [
    svg('line', { class: 'grid', x1: f.left, x2: f.width - f.right, y1: s.y(v), y2: s.y(v) }),
    label(String(v), f.left - 8, s.y(v) + 4, 'end'),
  ]);
  const times = ticks(tMax, f.width < 480 ? 5 : 10);
  return [...lines, ...times.map((t) => label(`${t} s`, s.x(t), f.height - 6, t === 0 ? 'start' : 'middle'))];
}

function threshold(samples: readonly Sample[], f: Frame, s: Scale): SVGElement[] {
  const v = samples.at(-1)?.threshold;
  if (v === undefined) return [];
  return [
    svg('line', { class: 'threshold', x1: f.left, x2: f.width - f.right, y1: s.y(v), y2: s.y(v) }),
    label(`threshold ${v.toFixed(2)}`, f.width - f.right, s.y(v) - 6, 'end', 'threshold-label'),
  ];
}

function unscored(samples: readonly Sample[], f: Frame, s: Scale): SVGElement[] {
  const base = f.height - f.bottom;
  return gaps(samples).flatMap((g) => [
    svg('rect', { class: 'gap', x: s.x(g.from), width: Math.max(2, s.x(g.to) - s.x(g.from)), y: f.top, height: base - f.top }),
    ...g.samples.map((p) => {
      const tick = svg('line', { class: 'tick', x1: s.x(p.t), x2: s.x(p.t), y1: base + 5, y2: base + tickBand - 2 });
      tick.dataset['reason'] = p.reasons[0] ?? '';
      return tick;
    }),
  ]);
}

// A sample of less weight is drawn smaller.
function dot(p: Sample, s: Scale): SVGElement {
  return svg('circle', { class: 'raw', cx: s.x(p.t), cy: s.y(p.rho), r: 2 + 2 * p.weight });
}

function cursor(p: Sample | undefined, f: Frame, s: Scale): SVGElement[] {
  if (!p) return [];
  const line = svg('line', { class: 'cursor', x1: s.x(p.t), x2: s.x(p.t), y1: f.top, y2: f.height - f.bottom });
  return p.scored ? [line, svg('circle', { class: 'focus', cx: s.x(p.t), cy: s.y(p.smoothed), r: 4.5 })] : [line];
}

function tipLines(p: Sample): HTMLElement[] {
  const head = document.createElement('b');
  head.textContent = `${p.t.toFixed(2)} s · frame ${p.seq}`;
  const rest = p.scored
    ? [`ρ ${p.rho.toFixed(3)} · weight ${p.weight.toFixed(2)}`, `smoothed ${p.smoothed.toFixed(3)} · track ${p.track}`]
    : ['not scored'];
  const lines = [...rest, ...(p.reasons.length ? [p.reasons.join(', ')] : [])];
  return [head, ...lines.map((text) => Object.assign(document.createElement('span'), { textContent: text }))];
}

function summary(samples: readonly Sample[]): string {
  const scored = samples.filter((p) => p.scored);
  const last = scored.at(-1);
  if (!last) return `Liveness over time: ${samples.length} frames, none scored`;
  return `Liveness over time: ${scored.length} of ${samples.length} frames scored, smoothed score ${last.smoothed.toFixed(2)}, threshold ${last.threshold.toFixed(2)}`;
}

function label(text: string, x: number, y: number, anchor: string, cls = ''): SVGElement {
  const el = svg('text', { x, y, 'text-anchor': anchor, class: cls });
  el.textContent = text;
  return el;
}

function svg(name: string, attributes: Record<string, string | number>): SVGElement {
  const el = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) el.setAttribute(key, String(value));
  return el;
}

// The demo page: the component, the demo backend's facts, and in dev mode the chart.
import { LivenessCheck } from '../liveness/auto';
import { Chart } from './chart';
import { bindTheme } from './theme';

interface DemoConfig {
  readonly dev: boolean;
  readonly model: { readonly name: string; readonly demo: boolean; readonly threshold: number };
  readonly detector: string;
}

interface SessionRecord {
  readonly state: string;
  readonly verdict: string;
  readonly score: number;
  readonly reasons: readonly string[] | null;
  readonly frames: Readonly<Record<'received' | 'decoded' | 'sampled' | 'scored' | 'dropped', number>>;
}

const check = get('check', LivenessCheck);

bindTheme(get('theme', HTMLElement), check);
void main();

async function main(): Promise<void> {
  const query = new URLSearchParams(location.search);
  passOn(query);
  const kind = query.get('challenge') ?? 'flash';
  if (kind !== 'none') check.getSession = ({ signal }) => challenged(kind, signal);
  const config = await fetchJSON<DemoConfig>('./demo/config');
  document.documentElement.dataset['ready'] = '';
  if (!config) return;
  get('banner', HTMLElement).hidden = !config.model.demo;
  get('dev', HTMLElement).hidden = !config.dev;
  if (config.dev) develop(config);
}

// ?lang=de&codec=H264&auto-start=1 try the component's attributes out.
function passOn(query: URLSearchParams): void {
  for (const name of ['lang', 'codec', 'auto-start']) {
    const value = query.get(name);
    if (value) check.setAttribute(name, value);
  }
}

// The page asks for the challenge by light; ?challenge=turn asks for the one by movement, and ?challenge=none for neither, for a camera
// that is a file.
function challenged(kind: string, signal: AbortSignal): Promise<Response> {
  const body = JSON.stringify({ mode: 'onboarding', require: [kind === 'turn' ? kind : 'flash'] });
  return fetch('./demo/sessions', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body, signal });
}

function develop(config: DemoConfig): void {
  get('model', HTMLElement).textContent = `${config.model.name}, threshold ${config.model.threshold.toFixed(2)}`;
  get('detector', HTMLElement).textContent = config.detector;
  const chart = new Chart(get('chart', HTMLElement));
  check.addEventListener('livenesssample', (e) => chart.add(e.detail));
  check.addEventListener('statechange', (e) => {
    if (e.detail.state === 'permission') chart.clear();
    showSession(e.detail.sessionId);
    if (e.detail.state === 'permission') showRecord(null);
  });
  check.addEventListener('livenessresult', (e) => {
    void fetchJSON<SessionRecord>(sessionURL(e.detail.sessionId)).then(showRecord);
  });
}

function sessionURL(id: string): string {
  return `./demo/sessions/${encodeURIComponent(id)}`;
}

function showSession(id: string): void {
  const link = get('session', HTMLAnchorElement);
  link.hidden = !id;
  get('no-session', HTMLElement).hidden = id !== '';
  link.textContent = id;
  if (id) link.href = sessionURL(id);
}

function showRecord(r: SessionRecord | null): void {
  get('verdict', HTMLElement).textContent = r ? [r.verdict, ...(r.reasons ?? [])].join(' · ') : '–';
  get('score', HTMLElement).textContent = r ? r.score.toFixed(3) : '–';
  get('frames', HTMLElement).textContent = r
    ? `${r.frames.scored} scored of ${r.frames.sampled} sampled, ${r.frames.received} received`
    : '–';
}

async function fetchJSON<T>(url: string): Promise<T | null> {
  try {
    const res = await fetch(url, { headers: { Accept: 'application/json' } });
    return res.ok ? ((await res.json()) as T) : null;
  } catch {
    return null;
  }
}

function get<T extends HTMLElement>(id: string, type: new () => T): T {
  const el = document.getElementById(id);
  if (!(el instanceof type)) throw new Error(`index.html lacks #${id}`);
  return el;
}

// The playground: every setting of <liveness-check> as a control, its events as a list, its markup to copy.
import { languages, LivenessCheck, type LivenessEventMap, type SessionAnswer, type Texts } from '../liveness/auto';

const url = './demo/sessions';
const ask = (signal?: AbortSignal) => fetch(url, { method: 'POST', body: '{"mode":"onboarding"}', ...(signal && { signal }) });

const form = find('settings', HTMLFormElement);
const check = find('check', LivenessCheck);

const own: Texts = {
  start: 'Let’s go',
  states: { idle: { title: 'Hello there', text: 'These words are the page’s own.' } },
  errors: { permission_denied: { title: 'We need your camera' } },
};

const slots = `
  <p slot="start"><strong>One moment for you.</strong> This paragraph is the page’s own.</p>
  <p slot="result">The page’s own words for a result.</p>
  <p slot="error">The page’s own words for an error. <a href="#help">Help</a></p>
`;

// [attribute in the markup, script in the markup, what it does]
const sources: Record<string, [string, string, () => void]> = {
  url: [` session-url="${url}"`, '', () => (check.sessionUrl = url)],
  callback: [
    '',
    `check.getSession = ({ signal }) => fetch('${url}', { method: 'POST', signal });`,
    () => (check.getSession = (r) => ask(r.signal)),
  ],
  object: ['', 'check.session = await (await fetch(…)).json();', () => void beforehand()],
  unauthorized: ['', 'check.getSession = () => new Response(null, { status: 401 });', () => refuse(401)],
  forbidden: ['', 'check.getSession = () => new Response(null, { status: 403 });', () => refuse(403)],
  none: ['', '', () => undefined],
};

async function beforehand(): Promise<void> {
  check.session = (await (await ask()).json()) as SessionAnswer;
}

function refuse(status: number): void {
  check.getSession = () => new Response(null, { status });
}

function apply(changed: string): void {
  const value = new FormData(form);
  const text = (name: string) => {
    const given = value.get(name);
    return typeof given === 'string' ? given : '';
  };
  const root = document.documentElement;
  root.lang = text('lang');
  root.dir = text('lang') === 'ar' ? 'rtl' : 'ltr';
  root.style.fontSize = text('size') === '16' ? '' : `${text('size')}px`;
  find('place', HTMLElement).style.width = `${text('width')}px`;
  check.toggleAttribute('allow-repeat', value.has('repeat'));
  check.facing = text('facing') === 'environment' ? 'environment' : 'user';
  if (text('theme')) check.setAttribute('theme', text('theme'));
  else check.removeAttribute('theme');
  if (changed === 'accent') check.style.setProperty('--liveness-accent', text('accent'));
  check.style.setProperty('--liveness-radius', `${text('radius')}px`);
  check.texts = value.has('texts') ? own : null;
  check.innerHTML = value.has('slots') ? slots : '';
  if (changed === 'source' || changed === '') choose(text('source'));
  find('markup', HTMLElement).textContent = markup(text('source'), value);
}

function choose(source: string): void {
  check.sessionUrl = '';
  check.getSession = null;
  check.session = null;
  sources[source]?.[2]();
}

function markup(source: string, value: FormData): string {
  const [attribute = '', script = ''] = sources[source] ?? [];
  const repeat = value.has('repeat') ? ' allow-repeat' : '';
  const theme = check.getAttribute('theme');
  const facing = check.facing === 'environment' ? ' facing="environment"' : '';
  const texts = value.has('texts') ? `check.texts = ${JSON.stringify(own, null, 2)};` : '';
  const lines = [
    `<liveness-check${attribute}${repeat}${theme ? ` theme="${theme}"` : ''}${facing}>${value.has('slots') ? slots : ''}</liveness-check>`,
    ...(script || texts ? ["const check = document.querySelector('liveness-check');", script, texts] : []),
  ];
  return lines.filter(Boolean).join('\n');
}

function log(type: string, detail: unknown): void {
  const line = document.createElement('li');
  line.textContent = `${type} ${JSON.stringify(detail)}`;
  find('events', HTMLElement).prepend(line);
}

function find<T extends HTMLElement>(id: string, type: new () => T): T {
  const el = document.getElementById(id);
  if (!(el instanceof type)) throw new Error(`the page lacks #${id}`);
  return el;
}

const events: (keyof LivenessEventMap)[] = ['liveness-state', 'liveness-hint', 'liveness-result', 'liveness-error', 'liveness-camera'];
for (const type of events) check.addEventListener(type, (e) => log(type, e.detail));
const list = form.querySelector<HTMLSelectElement>('[name=lang]');
list?.append(...[...languages, 'nl'].map((tag) => new Option(tag === 'nl' ? 'nl (not built in)' : tag, tag)));
const asked = new URLSearchParams(location.search).get('lang');
if (list && asked) list.value = asked;
form.addEventListener('input', (e) => apply((e.target as HTMLInputElement).name));
apply('');
document.documentElement.dataset['ready'] = '';

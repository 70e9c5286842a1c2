// The npm package as those who install it get it: packed, unpacked, and used by other programs.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorCodes } from '../src/liveness/errors';
import { defaults, paletteStyles } from '../src/liveness/shared/palette';
import { en as agent } from '../src/liveness/status/words/en';
import { en } from '../src/liveness/words/en';

interface Named {
  name: string;
}
interface Declaration extends Named {
  tagName: string;
  attributes: Named[];
  members: Named[];
  events: Named[];
  slots: Named[];
  cssParts: Named[];
  cssProperties: Named[];
}

const webclient = fileURLToPath(new URL('..', import.meta.url));
const bin = (name: string) => join(webclient, 'node_modules', name);
const read = (...path: string[]) => readFileSync(join(webclient, ...path), 'utf8');
const name = '@liveproof/liveness-check';

let folder = '';
let installed = '';

const execute = promisify(execFile);

async function run(file: string, args: string[], cwd = folder): Promise<string> {
  try {
    return (await execute(file, args, { cwd })).stdout;
  } catch (err) {
    const { stdout, stderr } = err as { stdout: string; stderr: string };
    throw new Error(`${file} ${args.join(' ')}\n${stdout}\n${stderr}`, { cause: err });
  }
}

const node = (kind: 'module' | 'commonjs', code: string) =>
  run(process.execPath, [`--input-type=${kind}`, '--eval', code]).then((out) => out.trim());
const list = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((f) => statSync(join(dir, f)).isFile());
const source = (key: keyof Declaration, of = declared()) => (of[key] as Named[]).map((x) => x.name);
const declared = (name = 'LivenessCheck') =>
  (JSON.parse(readFileSync(join(installed, 'lib/custom-elements.json'), 'utf8')) as { modules: { declarations?: Declaration[] }[] }).modules
    .flatMap((m) => m.declarations ?? [])
    .find((d) => d.name === name)!;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'liveproof-package-'));
  installed = join(folder, 'node_modules', name);
  await run(process.execPath, ['packaging/build.mjs'], webclient);
  await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], webclient);
  const [tarball] = readdirSync(folder).filter((f) => f.endsWith('.tgz'));
  mkdirSync(installed, { recursive: true });
  await run('tar', ['-xzf', join(folder, tarball!), '--strip-components', '1', '-C', installed]);
});
afterAll(() => folder && rmSync(folder, { recursive: true }));

describe('the tarball', () => {
  it('holds what is built and no sources, tests or settings', () => {
    const files = list(installed);
    expect(files.filter((f) => !f.startsWith('lib/')).sort()).toEqual(['README.md', 'package.json']);
    expect(files).toContain('lib/LICENSE');
    expect(files.filter((f) => /test|e2e|demo|playground|\.css$|(?<!\.d)\.ts$/.test(f))).toEqual([]);
  });

  it('has every file that package.json names, and needs no other package', () => {
    const { exports, main, module, types, customElements, dependencies } = JSON.parse(
      readFileSync(join(installed, 'package.json'), 'utf8'),
    ) as Record<string, unknown>;
    const files = [JSON.stringify(exports), main, module, types, customElements].flatMap(
      (x) => String(x).match(/\.\/[\w./-]+\.\w+/g) ?? [],
    );
    const kept = list(installed);
    for (const file of files.filter((f) => f.startsWith('./lib/'))) expect(kept).toContain(file.slice(2));
    expect(dependencies).toBeUndefined();
  });

  it('stays small', () => {
    const script = readFileSync(join(installed, 'lib/liveness-check.js'));
    console.log(`liveness-check.js: ${script.length} bytes, ${gzipSync(script).length} gzipped`);
    expect(gzipSync(script).length).toBeLessThan(40_000);
    const agent = readFileSync(join(installed, 'lib/liveness-status.js'));
    console.log(`liveness-status.js: ${agent.length} bytes, ${gzipSync(agent).length} gzipped`);
    expect(gzipSync(agent).length).toBeLessThan(18_000);
  });
});

describe('Node without a DOM', () => {
  const facts = `JSON.stringify([typeof m.LivenessCheck, m.languages.length, m.define(), typeof globalThis.HTMLElement])`;
  const want = '["function",10,null,"undefined"]';
  it('imports it', async () => expect(await node('module', `const m = await import('${name}'); console.log(${facts})`)).toBe(want));
  it('requires it', async () => expect(await node('commonjs', `const m = require('${name}'); console.log(${facts})`)).toBe(want));
  it('requires ./status', async () =>
    expect(await node('commonjs', `const m = require('${name}/status'); console.log(typeof m.LivenessStatus, m.defineStatus())`)).toBe(
      'function undefined',
    ));
  it.each(['auto', 'liveness-check.js', 'status', 'liveness-status.js', 'react', 'vue', 'svelte'])('imports ./%s', async (path) => {
    expect(await node('module', `await import('${name}/${path}'); console.log('done')`)).toBe('done');
  });
});

describe('with a DOM', () => {
  const dom = `
    import { createRequire } from 'node:module';
    const { JSDOM } = createRequire('${webclient}/x.js')('jsdom');
    const { window } = new JSDOM();
    for (const key of ['HTMLElement', 'HTMLSelectElement', 'HTMLButtonElement', 'HTMLVideoElement', 'HTMLSlotElement', 'SVGElement', 'ShadowRoot',
      'MutationObserver', 'CSSStyleSheet', 'CustomEvent', 'customElements', 'document', 'getComputedStyle', 'window']) globalThis[key] = window[key];`;
  it('importing registers nothing, define() does, also under another name', async () => {
    const code = `${dom}
      const { define, LivenessCheck } = await import('${name}');
      const before = customElements.get('liveness-check');
      define(); define(); define('my-check');
      const other = document.createElement('my-check');
      console.log(before, customElements.get('liveness-check') === LivenessCheck, other instanceof LivenessCheck, other.state);`;
    expect(await node('module', code)).toBe('undefined true true idle');
  });
  it.each(['auto', 'liveness-check.js'])('./%s registers it', async (path) => {
    expect(await node('module', `${dom} await import('${name}/${path}'); console.log(typeof customElements.get('liveness-check'))`)).toBe(
      'function',
    );
  });
});

describe('tsc --strict on a program that uses it', () => {
  const consumer = `
import { define, errorCodes, LivenessCheck, type ErrorCode, type SessionAnswer, type Texts } from '${name}';
import { defineStatus, LivenessStatus } from '${name}/status';
define();
defineStatus();
const agent: LivenessStatus = document.createElement('liveness-status');
agent.source = async ({ signal }) => fetch('/events', { signal });
agent.texts = { statuses: { live: { title: 'Yes' } } };
agent.addEventListener('liveness-status', (e) => { if (e.detail.status === 'lost') console.log(e.detail.text); });
// @ts-expect-error -- there is no such status
agent.addEventListener('liveness-status', (e) => e.detail.status === 'passed');
const check: LivenessCheck = document.createElement('liveness-check');
check.sessionUrl = '/s';
check.credentials = 'include';
check.headers = async () => ({ Authorization: 'Bearer x' });
check.getSession = ({ signal }) => fetch('/s', { method: 'POST', signal });
const session: SessionAnswer = { id: 'S', client_token: 'T', signal_url: '/x' };
check.session = session;
const texts: Texts = { start: 'Go', states: { idle: { title: 'Hello' } }, reasons: { no_face: 'Where are you?' } };
check.texts = (lang: string) => (lang === 'nl' ? { ...texts, lang: 'nl' } : texts);
check.addEventListener('liveness-result', (e) => { const r: 'pass' | 'retry' | 'fail' = e.detail.result; console.log(r, e.detail.reasons[0]?.length); });
document.addEventListener('liveness-error', (e) => { const code: ErrorCode = e.detail.error; console.log(errorCodes.includes(code), e.detail.text); });
// @ts-expect-error -- there is no such result
check.addEventListener('liveness-result', (e) => e.detail.result === 'passed');
// @ts-expect-error -- there is no such word
check.texts = { begin: 'x' };
// @ts-expect-error -- a session needs its token
check.session = { id: 'S', signal_url: '/x' };
`;
  const compilerOptions = {
    noEmit: true,
    strict: true,
    exactOptionalPropertyTypes: true,
    target: 'es2022',
    lib: ['es2022', 'dom', 'dom.iterable'],
    types: [],
  };
  it.each([
    ['consumer.mts', { module: 'nodenext' }],
    ['consumer.cts', { module: 'nodenext' }],
    ['consumer.ts', { module: 'esnext', moduleResolution: 'bundler' }],
  ])('%s', async (file, more) => {
    const project = join(folder, `${file}.json`);
    writeFileSync(join(folder, file), consumer);
    writeFileSync(project, JSON.stringify({ compilerOptions: { ...compilerOptions, ...more }, files: [file] }));
    await run(process.execPath, [bin('typescript/bin/tsc'), '--project', project]);
  });
});

describe('custom-elements.json', () => {
  const all = list(join(webclient, 'src/liveness'))
    .filter((f) => f.endsWith('.ts') && !f.includes('.test.') && !f.startsWith('status/'))
    .map((f) => read('src/liveness', f))
    .join('\n');
  const matches = (text: string, expression: RegExp) => [...new Set([...text.matchAll(expression)].map((m) => m[1]))].sort();
  // Of the palette's variables those that a component's own styles use; a style sheet may set no other.
  const used = (styles: string) => matches(styles, /var\(--_([\w-]+)\)/g).map((name) => [`--liveness-${name}`, defaults[name!]]);
  const documented = (of: Declaration) => (of.cssProperties as (Named & { default: string })[]).map((v) => [v.name, v.default]).sort();

  it('names the parts, slots, variables and events that the sources have', () => {
    expect(declared().tagName).toBe('liveness-check');
    expect(source('cssParts').sort()).toEqual(matches(all, /\bpart(?:="|: ')([\w-]+)/g));
    expect(source('slots').sort()).toEqual(matches(read('src/liveness/view/template.ts'), /<slot name="(\w+)"/g));
    expect(documented(declared())).toEqual(used(read('src/liveness/view/styles.css')));
    expect(source('events').sort()).toEqual(matches(read('src/liveness/events.ts'), /'(liveness-\w+)': CustomEvent/g));
  });

  it('names the attributes that the sources read', () => {
    const inStyles = matches(paletteStyles, /\[(theme)=/g);
    const inCode = matches(all, /(?:has|get)Attribute\('([\w-]+)'\)/g).filter((a) => a !== 'data-video');
    expect(source('attributes').sort()).toEqual([...new Set([...inStyles, ...inCode])].sort());
  });

  it('leaves out no variable of the palette', () => {
    const both = [...source('cssProperties'), ...source('cssProperties', declared('LivenessStatus'))];
    expect([...new Set(both)].sort()).toEqual(
      Object.keys(defaults)
        .map((name) => `--liveness-${name}`)
        .sort(),
    );
  });

  it('the typings of frameworks have every attribute and every property', () => {
    const props = read('packaging/typings/props.d.ts');
    const set = (declared().members as (Named & { kind: string; readonly?: true })[]).filter((m) => m.kind === 'field' && !m.readonly);
    for (const key of [...source('attributes'), ...set.map((m) => m.name)]) expect(props).toMatch(new RegExp(`^  '?${key}'?\\?:`, 'm'));
  });

  it('describes <liveness-status> as its sources are', () => {
    const of = declared('LivenessStatus');
    expect(of.tagName).toBe('liveness-status');
    expect(source('cssParts', of).sort()).toEqual(matches(read('src/liveness/status/view.ts'), / part="([\w-]+)"/g));
    expect(documented(of)).toEqual(used(read('src/liveness/status/styles.css')));
    expect(source('events', of)).toEqual(matches(read('src/liveness/status/events.ts'), /'(liveness-\w+)': CustomEvent/g));
    const inCode = matches(read('src/liveness/status/element.ts'), /(?:has|get)Attribute\('([\w-]+)'\)/g);
    expect(source('attributes', of).sort()).toEqual([...inCode, 'lang', 'theme'].sort());
    const props = read('packaging/typings/props.d.ts').split('LivenessStatusProps')[1]!;
    const set = (of.members as (Named & { kind: string; readonly?: true })[]).filter((m) => m.kind === 'field' && !m.readonly);
    for (const key of [...source('attributes', of), ...set.map((m) => m.name)]) expect(props).toMatch(new RegExp(`^  '?${key}'?\\?:`, 'm'));
  });

  it('docs/component.md has the same tables: npm run docs', async () => {
    const { withTables } = (await import('./manifest.mjs' as string)) as { withTables: (page: string) => string };
    const page = read('../docs/component.md');
    expect(withTables(page)).toBe(page);
  });
});

describe('docs/component.md', () => {
  const page = read('../docs/component.md');
  const quoted = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map((m) => m[1]!);
  const after = (begin: string) => page.slice(page.indexOf(begin) + begin.length).split('\n\n')[0]!;

  it('names every error and no other', () => {
    expect(quoted(after('\nErrors: ')).sort()).toEqual([...errorCodes].sort());
  });

  it('names every state', () => {
    const [states] = quoted(after('\nStates: '));
    expect(states!.match(/\w+/g)!.sort()).toEqual([...Object.keys(en.states), 'error'].sort());
  });

  it('names every status of the agent’s component', () => {
    const rows = page.split('| `status` |')[1]!.split('\n\n')[0]!;
    expect([...rows.matchAll(/^\| `(\w+)` \| ([^|]+) \|/gm)].map((m) => [m[1], m[2]]).sort()).toEqual(
      Object.entries(agent.statuses)
        .map(([name, words]) => [name, words.title])
        .sort(),
    );
  });

  it('names every member of every event’s detail', () => {
    const sources = read('src/liveness/events.ts') + read('src/liveness/status/events.ts');
    const details = [...sources.matchAll(/export interface (\w+Detail) \{\n(.*?)\n\}/gs)];
    expect(details.map((d) => d[1])).toHaveLength(6);
    for (const [, name, body] of details) {
      const members = [...body!.matchAll(/^ {2}readonly (\w+)/gm)].map((m) => m[1]!);
      const [told] = [...page.matchAll(new RegExp(`^(?:\\| )?\`${name}\` (.*)`, 'gm'))].map((m) => m[1]!);
      for (const member of members) expect(quoted(told!), `${name}.${member}`).toContain(member);
    }
  });
});

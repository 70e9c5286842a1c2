// <liveness-status>: what it makes of a stream, and when it stops believing.
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import reasons from '../reasons.json';
import type { LivenessStatusDetail } from './events';
import { Follower } from './follower';
import { defineStatus, LivenessStatus, statusLanguages } from './index';
import { initial, next, type Heard, type Standing } from './standing';
import { EventParser } from './stream';
import { reasonText, speak } from './words';

describe('EventParser', () => {
  const stream =
    ': hi\r\nevent: state\r\ndata: {"a":\r\ndata: 1}\r\nid: 7\r\n\r\ndata\n\nevent: end\rdata:x\r\rignored: y\ndata: z\n\nevent: state\n\n';
  const want = [
    { type: 'state', data: '{"a":\n1}' },
    { type: 'message', data: '' },
    { type: 'end', data: 'x' },
    { type: 'message', data: 'z' },
  ];
  it.each([1, 2, 3, 5, 7, 1000])('in pieces of %d', (size) => {
    const parser = new EventParser();
    const pieces = stream.match(new RegExp(`[^]{1,${size}}`, 'g'))!;
    expect(pieces.flatMap((piece) => parser.push(piece))).toEqual(want);
  });

  it('keeps no event without an end', () => {
    const line = new EventParser();
    expect(() => line.push('data: ' + 'x'.repeat(2 << 20))).toThrow('too long');
    const many = new EventParser();
    expect(() => Array.from({ length: 3000 }, () => many.push(`data: ${'x'.repeat(1000)}\n`))).toThrow('too long');
  });
});

const at = '2026-01-15T09:00:00.000Z';
const state = (verdict: string, more: object = {}): Heard => ({
  type: 'state',
  data: { id: 'S', state: 'streaming', verdict, reasons: [], changed_at: at, ...more },
});
const hear = (...heard: Heard[]): Standing => heard.reduce(next, initial);
const silence: Heard = { type: 'silence', at: 5 };

describe('standing', () => {
  it.each<[string, Heard[], string, boolean]>([
    ['nothing', [], 'connecting', false],
    ['no verdict yet', [state('pending', { state: 'created' })], 'pending', false],
    ['live', [state('live')], 'live', false],
    ['spoof', [state('spoof')], 'spoof', false],
    ['live, then not', [state('live'), state('pending', { reasons: ['face_changed'] })], 'lost', true],
    ['live, then inconclusive', [state('live'), state('inconclusive')], 'lost', true],
    ['live, then spoof', [state('live'), state('spoof')], 'spoof', true],
    ['lost and found', [state('live'), state('pending'), state('live')], 'live', false],
    ['silence', [state('pending'), silence], 'unknown', false],
    ['silence after live', [state('live'), silence], 'unknown', true],
    ['silence twice', [state('live'), silence, silence], 'unknown', true],
    ['back after silence', [state('live'), silence, state('live')], 'live', false],
    ['back after silence, not live', [state('live'), silence, state('pending')], 'lost', true],
    ['a call that ends live', [state('live'), state('live', { state: 'decided' }), { type: 'end' }], 'ended', false],
    ['a call that ends as spoof', [state('live'), state('spoof', { state: 'decided' }), { type: 'end' }], 'spoof', true],
    ['a call whose server is lost', [state('live'), state('inconclusive', { state: 'expired' }), { type: 'end' }], 'ended', true],
    ['deleted while live', [state('live'), { type: 'end' }], 'ended', false],
    ['silence after the end', [state('live', { state: 'decided' }), { type: 'end' }, silence], 'ended', false],
    ['another session', [state('live'), state('pending', { id: 'T' })], 'pending', false],
    ['live without streaming', [state('live', { state: 'created' })], 'pending', false],
    ['a verdict of the future', [state('certainly')], 'pending', false],
    ['no object', [{ type: 'state', data: null }], 'pending', false],
    ['no words', [{ type: 'state', data: { id: 1, state: [], verdict: {}, reasons: 'x', changed_at: 7 } }], 'pending', false],
  ])('%s', (_what, heard, status, alarm) => expect(hear(...heard)).toMatchObject({ status, alarm }));

  it('tells since when and why', () => {
    const lost = hear(state('live'), state('pending', { reasons: ['face_changed', 'no_face'] }));
    expect(lost).toMatchObject({ since: Date.parse(at), reason: 'face_changed', verdict: 'pending', sessionId: 'S' });
    expect(next(lost, silence)).toMatchObject({ since: 5, reason: '' });
  });
});

/** One connection that the test writes to. */
class Line {
  readonly #stream = new TransformStream<Uint8Array, Uint8Array>();
  readonly #writer = this.#stream.writable.getWriter();
  constructor(readonly signal: AbortSignal) {
    signal.addEventListener('abort', () => void this.#writer.abort('aborted').catch(() => undefined));
  }
  readonly response = new Response(this.#stream.readable, { headers: { 'Content-Type': 'text/event-stream' } });
  async write(text: string): Promise<void> {
    void this.#writer.write(new TextEncoder().encode(text)).catch(() => undefined);
    await settled();
  }
  async state(verdict: string, more: object = {}): Promise<void> {
    const data = { id: 'S', state: 'streaming', verdict, reasons: [], changed_at: at, ...more };
    await this.write(`event: state\nid: 1\ndata: ${JSON.stringify(data)}\n\n`);
  }
  async end(): Promise<void> {
    void this.#writer.close().catch(() => undefined);
    await settled();
  }
}

const settled = () => vi.advanceTimersByTimeAsync(0);

describe('Follower', () => {
  let lines: Line[] = [];
  let told: string[] = [];
  let answers: (Response | Error)[] = [];
  let follower: Follower;
  let over = false;
  const last = () => lines.at(-1)!;

  const open = async (signal: AbortSignal): Promise<Response> => {
    const line = new Line(signal);
    lines.push(line);
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer ?? line.response;
  };

  beforeEach(async () => {
    vi.useFakeTimers();
    lines = [];
    told = [];
    answers = [];
    over = false;
  });
  afterEach(() => {
    follower.close();
    vi.useRealTimers();
  });

  async function begin(...first: (Response | Error)[]): Promise<void> {
    answers = first;
    follower = new Follower(open, (h) => told.push(h.type === 'state' ? (h.data as { verdict: string }).verdict : h.type));
    void follower.run().then(() => (over = true));
    await settled();
  }
  const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);

  it('tells states and the end, and then is over', async () => {
    await begin();
    await last().state('pending');
    await last().state('live');
    await last().write('event: news\ndata: {}\n\n');
    await last().write('event: end\ndata: {"state":"decided"}\n\n');
    expect(told).toEqual(['pending', 'live', 'end']);
    await pass(120);
    expect([over, lines.length, vi.getTimerCount()]).toEqual([true, 1, 0]);
  });

  it('30 s without a byte are silence, and the connection is given up', async () => {
    await begin();
    await last().state('live');
    for (let i = 0; i < 4; i++) {
      await pass(15);
      await last().write(': keep-alive\n\n');
    }
    expect(told).toEqual(['live']);
    await pass(29);
    expect(told).toEqual(['live']);
    await pass(2);
    expect(new Set(told.slice(1))).toEqual(new Set(['silence']));
    expect(lines[0]!.signal.aborted).toBe(true);
    await pass(2);
    await last().state('live');
    expect(lines.length).toBe(2);
    expect(told.at(-1)).toBe('live');
  });

  it('a computer that slept does not believe what it heard before', async () => {
    await begin();
    await last().state('live');
    vi.setSystemTime(Date.now() + 3_600_000);
    await pass(1);
    expect(told).toContain('silence');
  });

  it('a connection that ends is opened again before the verdict is given up', async () => {
    await begin();
    await last().state('live');
    await last().end();
    await pass(1);
    expect([told, lines.length]).toEqual([['live'], 2]);
    await last().state('live');
    expect(told).toEqual(['live', 'live']);
  });

  it('a new connection that hangs gives the verdict up after 5 s', async () => {
    await begin();
    await last().state('live');
    await last().end();
    await pass(6);
    expect(told.at(-1)).toBe('silence');
  });

  it.each<[string, Response | Error]>([
    ['no network', new TypeError('failed to fetch')],
    ['a server that is full', new Response('', { status: 503 })],
    ['too many requests', new Response('', { status: 429 })],
  ])('%s is silence, and tried again', async (_what, failure) => {
    await begin();
    await last().state('live');
    answers = [failure];
    await last().end();
    await pass(1);
    expect(told).toEqual(['live', 'silence']);
    await pass(3);
    await last().state('live');
    expect(told.at(-1)).toBe('live');
  });

  it.each([400, 401, 403, 404])('%d ends all tries', async (status) => {
    await begin(new Response('', { status }));
    await pass(300);
    expect([told, lines.length, over]).toEqual([['silence'], 1, true]);
  });

  it('204 is the end', async () => {
    await begin(new Response(null, { status: 204 }));
    await pass(300);
    expect([told, lines.length]).toEqual([['end'], 1]);
  });

  it('waits longer and longer, and as long as the server asks', async () => {
    await begin(...Array.from({ length: 50 }, () => new Error('no network')));
    await pass(60);
    expect(lines.length).toBeGreaterThan(5);
    expect(lines.length).toBeLessThan(13);
    await pass(600);
    expect(lines.length).toBeGreaterThan(24);
    follower.close();
    await begin(new Response('', { status: 503, headers: { 'Retry-After': '20' } }));
    const before = lines.length;
    await pass(19);
    expect(lines.length).toBe(before);
    await pass(2);
    expect(lines.length).toBe(before + 1);
  });

  it('what cannot be read is silence', async () => {
    await begin();
    await last().state('live');
    await last().write('event: state\ndata: {"verdict":\n\n');
    expect(told).toEqual(['live', 'silence']);
  });

  it('close ends everything at once', async () => {
    await begin();
    await last().state('live');
    follower.close();
    await settled();
    await pass(60);
    expect([told, lines.length, over, vi.getTimerCount()]).toEqual([['live'], 1, true, 0]);
  });
});

describe('<liveness-status>', () => {
  let lines: Line[] = [];
  let asked: Request[] = [];
  let seen: LivenessStatusDetail[] = [];
  const last = () => lines.at(-1)!;
  const text = (el: LivenessStatus, part: string) => el.shadowRoot!.querySelector(`[part=${part}]`)!.textContent.trim();

  beforeEach(() => {
    vi.useFakeTimers();
    defineStatus();
    lines = [];
    asked = [];
    seen = [];
    vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
      asked.push(new Request(new URL(url, 'http://page.test'), { ...init, signal: null }));
      lines.push(new Line(init.signal!));
      return last().response;
    });
  });
  afterEach(async () => {
    document.body.replaceChildren();
    await settled();
    expect(vi.getTimerCount()).toBe(0);
    document.documentElement.lang = '';
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  async function show(html = '<liveness-status events-url="/events?token=t"></liveness-status>'): Promise<LivenessStatus> {
    document.body.innerHTML = html;
    const el = document.querySelector('liveness-status')!;
    el.addEventListener('liveness-status', (e) => seen.push(e.detail));
    await settled();
    return el;
  }

  it('shows live, its loss with an alarm, and the reason', async () => {
    const el = await show();
    expect([el.status, asked.map((r) => r.url)]).toEqual(['connecting', ['http://page.test/events?token=t']]);
    await last().state('live', { reasons: ['score_above_threshold'] });
    expect([text(el, 'title'), text(el, 'reason'), text(el, 'alarm')]).toEqual(['Live', 'The picture is that of a live person.', '']);
    expect(el.shadowRoot!.querySelector('time')!.dateTime).toBe(at);
    expect(text(el, 'since')).toBe(`since ${new Date(at).toLocaleTimeString('en')}`);
    await last().state('pending', { reasons: ['face_changed'] });
    expect([el.status, el.dataset['status'], text(el, 'title')]).toEqual(['lost', 'lost', 'Live status lost']);
    expect(text(el, 'reason')).toBe('Another face came into the picture, or the face left it.');
    expect(el.shadowRoot!.querySelector('[role=alert]')!.textContent).toContain('not confirmed any more');
    expect(seen.map((d) => [d.status, d.previous, d.reason, d.alarm])).toEqual([
      ['live', 'connecting', 'score_above_threshold', false],
      ['lost', 'live', 'face_changed', true],
    ]);
    expect(seen[1]).toMatchObject({ sessionId: 'S', since: at, verdict: 'pending', text: text(el, 'reason') });
  });

  it('never shows live after 30 s of silence', async () => {
    const el = await show();
    await last().state('live');
    await vi.advanceTimersByTimeAsync(31_000);
    expect([el.status, text(el, 'title')]).toEqual(['unknown', 'Connection lost']);
    expect(text(el, 'alarm')).not.toBe('');
    await vi.advanceTimersByTimeAsync(2_000);
    await last().state('live');
    expect([el.status, text(el, 'alarm')]).toEqual(['live', '']);
  });

  it('another address begins anew; several settings of one moment make one connection', async () => {
    const el = await show();
    await last().state('live');
    el.eventsUrl = '/other';
    el.credentials = 'include';
    expect([el.status, el.eventsUrl]).toEqual(['connecting', '/other']);
    await settled();
    expect(lines[0]!.signal.aborted).toBe(true);
    expect(asked.map((r) => [new URL(r.url).pathname, r.credentials])).toEqual([
      ['/events', 'same-origin'],
      ['/other', 'include'],
    ]);
    el.eventsUrl = '';
    await settled();
    expect([lines.length, el.status]).toEqual([2, 'connecting']);
  });

  it('asks source for each connection, which may fetch itself', async () => {
    const el = await show('<liveness-status></liveness-status>');
    expect(lines).toEqual([]);
    const own = vi.fn(({ signal }: { signal: AbortSignal }) => {
      lines.push(new Line(signal));
      return last().response;
    });
    el.source = own;
    await settled();
    await last().state('live');
    expect([own.mock.calls.length, asked.length, el.status]).toEqual([1, 0, 'live']);
    el.source = () => '/by-source';
    await settled();
    expect(asked.map((r) => new URL(r.url).pathname)).toEqual(['/by-source']);
  });

  it('a source set before the element was defined counts', async () => {
    const el = document.createElement('later-status') as LivenessStatus;
    document.body.append(el);
    el.source = () => '/early';
    defineStatus('later-status');
    await settled();
    expect(asked.map((r) => new URL(r.url).pathname)).toEqual(['/early']);
  });

  it('ends its connection when it leaves the document, and comes back', async () => {
    const el = await show();
    await last().state('live');
    el.remove();
    expect(lines[0]!.signal.aborted).toBe(true);
    document.body.append(el);
    await settled();
    expect([el.status, lines.length]).toEqual(['connecting', 2]);
  });

  it('speaks German, follows the language, and marks English as a fallback', async () => {
    document.documentElement.lang = 'de-AT';
    const el = await show();
    await last().state('spoof', { reasons: ['score_below_threshold'] });
    const card = el.shadowRoot!.querySelector<HTMLElement>('[part=card]')!;
    expect([text(el, 'title'), card.lang]).toEqual(['Verdacht auf Angriff', 'de']);
    document.documentElement.lang = 'fa';
    await settled();
    expect([text(el, 'title'), card.lang, card.dir]).toEqual(['Suspected attack', 'en', 'ltr']);
    el.texts = (lang) => (lang === 'fa' ? { lang: 'fa', statuses: { spoof: { title: 'حمله' } } } : {});
    expect([text(el, 'title'), card.lang, card.dir]).toEqual(['حمله', 'fa', 'rtl']);
  });

  it('text of a server stays text', async () => {
    const el = await show();
    await last().state('pending', { reasons: ['<img src=x onerror=alert(1)>'] });
    expect(text(el, 'reason')).toBe('The service gave a reason that this page does not know.');
    expect(el.shadowRoot!.querySelector('img')).toBeNull();
  });
});

describe('words', () => {
  it('every file of words is registered', () => {
    const files = readdirSync(`${__dirname}/words`).map((name) => basename(name, '.ts'));
    expect([...statusLanguages].sort()).toEqual(files.filter((name) => !['catalogue', 'index'].includes(name)).sort());
  });

  it.each(statusLanguages)('%s has a sentence for every reason', (lang) => {
    const { words } = speak(lang);
    for (const code of Object.keys(reasons)) expect(reasonText(words, code)).toMatch(/^[\p{Lu}\p{Lo}].+[.।。]$/u);
    expect(words.since).toContain('{time}');
    if (lang === 'en') return;
    const english = speak('en').words;
    expect(words.alarm).not.toBe(english.alarm);
    for (const code of Object.keys(reasons)) expect(reasonText(words, code)).not.toBe(reasonText(english, code));
  });

  it.each(['from_the_future', 'constructor', '__proto__'])('%s is a reason that is not known', (code) =>
    expect(reasonText(speak('en').words, code)).toBe(speak('en').words.unknownReason),
  );
});

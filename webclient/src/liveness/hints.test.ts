import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { errorCodes } from './errors';
import { advice, catalogue, HintPacer, languages, localReasons, reasonText, serverReasons } from './hints';

const declared = [...readFileSync(resolve(__dirname, '../../../reason.go'), 'utf8').matchAll(/Reason = "([a-z_]+)"/g)].map((m) => m[1]!);

describe('catalogue', () => {
  it('knows exactly the reason codes that the server declares', () => {
    expect(declared.length).toBeGreaterThan(20);
    expect([...serverReasons].sort()).toEqual([...declared].sort());
  });

  it.each(languages)('%s has words for every code, each its own sentence', (lang) => {
    const words = catalogue(lang);
    for (const code of [...declared, ...localReasons]) expect(reasonText(words, code)).toMatch(/^\p{Lu}.+\.$/u);
    for (const code of errorCodes) expect(words.errors[code].text).toMatch(/\.$/);
  });

  it('no language borrows another’s words', () => {
    const [a, b] = [catalogue('en'), catalogue('de')];
    for (const code of declared) expect(reasonText(a, code)).not.toBe(reasonText(b, code));
  });

  it.each([['de-AT', 'Abbrechen'], ['DE', 'Abbrechen'], ['en-GB', 'Cancel'], ['fr', 'Cancel'], ['', 'Cancel']])(
    'lang %j', (lang, cancel) => expect(catalogue(lang).cancel).toBe(cancel),
  );

  it.each(['from_the_future', 'constructor', '__proto__'])('%s falls back to a general hint', (code) => {
    expect(reasonText(catalogue('en'), code)).toBe(catalogue('en').unknownReason);
  });
});

describe('advice', () => {
  it.each([
    [['deadline', 'insufficient_evidence', 'no_face'], 'no_face'],
    [['too_dark', 'deadline'], 'too_dark'],
    [['deadline'], 'deadline'],
    [[], ''],
  ])('%j → %j', (reasons, want) => expect(advice(reasons)).toBe(want));
});

describe('HintPacer', () => {
  let shown: string[];
  let pacer: HintPacer;
  beforeEach(() => {
    vi.useFakeTimers();
    shown = [];
    pacer = new HintPacer((r) => shown.push(r), 900);
  });
  afterEach(() => vi.useRealTimers());

  it('shows the first hint at once', () => {
    pacer.set('no_face');
    expect(shown).toEqual(['no_face']);
  });

  it('keeps a hint readable, then shows only the newest', () => {
    for (const r of ['no_face', 'blurred', 'too_dark']) pacer.set(r);
    vi.advanceTimersByTime(899);
    expect(shown).toEqual(['no_face']);
    vi.advanceTimersByTime(1);
    expect(shown).toEqual(['no_face', 'too_dark']);
  });

  it('a hint that came and went is not repeated', () => {
    pacer.set('no_face');
    pacer.set('');
    pacer.set('no_face');
    vi.advanceTimersByTime(5000);
    expect(shown).toEqual(['no_face']);
  });

  it('clear leaves no timer behind', () => {
    pacer.set('no_face');
    pacer.set('blurred');
    pacer.clear();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(5000);
    expect(shown).toEqual(['no_face']);
  });
});

import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorCodes } from '../errors';
import reasons from '../reasons.json';
import { localReasons } from './catalogue';
import { catalogue, languages, reasonText, speak } from './index';

const codes = [...Object.keys(reasons), ...localReasons];

describe('languages', () => {
  it('every file of words is registered', () => {
    const files = readdirSync(__dirname).map((name) => basename(name, '.ts'));
    expect([...languages].sort()).toEqual(files.filter((name) => !['catalogue', 'index', 'words.test'].includes(name)).sort());
  });

  it.each(languages)('%s has a sentence for every code', (lang) => {
    const words = catalogue(lang);
    for (const code of codes) expect(reasonText(words, code)).toMatch(/^[\p{Lu}\p{Lo}\d].+[.。।]$/u);
    for (const code of errorCodes) expect(words.errors[code].text).toMatch(/[.。।]$/);
  });

  it.each(languages.filter((lang) => lang !== 'en'))('%s borrows no English sentence', (lang) => {
    for (const code of codes) expect(reasonText(catalogue(lang), code)).not.toBe(reasonText(catalogue('en'), code));
  });

  it('ten languages', () => expect(languages).toEqual(['en', 'de', 'fr', 'es', 'pt', 'it', 'tr', 'ar', 'hi', 'ja']));

  it.each([
    ['de-AT', 'Abbrechen'],
    ['DE', 'Abbrechen'],
    ['en-GB', 'Cancel'],
    ['xx', 'Cancel'],
    ['constructor', 'Cancel'],
    ['', 'Cancel'],
  ])('lang %j', (lang, cancel) => expect(catalogue(lang).cancel).toBe(cancel));

  it.each(['from_the_future', 'constructor', '__proto__'])('%s falls back to a general hint', (code) => {
    expect(reasonText(catalogue('en'), code)).toBe(catalogue('en').unknownReason);
  });
});

describe('speak', () => {
  it.each([
    ['de-CH', 'de', 'ltr'],
    ['ar-EG', 'ar', 'rtl'],
    ['nl', 'en', 'ltr'],
    ['fa', 'en', 'ltr'],
    ['', 'en', 'ltr'],
  ])('%j is answered in %s, %s', (tag, lang, dir) => expect(speak(tag)).toMatchObject({ lang, dir }));

  it('the page’s words win, what it leaves out stays', () => {
    const { words } = speak('de', { start: 'Los', states: { idle: { title: 'Hallo' } }, errors: { network: { text: 'Kein Netz.' } } });
    expect(words.start).toBe('Los');
    expect(words.cancel).toBe('Abbrechen');
    expect(words.states.idle).toEqual({ ...catalogue('de').states.idle, title: 'Hallo' });
    expect(words.errors.network).toEqual({ title: 'Keine Verbindung', text: 'Kein Netz.' });
  });

  it('the page may bring a language', () => {
    expect(speak('he', { lang: 'he', start: 'התחל' })).toMatchObject({
      lang: 'he',
      dir: 'rtl',
      words: { start: 'התחל', cancel: 'Cancel' },
    });
    expect(speak('nl', { lang: 'nl', dir: 'rtl' })).toMatchObject({ lang: 'nl', dir: 'rtl' });
  });

  it.each([
    { start: 7 },
    { states: null },
    { states: 'x' },
    { states: { idle: { title: {} } } },
    { nonsense: 'x' },
    { __proto__: { start: 'x' } },
  ])('%j takes no word away', (texts) => expect(speak('en', texts as never).words).toEqual(catalogue('en')));
});

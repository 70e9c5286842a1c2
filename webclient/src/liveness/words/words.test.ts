import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorCodes } from '../errors';
import reasons from '../reasons.json';
import { catalogue, languages, reasonText } from './index';

const local = ['connection_unstable', 'page_hidden'];
const codes = [...Object.keys(reasons), ...local];

describe('languages', () => {
  it('every file of words is registered', () => {
    const files = readdirSync(__dirname).map((name) => basename(name, '.ts'));
    expect([...languages].sort()).toEqual(files.filter((name) => !['catalogue', 'index', 'words.test'].includes(name)).sort());
  });

  it.each(languages)('%s has a sentence for every code', (lang) => {
    const words = catalogue(lang);
    for (const code of codes) expect(reasonText(words, code)).toMatch(/^\p{Lu}.+\.$/u);
    for (const code of errorCodes) expect(words.errors[code].text).toMatch(/\.$/);
  });

  it.each(languages.filter((lang) => lang !== 'en'))('%s borrows no English sentence', (lang) => {
    for (const code of codes) expect(reasonText(catalogue(lang), code)).not.toBe(reasonText(catalogue('en'), code));
  });

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

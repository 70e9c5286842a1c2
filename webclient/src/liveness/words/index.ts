// The languages of the component: a new one is a file beside en.ts, and its name in `catalogues`.
import { ar } from './ar';
import type { Catalogue, Direction, Texts } from './catalogue';
import { de } from './de';
import { en } from './en';
import { es } from './es';
import { fr } from './fr';
import { hi } from './hi';
import { it } from './it';
import { ja } from './ja';
import { pt } from './pt';
import { tr } from './tr';

export type { Catalogue, Direction, Texts, Words } from './catalogue';

const catalogues: Readonly<Record<string, Catalogue>> = { en, de, fr, es, pt, it, tr, ar, hi, ja };

export const languages: readonly string[] = Object.keys(catalogues);

/** Words, and the language that they are in: it differs from the page's where the component has no words for that. */
export interface Spoken {
  readonly words: Catalogue;
  readonly lang: string;
  readonly dir: Direction;
}

/** The words for a BCP 47 tag ("de-AT" → de; English when there are none), with the page's own on top. */
export function speak(tag: string, texts: Texts = {}): Spoken {
  const known = languageOf(tag);
  const lang = typeof texts.lang === 'string' ? texts.lang : known;
  return { words: merge(catalogue(known), texts), lang, dir: texts.dir ?? directionOf(lang) };
}

/** The catalogue for a BCP 47 tag; English when there is none. */
export function catalogue(tag: string): Catalogue {
  return catalogues[languageOf(tag)] ?? en;
}

/** Plain words for a reason code; a code from a newer server gets a general hint. */
export function reasonText(words: Catalogue, code: string): string {
  const known: Readonly<Record<string, string>> = words.reasons;
  return (Object.hasOwn(known, code) ? known[code] : undefined) ?? words.unknownReason;
}

function languageOf(tag: string): string {
  const language = primary(tag);
  return Object.hasOwn(catalogues, language) ? language : 'en';
}

function primary(tag: string): string {
  return tag.toLowerCase().split('-')[0] ?? '';
}

// Languages in Arabic, Hebrew, Syriac, Thaana and N'Ko script; the page may bring words in one of them.
const rightToLeft = new Set(['ar', 'arc', 'ckb', 'dv', 'fa', 'he', 'nqo', 'ps', 'sd', 'syr', 'ug', 'ur', 'yi']);

function directionOf(tag: string): Direction {
  return rightToLeft.has(primary(tag)) ? 'rtl' : 'ltr';
}

// Only strings replace strings: a page's mistake cannot take a word away.
function merge<T extends object>(base: T, over: object): T {
  const merged = { ...base };
  for (const key of Object.keys(base) as (keyof T & string)[]) {
    const given: unknown = Object.hasOwn(over, key) ? over[key as keyof typeof over] : undefined;
    const own = base[key];
    if (typeof own === 'string' && typeof given === 'string') merged[key] = given as typeof own;
    else if (typeof own === 'object' && own !== null && typeof given === 'object' && given !== null) merged[key] = merge(own, given);
  }
  return merged;
}

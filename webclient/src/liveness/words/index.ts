// The languages of the component: a new one is a file beside en.ts, and its name in `catalogues`.
import { directionOf, languageOf, merge, own, type Direction } from '../shared/speak';
import { ar } from './ar';
import type { Catalogue, Texts } from './catalogue';
import { de } from './de';
import { en } from './en';
import { es } from './es';
import { fr } from './fr';
import { hi } from './hi';
import { it } from './it';
import { ja } from './ja';
import { pt } from './pt';
import { tr } from './tr';

export type { Catalogue, Texts, Words } from './catalogue';

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
  const known = languageOf(tag, catalogues);
  const lang = typeof texts.lang === 'string' ? texts.lang : known;
  return { words: merge(catalogue(known), texts), lang, dir: texts.dir ?? directionOf(lang) };
}

/** The catalogue for a BCP 47 tag; English when there is none. */
export function catalogue(tag: string): Catalogue {
  return catalogues[languageOf(tag, catalogues)] ?? en;
}

/** Plain words for a reason code; a code from a newer server gets a general hint. */
export function reasonText(words: Catalogue, code: string): string {
  return own(words.reasons, code) ?? words.unknownReason;
}

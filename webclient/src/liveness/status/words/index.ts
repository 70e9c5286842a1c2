// The languages of <liveness-status>: a new one is a file beside en.ts, and its name in `catalogues`.
import { directionOf, languageOf, merge, own, type Direction } from '../../shared/speak';
import { ar } from './ar';
import type { StatusTexts, StatusWords } from './catalogue';
import { de } from './de';
import { en } from './en';
import { es } from './es';
import { fr } from './fr';
import { hi } from './hi';
import { it } from './it';
import { ja } from './ja';
import { pt } from './pt';
import { tr } from './tr';

export type { StatusTexts, StatusWords } from './catalogue';

const catalogues: Readonly<Record<string, StatusWords>> = { en, de, fr, es, pt, it, tr, ar, hi, ja };

export const statusLanguages: readonly string[] = Object.keys(catalogues);

/** Words, and the language that they are in: it differs from the page's where the component has no words for that. */
export interface StatusSpoken {
  readonly words: StatusWords;
  readonly lang: string;
  readonly dir: Direction;
}

/** The words for a BCP 47 tag ("de-AT" → de; English when there are none), with the page's own on top. */
export function speak(tag: string, texts: StatusTexts = {}): StatusSpoken {
  const known = languageOf(tag, catalogues);
  const lang = typeof texts.lang === 'string' ? texts.lang : known;
  return { words: merge(catalogues[known] ?? en, texts), lang, dir: texts.dir ?? directionOf(lang) };
}

/** Plain words for a reason code; '' for none. */
export function reasonText(words: StatusWords, code: string): string {
  return code && (own(words.reasons, code) ?? words.unknownReason);
}

// The languages of <liveness-status>: a new one is a file beside en.ts, and its name in `catalogues`.
import { directionOf, languageOf, merge, own, type Direction } from '../../shared/speak';
import type { StatusTexts, StatusWords } from './catalogue';
import { de } from './de';
import { en } from './en';

export type { StatusTexts, StatusWords } from './catalogue';

const catalogues: Readonly<Record<string, StatusWords>> = { en, de };

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

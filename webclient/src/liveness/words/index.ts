// The languages of the component: a new one is a file beside en.ts, and its name in `catalogues`.
import type { Catalogue } from './catalogue';
import { de } from './de';
import { en } from './en';

export type { Catalogue, Words } from './catalogue';

const catalogues: Readonly<Record<string, Catalogue>> = { en, de };

export const languages: readonly string[] = Object.keys(catalogues);

/** The catalogue for a BCP 47 tag ("de-AT" → de); English when there is none. */
export function catalogue(lang: string): Catalogue {
  const language = lang.toLowerCase().split('-')[0] ?? '';
  return (Object.hasOwn(catalogues, language) ? catalogues[language] : undefined) ?? en;
}

/** Plain words for a reason code; a code from a newer server gets a general hint. */
export function reasonText(words: Catalogue, code: string): string {
  const known: Readonly<Record<string, string>> = words.reasons;
  return (Object.hasOwn(known, code) ? known[code] : undefined) ?? words.unknownReason;
}

// Chooses among catalogues of words by a language tag, and puts the page's own words on top.

export type Direction = 'ltr' | 'rtl';

/** The key of the catalogue for a BCP 47 tag ("de-AT" → de); en when there is none. */
export function languageOf(tag: string, catalogues: object): string {
  const language = primary(tag);
  return Object.hasOwn(catalogues, language) ? language : 'en';
}

// Languages in Arabic, Hebrew, Syriac, Thaana and N'Ko script; the page may bring words in one of them.
const rightToLeft = new Set(['ar', 'arc', 'ckb', 'dv', 'fa', 'he', 'nqo', 'ps', 'sd', 'syr', 'ug', 'ur', 'yi']);

/** The direction of the script of a BCP 47 tag. */
export function directionOf(tag: string): Direction {
  return rightToLeft.has(primary(tag)) ? 'rtl' : 'ltr';
}

/** The value of a key that is the object's own: a key from a server may be "constructor". */
export function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** base with the strings of over. Only strings replace strings: a page's mistake cannot take a word away. */
export function merge<T extends object>(base: T, over: object): T {
  const merged = { ...base };
  for (const key of Object.keys(base) as (keyof T & string)[]) {
    const given: unknown = Object.hasOwn(over, key) ? over[key as keyof typeof over] : undefined;
    const own = base[key];
    if (typeof own === 'string' && typeof given === 'string') merged[key] = given as typeof own;
    else if (typeof own === 'object' && own !== null && typeof given === 'object' && given !== null) merged[key] = merge(own, given);
  }
  return merged;
}

function primary(tag: string): string {
  return tag.toLowerCase().split('-')[0] ?? '';
}

// What a language must have words for. The type checker refuses one that lacks a key.
import type { Movement } from '../challenge/challenge';
import type { ErrorCode } from '../errors';
import type { State } from '../machine';
import type reasons from '../reasons.json';
import type { Direction } from '../shared/speak';

/** A code that the server sends; reasons.json follows the server's own table. */
export type ServerReason = keyof typeof reasons;

/** Reasons that only the client can know, the most urgent first. */
export const localReasons = ['camera_paused', 'page_hidden', 'connection_unstable'] as const;

export type LocalReason = (typeof localReasons)[number];

export interface Words {
  readonly title: string;
  readonly text: string;
}

export interface Catalogue {
  readonly reasons: Readonly<Record<ServerReason | LocalReason, string>>;
  /** For a code that a newer server sends. */
  readonly unknownReason: string;
  readonly states: Readonly<Record<Exclude<State, 'error'>, Words>>;
  readonly errors: Readonly<Record<ErrorCode, Words>>;
  readonly start: string;
  readonly cancel: string;
  /** Asks for a check without the light of the screen. */
  readonly noLight: string;
  /** What to change at a further try of the challenge by light. */
  readonly lightAgain: string;
  /** The challenge by movement: what will come, what to change at a further try, and each movement. */
  readonly turn: Readonly<Record<'title' | 'text' | 'again' | Movement, string>>;
  readonly retry: string;
  readonly again: string;
  readonly label: string;
  /** Follows the text of every result. */
  readonly cameraOff: string;
  readonly progress: string;
  /** Names the list of cameras. */
  readonly camera: string;
  readonly switchCamera: string;
}

/** Words of the page's own; what is missing stays as it is built in. */
export type Texts = { [K in keyof Catalogue]?: Catalogue[K] extends string ? string : TextsOf<Catalogue[K]> } & {
  /** The language of these words, when the component has none for the page's: a BCP 47 tag. */
  readonly lang?: string;
  readonly dir?: Direction;
};

type TextsOf<T> = { readonly [K in keyof T]?: T[K] extends string ? string : Partial<T[K]> };

// What a language must have words for. The type checker refuses one that lacks a key.
import type { ErrorCode } from '../errors';
import type { State } from '../machine';
import type reasons from '../reasons.json';

/** A code that the server sends; reasons.json follows the server's own table. */
export type ServerReason = keyof typeof reasons;

/** Reasons that only the client can know: the connection stutters, the page is not in view. */
export type LocalReason = 'connection_unstable' | 'page_hidden';

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
  readonly retry: string;
  readonly again: string;
  readonly label: string;
  /** Follows the text of every result. */
  readonly cameraOff: string;
  readonly progress: string;
}

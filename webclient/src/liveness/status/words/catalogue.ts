// What the agent reads. The reasons of ../../words speak to the person in front of the camera; these speak about that person.
import type { Direction } from '../../shared/speak';
import type { ServerReason } from '../../words/catalogue';
import type { Status } from '../standing';

export interface StatusWords {
  readonly label: string;
  /** {time} is replaced. */
  readonly since: string;
  /** The alert: it was live, and is not any more. */
  readonly alarm: string;
  readonly statuses: Readonly<Record<Status, { readonly title: string; readonly text: string }>>;
  readonly reasons: Readonly<Record<ServerReason, string>>;
  /** For a code that a newer server sends. */
  readonly unknownReason: string;
}

/** Words of the page's own; what is missing stays as it is built in. */
export interface StatusTexts {
  readonly label?: string;
  readonly since?: string;
  readonly alarm?: string;
  readonly statuses?: { readonly [K in Status]?: { readonly title?: string; readonly text?: string } };
  readonly reasons?: { readonly [K in ServerReason]?: string };
  readonly unknownReason?: string;
  /** The language of these words, when the component has none for the page's: a BCP 47 tag. */
  readonly lang?: string;
  readonly dir?: Direction;
}

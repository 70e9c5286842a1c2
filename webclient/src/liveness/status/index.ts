// What "@liveproof/liveness-check/status" exports. Importing it does nothing: defineStatus() registers the element.
import { LivenessStatus } from './element';

export { LivenessStatus };
export { statusLanguages, type StatusTexts, type StatusWords } from './words';
export type { EventSourceOf } from './element';
export type { LivenessStatusDetail, LivenessStatusEventMap } from './events';
export type { Status, Verdict } from './standing';

let taken = false; // a class can have one name; more names need classes of their own

/** Registers the element, as <liveness-status> or under a name of yours. Calling it twice is harmless; without a DOM it does nothing. */
export function defineStatus(name = 'liveness-status'): void {
  const registry = globalThis.customElements as CustomElementRegistry | undefined;
  if (!registry || registry.get(name)) return;
  registry.define(name, taken ? class extends LivenessStatus {} : LivenessStatus);
  taken = true;
}

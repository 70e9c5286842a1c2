// What the package exports. Importing it does nothing: define() registers the element.
import { LivenessCheck } from './element';

export { LivenessCheck };
export { errorCodes, LivenessError, type ErrorCode } from './errors';
export { languages, type Catalogue, type Texts } from './words';
export type { CameraDevice, Facing, VideoSettings } from './camera/camera';
export type {
  LivenessCameraDetail,
  LivenessErrorDetail,
  LivenessEventMap,
  LivenessHintDetail,
  LivenessResultDetail,
  StateChangeDetail,
} from './events';
export type { Result, State } from './machine';
export type { GetSession, SessionAnswer, SessionHeaders, SessionRequest } from './session/session';
export type { Sample } from './session/signalling';

let taken = false; // a class can have one name; more names need classes of their own

/**
 * Registers the element, as <liveness-check> or under a name of yours. Calling it twice, or from
 * two versions of the package, is harmless; without a DOM, at server-side rendering, it does nothing.
 */
export function define(name = 'liveness-check'): void {
  const registry = globalThis.customElements as CustomElementRegistry | undefined;
  if (!registry || registry.get(name)) return;
  registry.define(name, taken ? class extends LivenessCheck {} : LivenessCheck);
  taken = true;
}

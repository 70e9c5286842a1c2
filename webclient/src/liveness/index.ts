// Registers <liveness-check>; importing this twice, or two versions, is harmless.
import { LivenessCheck } from './element';

export { LivenessCheck };
export type { LivenessResultDetail, StateChangeDetail } from './element';
export type { State, Result } from './machine';
export type { Sample } from './signalling';

if (!customElements.get('liveness-check')) customElements.define('liveness-check', LivenessCheck);

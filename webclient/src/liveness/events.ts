// The events of the element. Those of version 0.1 are sent beside those that replace them.
import type { CameraDevice, Facing, VideoSettings } from './camera/camera';
import type { ErrorCode } from './errors';
import type { Result, State } from './machine';
import type { Sample } from './session/signalling';

export interface StateChangeDetail {
  readonly state: State;
  readonly previous: State;
  /** '' until there is a session. */
  readonly sessionId: string;
  /** Set in state error. */
  readonly error: ErrorCode | '';
}

export interface LivenessHintDetail {
  /** A reason code: what the person should change now; `challenge` when the screen shows colours or movements; '' when all is well. */
  readonly hint: string;
  /** The hint in the words that the person reads; '' when there is none. */
  readonly text: string;
  readonly sessionId: string;
}

export interface LivenessResultDetail {
  /** For the page only: the verdict that counts is read by your backend. */
  readonly result: Result;
  /** Reason codes. */
  readonly reasons: readonly string[];
  readonly sessionId: string;
}

export interface LivenessErrorDetail {
  readonly error: ErrorCode;
  /** The words that the person reads. */
  readonly title: string;
  readonly text: string;
  /** What else is known, for a developer's log: "HTTP 401". */
  readonly message: string;
  readonly sessionId: string;
}

export interface LivenessCameraDetail {
  readonly requested: VideoSettings;
  /** What the camera gives; 0 where the browser does not tell. */
  readonly delivered: VideoSettings;
  readonly deviceId: string;
  readonly facing: Facing | undefined;
  /** All cameras of the device. */
  readonly cameras: readonly CameraDevice[];
}

export interface LivenessEventMap {
  'liveness-state': CustomEvent<StateChangeDetail>;
  'liveness-hint': CustomEvent<LivenessHintDetail>;
  'liveness-result': CustomEvent<LivenessResultDetail>;
  'liveness-error': CustomEvent<LivenessErrorDetail>;
  'liveness-camera': CustomEvent<LivenessCameraDetail>;
  'liveness-sample': CustomEvent<Sample>;
}

interface FormerEventMap {
  statechange: CustomEvent<StateChangeDetail>;
  livenessresult: CustomEvent<LivenessResultDetail>;
  livenesssample: CustomEvent<Sample>;
}

declare global {
  interface HTMLElementEventMap extends LivenessEventMap, FormerEventMap {}
  interface DocumentEventMap extends LivenessEventMap, FormerEventMap {}
}

const former: Partial<Record<keyof LivenessEventMap, keyof FormerEventMap>> = {
  'liveness-state': 'statechange',
  'liveness-result': 'livenessresult',
  'liveness-sample': 'livenesssample',
};

/** Sends an event, and the one of version 0.1 that it replaces. They bubble and leave shadow roots. */
export function emit<K extends keyof LivenessEventMap>(from: EventTarget, type: K, detail: LivenessEventMap[K]['detail']): void {
  for (const name of [type, former[type]]) {
    if (name) from.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

// The events of <liveness-status>.
import type { Status, Verdict } from './standing';

export interface LivenessStatusDetail {
  readonly status: Status;
  readonly previous: Status;
  /** The last verdict that was heard; it is not the present one while status is unknown. */
  readonly verdict: Verdict | '';
  /** A reason code, '' without one. */
  readonly reason: string;
  /** The reason in the words that the agent reads. */
  readonly text: string;
  /** Since when, as ISO 8601; '' when it is not known. */
  readonly since: string;
  /** It was live, and is not any more. */
  readonly alarm: boolean;
  readonly sessionId: string;
}

export interface LivenessStatusEventMap {
  'liveness-status': CustomEvent<LivenessStatusDetail>;
}

declare global {
  interface HTMLElementEventMap {
    'liveness-status': CustomEvent<LivenessStatusDetail>;
  }
  interface DocumentEventMap {
    'liveness-status': CustomEvent<LivenessStatusDetail>;
  }
}

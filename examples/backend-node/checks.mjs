// What the backend remembers, and the decision of this business.
import { randomUUID } from 'node:crypto';

const MAX_AGE = 600; // since a session's end, in seconds: later its result says nothing about who is there now
const CHECKS_AN_HOUR = 10; // that a visitor may begin

/**
 * Why Liveproof's word on a session must not count, '' when it may: members result, model and decidedAt (seconds since 1970). A
 * demo model proves nothing.
 */
export function objection({ result, model, decidedAt }, allowDemo) {
  const age = Date.now() / 1000 - decidedAt;
  if (!(age <= MAX_AGE && age >= -60)) return 'the session did not end just now';
  if (!model) return result === 'retry' ? '' : 'no model is named'; // no picture came
  if (model.demo !== false && !allowDemo)
    return 'a demo model judged: set LIVEPROOF_ALLOW_DEMO_MODEL=true to try it out, never in production';
  return '';
}

/** Accepts only a pass. */
export const decisionOf = (result) => (result === 'pass' ? 'accept' : result === 'fail' ? 'reject' : 'retry');

/**
 * Whose checks run, what was decided, and which messages were handled. It stands in for your database: it forgets all
 * when the program ends, and nothing before.
 */
export class Checks {
  #checks = new Map(); // by the session's id: visitor, decision, and the check's name at Liveproof, which must not be a credential
  #begun = new Map(); // times by visitor, of the last hour
  #handled = new Set(); // ids of webhooks

  /** Counts a new check of the visitor and gives it a name; undefined: the visitor has begun too many. */
  admit(visitor) {
    const recent = (this.#begun.get(visitor) ?? []).filter((at) => Date.now() - at < 3_600_000);
    if (recent.length >= CHECKS_AN_HOUR) return undefined;
    this.#begun.set(visitor, [...recent, Date.now()]);
    return randomUUID();
  }

  begin(session, visitor, external) {
    this.#checks.set(session, { visitor, external, decision: 'wait' });
  }

  /** Whether the visitor has begun a check. */
  knows(visitor) {
    return this.#begun.has(visitor);
  }

  /** Keeps a decision for the check that Liveproof names so; the first one stays. Undefined: the visitor has no such check. */
  decide(session, external, visitor, decision) {
    return this.#checks.get(session)?.visitor === visitor ? this.#keep(session, external, decision) : undefined;
  }

  /**
   * Is decide for a message, whose sender is Liveproof and not a visitor. The message counts as handled from the moment at which
   * its decision is kept, and not before; one that comes again changes nothing.
   */
  handle(message, session, external, decision) {
    if (this.#handled.has(message)) return undefined;
    const kept = this.#keep(session, external, decision);
    this.#handled.add(message); // in a database: in the transaction that keeps the decision
    return kept;
  }

  decision(session, visitor) {
    const check = this.#checks.get(session);
    return check?.visitor === visitor ? check.decision : undefined;
  }

  #keep(session, external, decision) {
    const check = this.#checks.get(session);
    if (check?.external !== external) return undefined;
    if (check.decision === 'wait') check.decision = decision;
    return check.decision;
  }
}

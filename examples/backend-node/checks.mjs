// What the backend remembers, and the decision of this business.

/**
 * Whose checks run, what was decided, and which messages were handled. It stands in for your database: it forgets all
 * when the program ends, and nothing before.
 */
export class Checks {
  #checks = new Map(); // by the session's id
  #handled = new Set(); // ids of webhooks

  begin(session, visitor) {
    this.#checks.set(session, { visitor, decision: 'wait' });
  }

  /** Turns the result into a decision, and accepts only a pass; the first one stays. Undefined: the visitor has no such check. */
  decide(session, visitor, result) {
    const check = this.#checks.get(session);
    if (check?.visitor === visitor && check.decision === 'wait')
      check.decision = result === 'pass' ? 'accept' : result === 'fail' ? 'reject' : 'retry';
    return this.decision(session, visitor);
  }

  decision(session, visitor) {
    const check = this.#checks.get(session);
    return check?.visitor === visitor ? check.decision : undefined;
  }

  /** Whether this message has not been handled before. */
  first(message) {
    const known = this.#handled.has(message);
    this.#handled.add(message);
    return !known;
  }
}

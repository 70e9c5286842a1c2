// Calls Liveproof's sessions API (ingest/openapi.yaml).
import { randomUUID } from 'node:crypto';

/** An answer of Liveproof other than success. Its code is stable, its detail is not. */
export class Refusal extends Error {
  constructor(status, { code = '', detail = '' }) {
    super(`Liveproof answered ${status} ${code}: ${detail}`);
    Object.assign(this, { status, code });
  }
}

/**
 * Returns Liveproof's answer unchanged, for the page's component. When no answer comes, it asks once more; the
 * idempotency key keeps that from making two sessions.
 */
export async function createSession(liveproof, apiKey, externalId) {
  const key = randomUUID();
  const call = () =>
    fetch(`${liveproof}/v1/sessions`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${apiKey}`, 'Content-Type': 'application/json', 'Idempotency-Key': key },
      body: JSON.stringify({ mode: 'onboarding', external_id: externalId }),
      signal: AbortSignal.timeout(5000),
    });
  const answer = await call().catch(call);
  if (!answer.ok) throw new Refusal(answer.status, await answer.json().catch(() => ({})));
  return answer.json();
}

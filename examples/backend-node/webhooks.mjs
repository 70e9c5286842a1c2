// Verifies Liveproof's webhooks (Standard Webhooks).
import { createHmac, timingSafeEqual } from 'node:crypto';

const TOLERANCE = 300; // how far a webhook's time may be from this machine's, in seconds

/** Whether Liveproof sent this message, just now. The key is what LIVEPROOF_WEBHOOK_SECRET holds in base64; the body is a Buffer. */
export function verifyWebhook(key, headers, body) {
  const { 'webhook-id': id, 'webhook-timestamp': sent, 'webhook-signature': signatures = '' } = headers;
  if (!(Math.abs(Date.now() / 1000 - Number(sent)) <= TOLERANCE)) return false;
  const mac = createHmac('sha256', key).update(`${id}.${sent}.`).update(body).digest('base64');
  const want = Buffer.from(`v1,${mac}`);
  return signatures.split(' ').some((given) => given.length === want.length && timingSafeEqual(Buffer.from(given, 'latin1'), want));
}

/** The key of a secret such as whsec_MfKQ…; undefined without a secret. */
export function webhookKey(secret) {
  if (!secret) return undefined;
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  if (key.length < 24) throw new Error('LIVEPROOF_WEBHOOK_SECRET is not whsec_ and the base64 of at least 24 bytes');
  return key;
}

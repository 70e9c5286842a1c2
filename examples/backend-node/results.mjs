// Verifies signed results: JWS (RFC 7515) of Ed25519 (RFC 8037).
import { webcrypto } from 'node:crypto';

const KEYS_AGE = 300_000; // how long keys are used, in ms: Liveproof publishes a key this long before it signs
const KEYS_PAUSE = 5_000; // the least time between two reads, whatever results name

const decode = (part) => JSON.parse(Buffer.from(part, 'base64url').toString());

/**
 * Returns a function that gives the claims of a result that this Liveproof signed for this tenant and that is still valid,
 * and throws otherwise.
 */
export function verifierOf(liveproof, issuer, tenant) {
  const keys = keysOf(`${liveproof}/.well-known/jwks.json`);
  return async function verify(result) {
    const [header, payload, signature, ...more] = result.split('.');
    const { alg, typ, kid } = decode(header);
    if (more.length || alg !== 'EdDSA' || typ !== 'liveproof-result+jwt') throw new Error('not a signed result');
    const signed = Buffer.from(`${header}.${payload}`);
    if (!(await webcrypto.subtle.verify('Ed25519', await keys(kid), Buffer.from(signature, 'base64url'), signed)))
      throw new Error('the signature is not Liveproof’s');
    const claims = decode(payload);
    if (claims.iss !== issuer || claims.aud !== tenant || !(Date.now() / 1000 < claims.exp))
      throw new Error('another service’s or tenant’s result, or one that has expired');
    return claims;
  };
}

/**
 * Returns a function that finds the key of an id in a JWK Set (RFC 7517). It reads the set again when it is old, or when
 * the id is unknown: the key may be new. Between two attempts, also such that failed, is a pause: anybody can send results
 * that name unknown keys.
 */
function keysOf(url) {
  let asked = -Infinity; // the last attempt
  let read = -Infinity; // the last that succeeded
  let attempt; // its promise
  let keys = [];
  async function reread() {
    const answer = await fetch(url, { signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
    keys = (await answer.json()).keys;
    read = performance.now();
  }
  return async function find(id) {
    const now = performance.now();
    if (now - read > KEYS_AGE || !keys.some((key) => key.kid === id)) {
      if (now - asked > KEYS_PAUSE) [asked, attempt] = [now, reread()];
      await attempt; // throws what the last attempt threw
    }
    const known = keys.find((key) => key.kid === id);
    if (!known) throw new Error(`${url} has no such key`);
    const { kty, crv, x } = known;
    return webcrypto.subtle.importKey('jwk', { kty, crv, x }, { name: 'Ed25519' }, false, ['verify']);
  };
}

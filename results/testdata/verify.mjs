// Verifies a signed result with Node's WebCrypto alone and prints its claims: verify.mjs RESULT KEYS, the text of both.
import { webcrypto } from 'node:crypto';

const [jws, keys] = process.argv.slice(2);
const [header, payload, signature] = jws.split('.');
const decode = (part) => JSON.parse(Buffer.from(part, 'base64url').toString());

const { alg, typ, kid } = decode(header);
if (alg !== 'EdDSA' || typ !== 'liveproof-result+jwt') throw new Error('not a result');
const jwk = JSON.parse(keys).keys.find((key) => key.kid === kid);
if (!jwk) throw new Error('unknown key');
const key = await webcrypto.subtle.importKey('jwk', { kty: jwk.kty, crv: jwk.crv, x: jwk.x }, { name: 'Ed25519' }, false, ['verify']);
const signed = Buffer.from(`${header}.${payload}`);
if (!(await webcrypto.subtle.verify('Ed25519', key, Buffer.from(signature, 'base64url'), signed))) throw new Error('bad signature');
console.log(JSON.stringify(decode(payload)));

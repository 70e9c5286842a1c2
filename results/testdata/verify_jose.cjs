// Verifies a signed result with jose (npm, on NODE_PATH) and prints its claims: verify_jose.cjs RESULT KEYS, the text of both.
const { createLocalJWKSet, jwtVerify } = require('jose');

const [jws, keys] = process.argv.slice(2);
const expected = { algorithms: ['EdDSA'], typ: 'liveproof-result+jwt', currentDate: new Date('2026-01-15T09:01:00Z') };
jwtVerify(jws, createLocalJWKSet(JSON.parse(keys)), expected).then(({ payload }) => console.log(JSON.stringify(payload)));

// An integrator's backend: it creates sessions at Liveproof for its page, verifies the signed results that the page brings,
// receives Liveproof's webhooks, and decides. It needs Node 18 or later, and no package.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { Checks, decisionOf, objection } from './checks.mjs';
import { createSession, Refusal } from './liveproof.mjs';
import { verifierOf } from './results.mjs';
import { verifyWebhook, webhookKey } from './webhooks.mjs';

const MAX_BODY = 1 << 16; // of a request, in bytes

const { LIVEPROOF_URL, LIVEPROOF_API_KEY, LIVEPROOF_WEBHOOK_SECRET, LIVEPROOF_ISSUER, LIVEPROOF_TENANT } = process.env;
const allowDemo = process.env.LIVEPROOF_ALLOW_DEMO_MODEL === 'true'; // accept what a demo model has judged
if (!LIVEPROOF_URL || !LIVEPROOF_API_KEY) {
  console.error('set LIVEPROOF_URL (such as http://localhost:8080) and LIVEPROOF_API_KEY');
  process.exit(1);
}
const liveproof = LIVEPROOF_URL.replace(/\/$/, '');
const verify = verifierOf(liveproof, LIVEPROOF_ISSUER ?? 'liveproof', LIVEPROOF_TENANT ?? 'default');
const hookKey = webhookKey(LIVEPROOF_WEBHOOK_SECRET);
const checks = new Checks();
const escape = (text) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const page = readFileSync(new URL('../page/index.html', import.meta.url), 'utf8').replaceAll('{{LIVEPROOF_URL}}', escape(liveproof));

/** Ends a request with a status and a code, and logs the cause. */
class Problem extends Error {
  constructor(status, code, cause) {
    super(code, { cause });
    Object.assign(this, { status, code });
  }
}

/** Who sent the request, '' for a stranger. The cookie stands in for your login. */
const visitorOf = (req) => /(?:^|; )visitor=([^;]+)/.exec(req.headers.cookie ?? '')?.[1] ?? '';

function answer(res, status, body) {
  res.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  res.end(JSON.stringify(body));
}

function answerDecision(res, decision) {
  if (!decision) throw new Problem(404, 'session_not_found');
  answer(res, 200, { decision });
}

function servePage(req, res) {
  if (!visitorOf(req)) res.setHeader('Set-Cookie', `visitor=${randomUUID()}; Path=/; HttpOnly; SameSite=Strict`);
  res.setHeader('Content-Type', 'text/html; charset=utf-8');
  res.end(page);
}

/** Creates a session for the visitor and remembers whose it is. */
async function beginCheck(req, res) {
  const visitor = visitorOf(req);
  if (!visitor) throw new Problem(401, 'unauthorized');
  const external = checks.admit(visitor);
  if (!external) throw new Problem(429, 'too_many_checks');
  const session = await createSession(liveproof, LIVEPROOF_API_KEY, external);
  checks.begin(session.id, visitor, external);
  answer(res, 201, session);
}

/**
 * Decides by the signed result that the page brings: without a call to Liveproof, and only for the visitor and the session
 * that it is about. A visitor who has begun no check is turned away first, before strangers can cost anything.
 */
async function receiveResult(req, res, body) {
  const visitor = visitorOf(req);
  if (!checks.knows(visitor)) throw new Problem(404, 'session_not_found');
  const claims = await verify(body.toString()).catch((err) => {
    throw new Problem(401, 'result_invalid', err);
  });
  const why = objection({ ...claims, decidedAt: claims.decided_at }, allowDemo);
  if (why) throw new Problem(401, 'result_invalid', new Error(why));
  if (claims.mode !== 'onboarding') throw new Problem(404, 'session_not_found');
  const decision = checks.decide(claims.sub, claims.external_id, visitor, decisionOf(claims.result)); // undefined: somebody else's check
  const { source, calibration_sha256: hash = '' } = claims.threshold ?? {}; // what judged: keep it with the decision, as evidence
  if (decision) console.error(`session ${claims.sub}: ${decision}, by the threshold of the ${source} ${hash}`);
  answerDecision(res, decision);
}

/** Decides by Liveproof's own message, which comes even when the page is closed. */
function receiveWebhook(req, res, body) {
  if (!hookKey) throw new Problem(404, 'webhooks_off');
  if (!verifyWebhook(hookKey, req.headers, body)) throw new Problem(401, 'webhook_invalid');
  const { type, data } = readMessage(body);
  if (type.startsWith('session.')) {
    const why = objection({ ...data, decidedAt: Date.parse(data.decided_at) / 1000 }, allowDemo);
    if (why) console.error(`session ${data.id}: ${why}`); // no reason to let the visitor wait
    const decision = checks.handle(req.headers['webhook-id'], data.id, data.external_id, why ? 'retry' : decisionOf(data.result));
    if (decision) console.error(`session ${data.id}: ${decision}, by ${type}`);
  }
  res.writeHead(204).end();
}

function readMessage(body) {
  try {
    const message = JSON.parse(body);
    if (message.type && message.data.id) return message;
    throw new Error('no type or no session');
  } catch (err) {
    throw new Problem(400, 'webhook_invalid', err);
  }
}

const posts = {
  '/my-backend/liveness-session': beginCheck,
  '/my-backend/result': receiveResult,
  '/my-backend/webhook': receiveWebhook,
};

async function readBody(req) {
  const parts = [];
  let size = 0;
  for await (const part of req) {
    if ((size += part.length) > MAX_BODY) throw new Problem(413, 'body_too_large');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

async function route(req, res) {
  const decided = /^\/my-backend\/result\/(\w+)$/.exec(req.url);
  if (req.method === 'GET' && req.url === '/') servePage(req, res);
  else if (req.method === 'GET' && req.url.startsWith('/my-backend/result/'))
    answerDecision(res, decided && checks.decision(decided[1], visitorOf(req)));
  else if (req.method === 'POST' && Object.hasOwn(posts, req.url)) await posts[req.url](req, res, await readBody(req));
  else throw new Problem(404, 'not_found');
}

/** What the browser may learn of an error: only whether to try again. */
function problemOf(err) {
  if (err instanceof Problem) return err;
  if (err instanceof Refusal && [429, 503].includes(err.status)) return new Problem(err.status, err.code, err);
  return new Problem(502, 'liveness_unavailable', err);
}

const server = createServer((req, res) =>
  route(req, res).catch((err) => {
    const { status, code, cause } = problemOf(err);
    console.error(`${code}: ${cause?.message ?? ''} ${cause?.cause?.message ?? ''}`);
    if (!res.headersSent) answer(res, status, { code });
  }),
);
const { listen } = parseArgs({ options: { listen: { type: 'string', default: '127.0.0.1:8090' } } }).values;
const [, host, port] = /^(.*):(\d+)$/.exec(listen);
server.requestTimeout = 10_000;
server.listen(Number(port), host, () => console.log(`listening on http://${host}:${server.address().port}`));

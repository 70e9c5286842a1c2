// A backend's round with openapi-fetch and the types that openapi-typescript makes: client.js URL API_KEY.
import createClient from 'openapi-fetch';
import type { components, paths } from './api.js';

declare const process: { argv: string[] };

const [, , baseUrl = '', key = ''] = process.argv;
const liveproof = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });

function must<T>(what: string, answer: { data?: T; error?: components['schemas']['Problem'] }): T {
  if (answer.data === undefined) throw new Error(`${what}: ${answer.error?.code}`);
  return answer.data;
}

const created = must('create', await liveproof.POST('/v1/sessions', { body: { mode: 'onboarding', external_id: 'typescript' } }));
const path = { id: created.id };
let session = must('read', await liveproof.GET('/v1/sessions/{id}', { params: { path } }));
const open: components['schemas']['Session']['state'] = 'created';
if (session.state !== open || session.external_id !== 'typescript') throw new Error(`state ${session.state}`);

const early = await liveproof.GET('/v1/sessions/{id}/result', { params: { path }, parseAs: 'text' });
if (early.error?.code !== 'session_running') throw new Error(`an early result: ${early.error?.code}`);
for (let tries = 0; session.state === open && tries < 100; tries++) {
  await new Promise((done) => setTimeout(done, 200));
  session = must('read', await liveproof.GET('/v1/sessions/{id}', { params: { path } }));
}
const result = must('result', await liveproof.GET('/v1/sessions/{id}/result', { params: { path }, parseAs: 'text' }));
if (result.split('.').length !== 3) throw new Error(`no JWS: ${result}`);

const page = must('list', await liveproof.GET('/v1/sessions', { params: { query: { external_id: 'typescript', state: 'expired' } } }));
if (page.sessions[0]?.id !== created.id) throw new Error('the list lacks the session');
console.log(`TypeScript: created, read (${session.state}, ${session.verdict}), result of ${result.length} characters, listed`);

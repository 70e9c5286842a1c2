// The page of examples/ in a browser: the example's Python backend serves it, the
// real server checks the person, the page brings its signed result, and shows what
// the backend decides.
import { spawn, type ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterEach, describe, expect, it } from 'vitest';
import { launch, open, press, problems, reach, sessionId, type CameraOptions } from './support/browser';
import { lacking, media, nobody, repository } from './support/paths';
import { end, freePort, LiveproofServer, until } from './support/server';

const python = resolve(repository, '.venv/bin/python');
const program = resolve(repository, 'examples/backend-python/backend.py');

/** The example's backend on a port; rejects with its output when it does not start. */
async function startBackend(port: number, liveproof: LiveproofServer): Promise<ChildProcess> {
  // The committed model is a demo, which the backend accepts only when it is told so.
  const env = { ...process.env, LIVEPROOF_URL: liveproof.url, LIVEPROOF_API_KEY: liveproof.apiKey, LIVEPROOF_ALLOW_DEMO_MODEL: 'true' };
  const child = spawn(python, [program, '--listen', `127.0.0.1:${port}`], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (b: Buffer) => (output += b.toString()));
  child.stderr.on('data', (b: Buffer) => (output += b.toString()));
  child.once('error', (err) => (output += err.message));
  await until(
    () => output.includes('listening on'),
    20_000,
    () => `the backend did not start:\n${output}`,
    child,
  );
  return child;
}

describe('the page of examples/', () => {
  let server: LiveproofServer | undefined;
  let backend: ChildProcess | undefined;
  let browser: Browser | undefined;

  afterEach(async () => {
    await browser?.close();
    if (backend) await end(backend, 'SIGTERM', 10_000);
    await server?.stop();
  });

  /** Opens the page, with a server that has these settings and lets the page connect. */
  async function visit(camera: CameraOptions, settings: Record<string, string>): Promise<Page> {
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    const environment = { LIVEPROOF_INGEST_WS_ORIGINS: origin, LIVEPROOF_INGEST_CORS_ORIGINS: origin, ...settings };
    Object.assign(process.env, environment);
    server = await LiveproofServer.start().finally(() =>
      Object.keys(environment).forEach((name) => Reflect.deleteProperty(process.env, name)),
    );
    backend = await startBackend(port, server);
    browser = await launch(camera);
    return open(browser, origin, {}, 'liveness-check[data-state=idle]');
  }

  /** What the page shows of the backend's decision, and the session that it is about. */
  async function decided(p: Page, state: string, decision: string) {
    await press(p);
    await reach(p, [state], 40_000);
    await p.locator(`#decision[data-decision=${decision}]`).waitFor({ timeout: 10_000 });
    expect(problems(p)).toEqual([]);
    return { words: await p.locator('#decision').textContent(), record: await server!.session(await sessionId(p)) };
  }

  it('nobody in front of the camera: the backend asks to try again, and a new check clears that', async () => {
    const p = await visit({ file: nobody() }, { LIVEPROOF_SESSION_DEADLINE: '4s' });
    const { words, record } = await decided(p, 'retry', 'retry');
    expect(words).toBe('We could not be sure. Please try again.');
    expect(record).toMatchObject({ state: 'decided', verdict: 'inconclusive' });
    await press(p);
    await reach(p, ['positioning', 'checking']);
    expect(await p.locator('#decision').textContent()).toBe('');
  });

  const file = media('person_A_640x480.mjpeg');
  const why = lacking(file);
  // The threshold makes the recording live or spoof, whatever the model's scores are.
  const cases = [
    { verdict: 'live', threshold: '0.002', state: 'passed', decision: 'accept', says: 'Welcome' },
    { verdict: 'spoof', threshold: '0.998', state: 'failed', decision: 'reject', says: 'We cannot open an account' },
  ];
  for (const { verdict, threshold, state, decision, says } of cases) {
    it.skipIf(why !== '')(`a person found ${verdict}: the backend decides ${decision}${why}`, async () => {
      const p = await visit({ file }, { LIVEPROOF_VERDICT_THRESHOLD: threshold, LIVEPROOF_VERDICT_MARGIN: '0.001' });
      const { words, record } = await decided(p, state, decision);
      expect(words).toContain(says);
      expect(record).toMatchObject({ state: 'decided', verdict });
    });
  }
});

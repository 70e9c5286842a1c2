// From a browser's camera to a verdict, with the real server, a real Redis and
// a real encoder: the product as a person and an operator meet it.
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { cameras, launch, open, press, problems, reach, sentCodecs, sessionId, transport } from './support/browser';
import { lacking, media, nobody, result } from './support/paths';
import { LiveproofServer, RedisServer, type SessionRecord } from './support/server';

const ends = ['passed', 'retry', 'failed'];
const stateOf: Record<string, string> = { live: 'passed', inconclusive: 'retry', spoof: 'failed' };

let redis: RedisServer;
let server: LiveproofServer;
const browsers: Browser[] = [];

async function browse(camera: Parameters<typeof launch>[0], query = '', at = server, options = {}): Promise<Page> {
  const browser = await launch(camera);
  browsers.push(browser);
  return open(browser, at.url + query, options);
}

afterEach(async () => {
  for (const b of browsers.splice(0)) await b.close();
});

describe('sessions against the server and Redis', () => {
  beforeAll(async () => {
    redis = await RedisServer.start();
    server = await LiveproofServer.start('--dev', '--redis', redis.url);
  });
  afterAll(async () => {
    await server?.stop();
    await redis?.stop();
  });

  /** The verdict as the API and Redis tell it; both must agree with what the person saw. */
  async function expectVerdict(id: string, seen: string): Promise<SessionRecord> {
    const record = await server.session(id);
    expect(record.state).toBe('decided');
    expect(stateOf[record.verdict]).toBe(seen);
    const stored = redis.hash(`liveproof:{${id}}:session`);
    expect(stored).toMatchObject({ state: 'decided', verdict: record.verdict });
    expect(Number(redis.cli('TTL', `liveproof:{${id}}:session`))).toBeGreaterThan(0);
    expect(redis.events(id).filter((e) => e['event'] === 'decided')).toEqual([expect.objectContaining({ verdict: record.verdict })]);
    return record;
  }

  const runs = [
    { person: 'A', codec: 'VP8' },
    { person: 'A', codec: 'H264' },
    { person: 'B', codec: 'VP8' },
    { person: 'B', codec: 'H264' },
  ];
  for (const { person, codec } of runs) {
    const file = media(`person_${person}_640x480.mjpeg`);
    const why = lacking(file);
    it.skipIf(why !== '')(`person ${person} over ${codec} reaches a verdict in under 20 s${why}`, async () => {
      const dark = person === 'B' ? { colorScheme: 'dark' } : { colorScheme: 'light' };
      const p = await browse({ file }, `?codec=${codec}`, server, dark);
      const name = `person-${person}-${codec.toLowerCase()}`;
      const started = Date.now();
      await press(p);
      await reach(p, ['positioning', 'checking', ...ends]);
      await p.screenshot({ path: result(`${name}-positioning.png`) });
      await reach(p, ['checking', ...ends]);
      await p.waitForFunction(() => Number(document.querySelector('#chart svg[role=img]')?.getAttribute('data-samples')) >= 6);
      const sent = await sentCodecs(p);
      await p.screenshot({ path: result(`${name}-checking.png`), fullPage: true });
      const end = await reach(p, ends);
      const seconds = (Date.now() - started) / 1000;
      await p
        .locator('#verdict')
        .getByText(/live|spoof|inconclusive/)
        .waitFor();
      await p.waitForTimeout(700); // the tick is drawn; for the picture only
      await p.screenshot({ path: result(`${name}-result.png`), fullPage: true });

      const record = await expectVerdict(await sessionId(p), end);
      console.log(
        `${name}: ${record.verdict} ${record.score.toFixed(3)} after ${seconds.toFixed(1)} s, ${JSON.stringify(record.frames)}, ${JSON.stringify(sent)}`,
      );
      expect(seconds).toBeLessThan(20);
      expect(record.frames.scored).toBeGreaterThanOrEqual(5);
      expect(record.model.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(sent).toEqual([expect.objectContaining({ mimeType: `video/${codec}` })]);
      expect(await cameras(p)).toEqual({ given: 1, live: 0 });
      await p.locator('#chart circle.raw').first().waitFor();
      expect(problems(p)).toEqual([]); // above all no violation of the server's Content-Security-Policy
    });
  }

  const fileA = media('person_A_640x480.mjpeg');
  const fileB = media('person_B_640x480.mjpeg');
  const whyTwo = lacking(fileA, fileB);
  it.skipIf(whyTwo !== '')(`two browsers at once each get their own verdict${whyTwo}`, async () => {
    const pages = await Promise.all([browse({ file: fileA }), browse({ file: fileB })]);
    await Promise.all(pages.map(press));
    const states = await Promise.all(pages.map((p) => reach(p, ends, 40_000)));
    const ids = await Promise.all(pages.map(sessionId));
    expect(new Set(ids).size).toBe(2);
    const records = await Promise.all(ids.map((id, i) => expectVerdict(id, states[i]!)));
    for (const r of records) expect(r.frames.scored).toBeGreaterThan(0);
  });

  it('cancelling mid-session releases the camera and ends the session; starting again works', async () => {
    const p = await browse({});
    await press(p);
    await reach(p, ['positioning', 'checking']);
    const first = await sessionId(p);
    await press(p);
    await reach(p, ['idle']);
    expect(await cameras(p)).toEqual({ given: 1, live: 0 });
    const record = await server.terminal(first, 30_000);
    expect(record.verdict).not.toBe('live');
    expect(record.reasons).toContain('disconnected');

    await press(p);
    await reach(p, ['positioning', 'checking']);
    expect(await sessionId(p)).not.toBe(first);
    expect(await cameras(p)).toEqual({ given: 2, live: 1 });
  });

  it('a tab closed mid-session leaves a terminal session, never a live one', async () => {
    const p = await browse({});
    await press(p);
    await reach(p, ['positioning', 'checking']);
    const id = await sessionId(p);
    await p.close();
    const record = await server.terminal(id, 40_000);
    expect(record.verdict).toBe('inconclusive');
    expect(redis.hash(`liveproof:{${id}}:session`)).toMatchObject({ state: record.state, verdict: 'inconclusive' });
  });

  it('a page that crashes mid-session leaves a terminal session after the grace period', async () => {
    const p = await browse({});
    await press(p);
    await reach(p, ['positioning', 'checking']);
    const id = await sessionId(p);
    const crash = await p.context().newCDPSession(p);
    crash.send('Page.crash').catch(() => undefined); // no pagehide, no bye, and no answer
    const record = await server.terminal(id, 40_000);
    expect(record.verdict).toBe('inconclusive');
  });

  it.skipIf(lacking(fileA) !== '')(`Redis stopped and started mid-session: the verdict is kept, once${lacking(fileA)}`, async () => {
    const p = await browse({ file: fileA });
    await press(p);
    await reach(p, ['checking']);
    const id = await sessionId(p);
    await redis.pause();
    await p.waitForTimeout(4_000); // longer than the evidence takes
    expect(await p.locator('liveness-check').getAttribute('data-state')).not.toBe('passed'); // nothing is told that is not written
    await redis.resume();
    const end = await reach(p, ends, 60_000);
    const record = await expectVerdict(id, end);
    console.log(`Redis outage: ${record.verdict}, ${JSON.stringify(record.frames)}`);
    await press(p); // and the service has healed
    await reach(p, ends, 60_000);
  });

  it('a blocked camera is an error with the mend in words, and no session is made', async () => {
    const before = redis.cli('DBSIZE');
    const p = await browse({ deny: true });
    await press(p);
    await reach(p, ['error']);
    expect(await p.locator('liveness-check').getAttribute('data-error')).toBe('permission_denied');
    await p.locator('liveness-check').getByText('allow the camera').first().waitFor();
    expect(redis.cli('DBSIZE')).toBe(before);
  });
});

describe('a connection that stops', () => {
  let patient: LiveproofServer;
  beforeAll(async () => {
    // However long the browser needs to see that the server is silent.
    const limits = {
      LIVEPROOF_SESSION_IDLE_TIMEOUT: '60s',
      LIVEPROOF_WEBRTC_DISCONNECTED_TIMEOUT: '60s',
      LIVEPROOF_WEBRTC_FAILED_TIMEOUT: '60s',
    };
    Object.assign(process.env, limits);
    patient = await LiveproofServer.start('--deadline', '30s');
    for (const name of Object.keys(limits)) Reflect.deleteProperty(process.env, name);
  });
  afterAll(() => patient?.stop());

  it('is restored by an ICE restart, and the session goes on', async () => {
    const p = await browse({ file: nobody() }, '', patient);
    await press(p);
    await reach(p, ['positioning', 'checking']);
    const id = await sessionId(p);
    const check = p.locator('liveness-check');
    await p.locator('liveness-check[data-hint=no_face]').waitFor({ state: 'attached' });
    const before = await transport(p);
    patient.freeze(); // nothing answers, and no connection is closed
    try {
      await p.locator('liveness-check[data-hint=connection_unstable]').waitFor({ state: 'attached' });
      await expect.poll(async () => (await transport(p)).offered, { timeout: 10_000 }).not.toBe(before.offered);
    } finally {
      patient.thaw();
    }
    await expect.poll(async () => (await transport(p)).used, { timeout: 10_000 }).not.toBe(before.used);
    await expect.poll(() => check.getAttribute('data-hint')).not.toBe('connection_unstable');
    const { acknowledged } = await transport(p);
    await expect.poll(async () => (await transport(p)).acknowledged, { timeout: 10_000 }).toBeGreaterThan(acknowledged + 1);
    const record = await patient.terminal(id, 60_000);
    console.log(`restart: ${record.state} ${record.reasons?.join(' ')} ${JSON.stringify(record.frames)}`);
    expect(record.state).toBe('decided'); // by its deadline, over the new path
    expect(record.reasons).not.toContain('disconnected');
  });
});

describe('a short deadline', () => {
  let quick: LiveproofServer;
  beforeAll(async () => {
    quick = await LiveproofServer.start('--deadline', '4s');
  });
  afterAll(() => quick?.stop());

  it('a picture without a face: the hint says so, the deadline gives retry, retry works', async () => {
    const p = await browse({ file: nobody() }, '', quick, { viewport: { width: 360, height: 780 }, deviceScaleFactor: 2 });
    const check = p.locator('liveness-check');
    let first = '';
    for (const attempt of [1, 2]) {
      await press(p);
      await p.locator('liveness-check[data-hint=no_face]').waitFor({ state: 'attached', timeout: 30_000 });
      if (attempt === 1) await p.waitForTimeout(500); // the hint fades in; for the picture only
      if (attempt === 1) await p.screenshot({ path: result('phone-no-face-hint.png') });
      await reach(p, ['retry']);
      expect(await cameras(p)).toEqual({ given: attempt, live: 0 });
      const record = await quick.session(await sessionId(p));
      expect(record).toMatchObject({ state: 'decided', verdict: 'inconclusive' });
      expect(record.reasons).toContain('no_face');
      expect(record.frames.scored).toBe(0);
      expect(record.id).not.toBe(first);
      first = record.id;
    }
    await check.getByText('Move your face into the oval.').first().waitFor();
    await p.screenshot({ path: result('phone-no-face-retry.png') });
  });

  it('without --dev the browser is told no score and shows no chart', async () => {
    const p = await browse({}, '', quick);
    const frames: string[] = [];
    p.on('websocket', (ws) => ws.on('framereceived', (f) => frames.push(String(f.payload))));
    await press(p);
    await reach(p, ['retry']);
    expect(await p.locator('#dev').isVisible()).toBe(false);
    expect(frames.some((f) => f.includes('"decided"'))).toBe(true);
    for (const f of frames) expect(f).not.toMatch(/"rho"|"score"|"sample"|"verdict"|"smoothed"/);
  });
});

// The challenge by light, with the real server: a recording does not pass it, a face that the screen lights does.
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { violations } from './support/axe';
import { launch, open, press, reach, sessionId } from './support/browser';
import { lightCamera } from './support/lit';
import { lacking, media, result } from './support/paths';
import { LiveproofServer } from './support/server';

const file = media('person_B_640x480.mjpeg'); // one face from its beginning to its end
const why = lacking(file);
const ends = ['passed', 'retry', 'failed'];

describe.skipIf(why !== '')(`the challenge by light${why}`, () => {
  let server: LiveproofServer;
  const browsers: Browser[] = [];
  beforeAll(async () => {
    server = await LiveproofServer.start('--dev');
  });
  afterAll(async () => server?.stop());
  afterEach(async () => {
    for (const b of browsers.splice(0)) await b.close();
  });

  async function visit(camera: Parameters<typeof launch>[0], prepare?: (p: Page) => Promise<void>): Promise<Page> {
    const browser = await launch(camera);
    browsers.push(browser);
    return open(browser, `${server.url}?challenge=flash`, {}, undefined, prepare);
  }

  const samples = async (id: string) => (await server.timeline(id)).samples;

  it('is passed by a face that the screen lights within 6 s of the first picture, and the verdict follows', async () => {
    const p = await visit({}, (page) => lightCamera(page, file, { share: 0.35 }));
    await press(p);
    await reach(p, ['challenge']);
    await p.waitForTimeout(1500);
    await p.screenshot({ path: result('challenge.png') });
    const end = await reach(p, ends);
    const id = await sessionId(p);
    const record = await server.session(id);
    expect(end, JSON.stringify([record, await samples(id)])).toBe('passed');
    expect(record).toMatchObject({ verdict: 'live', require: ['passive', 'motion', 'flash'], evidence: ['passive', 'motion', 'flash'] });
    const timeline = await samples(id);
    console.log(`answer at ${timeline.find((x) => x.evidence?.includes('flash'))?.t} s, verdict at ${timeline.at(-1)?.t} s`);
    // Where colours lower ρ while they last, the verdict needs a second or two after the answer.
    expect(timeline.find((x) => x.evidence?.includes('flash'))!.t).toBeLessThan(6);
    expect(timeline.at(-1)!.t).toBeLessThan(9);
    expect(await p.locator('liveness-check .screen').isVisible()).toBe(false);
  });

  it('is not passed by a recording, which gets one more try', async () => {
    const p = await visit({ file });
    const asked: unknown[] = [];
    p.on('websocket', (ws) => ws.on('framereceived', ({ payload }) => String(payload).includes('"challenge"') && asked.push(payload)));
    await press(p);
    expect(await reach(p, ends, 30_000)).not.toBe('passed');
    const record = await server.session(await sessionId(p));
    expect(record.verdict).not.toBe('live');
    expect(record.evidence).not.toContain('flash');
    if (record.verdict === 'inconclusive') expect(record.reasons).toContain('challenge_failed');
    expect(asked.length).toBeGreaterThanOrEqual(1);
  });

  it('is told in words, can be declined by the keyboard, and has no fault that axe finds', async () => {
    const p = await visit({}, (page) => lightCamera(page, file, { share: 0 }));
    await press(p);
    await reach(p, ['challenge']);
    const dialog = p.getByRole('dialog', { name: 'The screen will change colours' });
    await dialog.waitFor();
    expect(await dialog.boundingBox()).toMatchObject({ x: 0, y: 0, width: 1280, height: 860 });
    expect(await violations(p)).toEqual([]);
    await p.keyboard.press('Escape');
    // The one by movement follows; turn.test.ts does it.
    await p.getByRole('dialog', { name: 'Move your head' }).waitFor();
    expect(await dialog.isVisible()).toBe(false);
  });

  it('is left out by the attribute no-light, and the one by movement takes its place', async () => {
    const p = await visit({}, (page) => lightCamera(page, file, { share: 0.35 }));
    await p.locator('liveness-check').evaluate((el) => el.setAttribute('no-light', ''));
    const light = p.getByRole('dialog', { name: 'The screen will change colours' });
    await press(p);
    await p.getByRole('dialog', { name: 'Move your head' }).waitFor({ timeout: 20_000 });
    expect(await light.count()).toBe(0);
    expect(await reach(p, ends, 30_000)).not.toBe('passed');
    expect((await server.session(await sessionId(p))).evidence).not.toContain('flash');
  });

  it('is left out by the attribute no-light, and ends as a retry where nothing takes its place', async () => {
    process.env['LIVEPROOF_VERDICT_ALTERNATIVE'] = 'none';
    const strict = await LiveproofServer.start('--dev').finally(() => delete process.env['LIVEPROOF_VERDICT_ALTERNATIVE']);
    try {
      const browser = await launch({});
      browsers.push(browser);
      const p = await open(browser, `${strict.url}?challenge=flash`, {}, undefined, (page) => lightCamera(page, file, { share: 0.35 }));
      await p.locator('liveness-check').evaluate((el) => el.setAttribute('no-light', ''));
      await press(p);
      expect(await reach(p, ends)).toBe('retry');
      expect((await strict.session(await sessionId(p))).reasons?.[0]).toBe('challenge_unanswered');
    } finally {
      await strict.stop();
    }
  });
});

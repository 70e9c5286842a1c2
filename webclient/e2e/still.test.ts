// Who sits still has no motion that a photograph lacks. The person is asked to move, in time to do so.
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launch, open, press, reach, sessionId } from './support/browser';
import { lacking, media } from './support/paths';
import { LiveproofServer } from './support/server';
import { turningCamera } from './support/turning';

const turning = media('headpose_640x480.mjpeg');
const why = lacking(turning);
const asksToMove = /^(motion_missing|rigid_motion)$/;

describe.skipIf(why !== '')(`a person who sits still${why}`, () => {
  let server: LiveproofServer;
  const browsers: Browser[] = [];
  beforeAll(async () => {
    // The scorer has its own tests: here no score ends a session.
    server = await LiveproofServer.startWith({ LIVEPROOF_VERDICT_THRESHOLD: '0.001' }, '--listen', '127.0.0.1:0', '--dev');
  });
  afterAll(async () => server?.stop());
  afterEach(async () => {
    for (const b of browsers.splice(0)) await b.close();
  });

  async function visit(deaf: boolean): Promise<Page> {
    const browser = await launch();
    browsers.push(browser);
    return open(browser, `${server.url}?challenge=none`, {}, undefined, (page) => turningCamera(page, turning, { deaf }));
  }

  /** The end of the check, what the person was told on the way, and what the server knows of it. */
  async function outcome(p: Page) {
    const check = p.locator('liveness-check');
    await check.evaluate((el) => {
      const told: string[] = [];
      Object.assign(window, { testTold: told });
      el.addEventListener('liveness-hint', (e) => told.push((e as CustomEvent<{ hint: string }>).detail.hint));
    });
    await press(p);
    const end = await reach(p, ['passed', 'retry', 'failed'], 40_000);
    const told = await p.evaluate(() => (window as unknown as { testTold: string[] }).testTold);
    const id = await sessionId(p);
    const { samples } = await server.timeline(id);
    return { end, told, record: await server.session(id), timeline: JSON.stringify(samples) };
  }

  it('is told to move, and passes after a turn of the head', async () => {
    const { end, told, record, timeline } = await outcome(await visit(false));
    expect(
      told.some((hint) => asksToMove.test(hint)),
      timeline,
    ).toBe(true);
    expect(end, timeline).toBe('passed');
    expect(record).toMatchObject({ verdict: 'live', require: ['passive', 'motion'], evidence: ['passive', 'motion'] });
  });

  it('and does not do so is told how at the end, and may try again', async () => {
    const p = await visit(true);
    const { end, told, record, timeline } = await outcome(p);
    expect(
      told.some((hint) => asksToMove.test(hint)),
      timeline,
    ).toBe(true);
    expect(end, timeline).toBe('retry');
    expect(record.verdict).toBe('inconclusive');
    expect(record.reasons?.[1], timeline).toMatch(asksToMove);
    expect(await p.locator('liveness-check [part=text]').textContent()).toMatch(/blink/i);
    expect(await p.locator('liveness-check').getByRole('button').isVisible()).toBe(true);
  });
});

// The challenge by movement, with the real server: a person who sits still does not pass it, one who does what is asked does.
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launch, open, press, reach, sessionId } from './support/browser';
import { lacking, media } from './support/paths';
import { LiveproofServer } from './support/server';
import { turningCamera } from './support/turning';

const still = media('person_B_640x480.mjpeg');
const turning = media('headpose_640x480.mjpeg');
const why = lacking(still, turning);
const ends = ['passed', 'retry', 'failed'];

// The scorer has its own tests: here no score is so low that it ends a session before the challenge does. And the browser, its camera and the
// server share this machine with others, so an answer may come seconds late.
const settings = [
  ['LIVEPROOF_VERDICT_THRESHOLD', '0.001'],
  ['LIVEPROOF_CHALLENGE_LATENCY', '2s'],
  ['LIVEPROOF_CHALLENGE_TURN_PERIOD', '3s'],
  // The camera's nod is drawn, and smaller after the encoder than a person's.
  ['LIVEPROOF_CHALLENGE_TURN_PITCH', '9'],
  ['LIVEPROOF_SESSION_DEADLINE', '40s'],
] as const;

describe.skipIf(why !== '')(`the challenge by movement${why}`, () => {
  let server: LiveproofServer;
  const browsers: Browser[] = [];
  beforeAll(async () => {
    for (const [name, value] of settings) process.env[name] = value;
    server = await LiveproofServer.start('--dev').finally(() => settings.forEach(([name]) => Reflect.deleteProperty(process.env, name)));
  });
  afterAll(async () => server?.stop());
  afterEach(async () => {
    for (const b of browsers.splice(0)) await b.close();
  });

  async function visit(kind: string, camera: Parameters<typeof launch>[0], prepare?: (p: Page) => Promise<void>): Promise<Page> {
    const browser = await launch(camera);
    browsers.push(browser);
    return open(browser, `${server.url}?challenge=${kind}`, {}, undefined, prepare);
  }

  /** The end of the check, with what the server knows of it. */
  async function outcome(p: Page) {
    const end = await reach(p, ends, 60_000);
    const id = await sessionId(p);
    const { samples } = await server.timeline(id);
    const turned = samples.map(({ t, reasons, signals = {} }) => [
      t,
      signals['turn.steps'],
      signals['turn.yaw'],
      signals['turn.pitch'],
      signals['turn.size'],
      reasons,
    ]);
    return { end, record: await server.session(id), turned: JSON.stringify(turned) };
  }

  it('is passed by a person who does what is asked', async () => {
    const p = await visit('turn', {}, (page) => turningCamera(page, turning));
    await press(p);
    const { record, turned } = await outcome(p);
    expect(record.require).toEqual(['passive', 'motion', 'turn']);
    expect(record.evidence, turned).toContain('turn');
    expect(record.verdict).toBe('live');
    expect(await p.locator('liveness-check .screen').isVisible()).toBe(false);
  });

  it('is not passed by a person who sits still', async () => {
    const p = await visit('turn', { file: still });
    await press(p);
    const { end, record, turned } = await outcome(p);
    expect(end).not.toBe('passed');
    expect(record.verdict).not.toBe('live');
    expect(record.evidence).not.toContain('turn');
    if (record.verdict === 'inconclusive') expect(record.reasons?.[0], turned).toMatch(/^(challenge_(unanswered|failed)|deadline)$/);
  });

  it('takes the place of the light for who presses the button, and the evidence says so', async () => {
    const p = await visit('flash', {}, (page) => turningCamera(page, turning));
    await press(p);
    await p.getByRole('dialog', { name: 'The screen will change colours' }).waitFor();
    await p.getByRole('button', { name: 'Without light' }).click();
    await p.getByRole('dialog', { name: 'Move your head' }).waitFor();
    const { record, turned } = await outcome(p);
    expect(record.require).toContain('flash');
    expect(record.evidence, turned).toContain('turn');
    expect(record.evidence).not.toContain('flash');
  });
});

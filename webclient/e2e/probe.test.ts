// What the server measures of a real browser's stream: whether it follows a probe of its frame rate, its sender reports and its quantisers.
// With PROBE_SESSIONS=n, n sessions of each camera and codec are run instead, for scripts/injection.py --browser, which sets the others of PROBE_ too.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launch, open, press, reach, sessionId } from './support/browser';
import { lacking, media } from './support/paths';
import { LiveproofServer } from './support/server';

type Signals = Record<string, number>;

const ends = ['passed', 'retry', 'failed'];
const {
  PROBE_SESSIONS: wanted = '',
  PROBE_OUT: out = '',
  PROBE_CAMERAS: films = '',
  PROBE_AT_ONCE: atOnce = '1',
  PROBE_SECONDS: limit = '',
} = process.env;

/** A server with keys of the configuration in its environment. */
async function serve(keys: Record<string, string>): Promise<LiveproofServer> {
  Object.assign(process.env, keys);
  try {
    return await LiveproofServer.start('--dev');
  } finally {
    for (const key of Object.keys(keys)) Reflect.deleteProperty(process.env, key);
  }
}

interface Session {
  end: string;
  reasons: string[];
  /** Stream time of the last sample, seconds. */
  seconds: number;
  signals: Signals[];
}

/** One session of a recording, from the button to its end. */
async function check(server: LiveproofServer, file: string, codec: string, prepare?: (p: Page) => Promise<void>): Promise<Session> {
  const browser = await launch({ file });
  try {
    const page = await open(browser, `${server.url}?codec=${codec}`, {}, undefined, prepare);
    await press(page);
    const end = await reach(page, ends, 40_000);
    const id = await sessionId(page);
    const { reasons } = await server.session(id);
    const { samples } = await server.timeline(id);
    const signals = samples.map((s) => (s as { signals?: Signals }).signals).filter((s) => s !== undefined);
    return { end, reasons: reasons ?? [], seconds: samples.at(-1)?.t ?? 0, signals };
  } finally {
    await browser.close();
  }
}

// A page that says that it follows and does not.
async function ignoring(page: Page): Promise<void> {
  await page.addInitScript(() => {
    RTCRtpSender.prototype.setParameters = () => Promise.resolve();
  });
}

const person = media('person_B_640x480.mjpeg');
const why = lacking(person);

describe.skipIf(wanted !== '')('a session that takes longer than a probe', { concurrent: true }, () => {
  let server: LiveproofServer;
  beforeAll(async () => {
    server = await serve({ LIVEPROOF_INJECTION_PROBE: 'auto', LIVEPROOF_VERDICT_MIN_SPAN: '4s' });
  });
  afterAll(async () => server?.stop());

  it.skipIf(why !== '')(`of a browser follows the probe, and its reports fit its pictures${why}`, async () => {
    const { reasons, signals } = await check(server, person, 'VP8');
    const last = signals.at(-1)!;
    expect(reasons).not.toContain('injection_suspected');
    expect(last['injection.probe']).toBeGreaterThanOrEqual(0);
    expect(last['injection.risk.probe']).toBe(0);
    expect(last['injection.reports']).toBeGreaterThan(0);
    expect(last['injection.risk.reports']).toBeLessThan(0.5);
    expect(last['injection.quantiser']).toBeGreaterThan(0);
  });

  it.skipIf(why !== '')(`that says that it follows and does not is recorded${why}`, async () => {
    const { reasons, signals } = await check(server, person, 'VP8', ignoring);
    const last = signals.at(-1)!;
    expect(last['injection.probe']).toBe(-1);
    expect(last['injection.risk.probe']).toBe(0.75);
    expect(reasons).not.toContain('injection_suspected'); // below the threshold as shipped
  });
});

/** One session to run. The file of a camera is PERSON--CAMERA.mjpeg. */
interface Job {
  round: number;
  camera: string;
  codec: string;
}

/** The sessions of all rounds, without those whose rows are in the results: what was stopped goes on. */
function remaining(): Job[] {
  const done = new Set<string>();
  const key = (round: number, file: string, codec: string) => `${round} ${file} ${codec}`;
  if (existsSync(out)) {
    for (const line of readFileSync(out, 'utf8').split('\n').filter(Boolean)) {
      const row = JSON.parse(line) as { round: number; file: string; codec: string };
      done.add(key(row.round, row.file, row.codec));
    }
  }
  const jobs: Job[] = [];
  for (let round = 0; round < Number(wanted); round++)
    for (const camera of films.split(','))
      for (const codec of ['VP8', 'H264'])
        if (!done.has(key(round, basename(camera, '.mjpeg'), codec))) jobs.push({ round, camera, codec });
  return jobs;
}

describe.skipIf(wanted === '')('measurement', () => {
  let server: LiveproofServer;
  beforeAll(async () => {
    // Long enough for an ignored probe to count.
    server = await serve({ LIVEPROOF_INJECTION_PROBE: 'auto', LIVEPROOF_VERDICT_MIN_SPAN: '4s' });
  });
  afterAll(async () => server?.stop());

  async function run({ round, camera, codec }: Job): Promise<void> {
    const { end, reasons, seconds, signals } = await check(server, camera, codec);
    const file = basename(camera, '.mjpeg');
    const row = {
      group: `Chromium, ${codec.toLowerCase()}`,
      kind: 'browser',
      round,
      file,
      codec,
      verdict: end,
      reasons,
      seconds,
      samples: signals,
    };
    appendFileSync(out, JSON.stringify(row) + '\n');
    console.log(round, file, codec, end, reasons, seconds, signals.at(-1)?.['injection.probe']);
  }

  it('runs the sessions', { timeout: 7_200_000, retry: 0 }, async () => {
    const jobs = remaining();
    const until = Date.now() + 1000 * (Number(limit) || Infinity);
    const failures: unknown[] = [];
    const worker = async () => {
      for (let job = jobs.shift(); job && Date.now() < until; job = jobs.shift())
        await run(job).catch((err: unknown) => failures.push(err));
    };
    await Promise.all(Array.from({ length: Number(atOnce) }, worker));
    for (const err of failures) console.error(err);
    expect(failures.length).toBeLessThan(10);
  });
});

// Debian's Chromium, headless, with a camera made of a file, of Chromium's own
// test picture, or refused.
import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

const executablePath =
  process.env['CHROMIUM'] ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((p) => existsSync(p)) ?? '';

export interface CameraOptions {
  /** MJPEG file played in a loop; without it Chromium's test picture, which holds no face. */
  file?: string;
  /** The person answers "block". */
  deny?: boolean;
  /** How many cameras there are; one unless given. */
  count?: number;
  /** Pages that are left are kept, to come back as they were: Playwright turns that off. */
  backForwardCache?: boolean;
}

export async function launch(camera: CameraOptions = {}): Promise<Browser> {
  return chromium.launch({
    executablePath,
    headless: true,
    ...(camera.backForwardCache ? { ignoreDefaultArgs: ['--disable-back-forward-cache'] } : {}),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--use-fake-ui-for-media-stream${camera.deny ? '=deny' : ''}`,
      `--use-fake-device-for-media-stream${camera.count ? `=device-count=${camera.count}` : ''}`,
      ...(camera.file ? [`--use-file-for-fake-video-capture=${camera.file}`] : []),
    ],
  });
}

const logged = new WeakMap<Page, string[]>();

/** What the page logged as errors: exceptions, blocked resources, policy violations. */
export function problems(page: Page): string[] {
  return logged.get(page) ?? [];
}

/** The demo page has its configuration. */
const demoReady = 'html[data-ready]';

/**
 * Opens a page and waits until the demo page has its configuration; then its cameras, codecs and errors can be read. The demo page's
 * challenge by light is left out unless the address has the parameter, because no camera of a file can answer it.
 */
export async function open(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
  ready = demoReady,
  prepare?: (page: Page) => Promise<void>,
): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
  await context.addInitScript(watchCameras);
  const page = await context.newPage();
  await prepare?.(page);
  const errors: string[] = [];
  logged.set(page, errors);
  page.on('pageerror', (err) => errors.push(err.message));
  page.on('console', (m) => m.type() === 'error' && errors.push(m.text()));
  await page.goto(ready === demoReady ? unchallenged(url) : url);
  await page.locator(ready).waitFor({ state: 'attached' });
  await page.evaluate(() => document.fonts.ready);
  return page;
}

function unchallenged(address: string): string {
  const url = new URL(address);
  if (url.pathname === '/' && !url.searchParams.has('challenge')) url.searchParams.set('challenge', 'none');
  return url.href;
}

// Runs in the page: keeps every camera track it was given and every peer connection it made.
function watchCameras(): void {
  const peers: RTCPeerConnection[] = [];
  window.RTCPeerConnection = new Proxy(RTCPeerConnection, {
    construct(target, args: [RTCConfiguration]) {
      const pc = new target(...args);
      peers.push(pc);
      return pc;
    },
  });
  Object.assign(window, { testPeers: peers });
  if (!navigator.mediaDevices) return;
  const tracks: MediaStreamTrack[] = [];
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (c) => {
    const stream = await real(c);
    tracks.push(...stream.getTracks());
    return stream;
  };
  Object.assign(window, { testTracks: tracks });
}

/** How many camera tracks the page got, and how many still run. */
export async function cameras(page: Page): Promise<{ given: number; live: number }> {
  return page.evaluate(() => {
    const tracks = (window as unknown as { testTracks: MediaStreamTrack[] }).testTracks;
    return { given: tracks.length, live: tracks.filter((t) => t.readyState === 'live').length };
  });
}

/** The next camera that the page asks for comes when the returned function is called: until then the browser asks the person. */
export async function askPerson(page: Page): Promise<() => Promise<void>> {
  await page.evaluate(() => {
    const { mediaDevices } = navigator;
    const real = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = async (constraints) => {
      mediaDevices.getUserMedia = real;
      await new Promise<void>((allow) => Object.assign(window, { testAllow: allow }));
      return real(constraints);
    };
  });
  return () => page.evaluate(() => (window as unknown as { testAllow: () => void }).testAllow());
}

/** Waits until the component is in one of the states; names the state it is in when it is not in time. */
export async function reach(page: Page, states: string[], timeout = 20_000): Promise<string> {
  const check = page.locator('liveness-check');
  const wanted = states.map((s) => `liveness-check[data-state="${s}"]`).join(', ');
  try {
    await page.locator(wanted).waitFor({ state: 'attached', timeout });
  } catch (err) {
    const { state, error, hint } = await check.evaluate((el) => Object.fromEntries(Object.entries((el as HTMLElement).dataset)));
    throw new Error(`state is ${state} (error ${error}, hint ${hint}), not ${states.join(' or ')}, after ${timeout} ms`, { cause: err });
  }
  return (await check.getAttribute('data-state')) ?? '';
}

/** Presses the component's one button: start, cancel or retry, whichever it is. */
export async function press(page: Page): Promise<void> {
  await page.locator('liveness-check').getByRole('button').click();
}

export async function sessionId(page: Page): Promise<string> {
  return (await page.locator('liveness-check').getAttribute('data-session-id')) ?? '';
}

/** The codecs that the page's peer connections really sent, e.g. ["video/VP8"], with who encoded. */
export async function sentCodecs(page: Page): Promise<{ mimeType: string; encoder: string; frames: number }[]> {
  return page.evaluate(async () => {
    const peers = (window as unknown as { testPeers: RTCPeerConnection[] }).testPeers;
    const reports = await Promise.all(peers.map((pc) => pc.getStats()));
    return reports.flatMap((report) => {
      const all = [...(report as unknown as Map<string, Record<string, unknown>>).values()];
      return all
        .filter((s) => s['type'] === 'outbound-rtp')
        .map((s) => ({
          mimeType: String(all.find((c) => c['id'] === s['codecId'])?.['mimeType']),
          encoder: String(s['encoderImplementation']),
          frames: Number(s['framesEncoded']),
        }));
    });
  });
}

interface Transport {
  /** The ICE user fragments: of the browser's last offer, and of the session that carries the media. */
  offered: string;
  used: string;
  /** When the server's last receiver report came, seconds. */
  acknowledged: number;
}

/** What the page's last peer connection sends over. */
export async function transport(page: Page): Promise<Transport> {
  return page.evaluate(async () => {
    const pc = (window as unknown as { testPeers: RTCPeerConnection[] }).testPeers.at(-1)!;
    const stats = [...((await pc.getStats()) as unknown as Map<string, Record<string, unknown>>).values()];
    const found = (type: string) => stats.find((s) => s['type'] === type) ?? {};
    const pair = stats.find((s) => s['id'] === found('transport')['selectedCandidatePairId']) ?? {};
    const local = stats.find((s) => s['id'] === pair['localCandidateId']) ?? {};
    return {
      offered: /a=ice-ufrag:(\S+)/.exec(pc.localDescription?.sdp ?? '')?.[1] ?? '',
      used: String(local['usernameFragment']),
      acknowledged: Number(found('remote-inbound-rtp')['timestamp'] ?? 0) / 1000,
    };
  });
}

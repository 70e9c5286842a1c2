// A camera before which a person sits still until the component asks for something: pictures of a recording of a man who turns his head, of which those of a turn
// to the left or right are shown when the page asks for it, or for any motion. So the turns are real ones. The nod is rendered by drawing the strip
// of the nose lower, and coming closer by drawing the picture larger. It stands in for a person and says nothing of real ones.
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { split } from './lit';

/** Replaces the page's camera; call it before the page is opened. Who is deaf never does what is asked. */
export async function turningCamera(page: Page, file: string, { deaf = false } = {}): Promise<void> {
  const pictures = split(readFileSync(file));
  await page.route('**/turning-camera/*', (route) => {
    const n = Number(route.request().url().split('/').at(-1));
    return route.fulfill({ contentType: 'image/jpeg', body: pictures[n]! });
  });
  await page.addInitScript(install, deaf);
}

// Runs in the page. The numbers are places in the recording, in pictures of 30 a second.
function install(deaf: boolean): void {
  const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 });
  const to = canvas.getContext('2d')!;
  const rate = 20;
  const straight = 23;
  const turns: Record<string, [from: number, furthest: number]> = { left: [24, 34], right: [48, 56] };
  const pictures: ImageBitmap[] = [];
  const load = async () => {
    const last = 57;
    const all = Array.from({ length: last - straight }, (_, i) => straight + i);
    await Promise.all(all.map(async (n) => (pictures[n] = await createImageBitmap(await (await fetch(`/turning-camera/${n}`)).blob()))));
  };

  let step = '';
  let begun = 0;
  // The step that the person reads, and for how long: they need half a second to begin.
  const asked = (now: number): { movement: string; share: number } => {
    const check = document.querySelector<HTMLElement>('liveness-check');
    const screen = check?.shadowRoot?.querySelector<HTMLElement>('.screen[data-kind=turn]:not([hidden]) .screen-step');
    const words = screen?.textContent?.trim() ?? '';
    const hint = /^(motion_missing|rigid_motion)$/.exec(check?.dataset['state'] === 'challenge' ? '' : (check?.dataset['hint'] ?? ''))?.[0];
    const key = words ? `${screen?.dataset['movement'] ?? ''} ${words}` : (hint ?? '');
    if (key !== step) [step, begun] = [key, now];
    const share = (now - begun - 400) / 1000;
    if (key === hint) return { movement: share < 0 ? '' : ['left', 'right'][Math.floor(share) % 2]!, share: share % 1 };
    return { movement: key && share >= 0 && share <= 1 ? (screen?.dataset['movement'] ?? '') : '', share };
  };

  const draw = (now: number) => {
    const { movement, share } = deaf ? { movement: '', share: 0 } : asked(now);
    const turn = turns[movement];
    const much = Math.min(1, 1.5 * Math.sin(Math.PI * share)); // there, a rest, and back
    const n = turn ? Math.round(turn[0] + much * (turn[1] - turn[0])) : straight;
    const zoom = movement === 'closer' ? 1 + 0.4 * much : 1;
    // Nobody sits as still as a picture.
    const x = 3 * Math.sin(now / 730) + 2 * Math.sin(now / 311);
    const y = 2 * Math.sin(now / 570) + 1.5 * Math.sin(now / 263);
    to.setTransform(zoom, 0, 0, zoom, 300 * (1 - zoom) + x, 190 * (1 - zoom) + y);
    to.drawImage(pictures[n]!, 0, 0);
    if (movement === 'nod') nod(pictures[n]!, 22 * much);
    to.setTransform(1, 0, 0, 1, 0, 0);
    to.fillStyle = `rgb(${128 + 40 * Math.sin(now / 900)} 128 128 / 3%)`;
    to.fillRect(0, 0, 640, 480);
  };
  // The rows from the eyes to the mouth are stretched above the nose and squeezed below it.
  const nod = (picture: ImageBitmap, by: number) => {
    const [eyes, nose, mouth] = [166, 192, 222];
    to.drawImage(picture, 0, eyes, 640, nose - eyes, 0, eyes, 640, nose - eyes + by);
    to.drawImage(picture, 0, nose, 640, mouth - nose, 0, nose + by, 640, mouth - nose - by);
  };
  navigator.mediaDevices.getUserMedia = async () => {
    await load();
    draw(performance.now());
    setInterval(() => draw(performance.now()), 1000 / rate);
    return canvas.captureStream(rate);
  };
}

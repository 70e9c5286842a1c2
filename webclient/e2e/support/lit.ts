// A camera that the screen lights: a person's recording, of which each picture is drawn to a canvas, the face in the light of what
// the component shows at that moment. It stands in for a person before a screen and says nothing of real ones.
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';

export interface Light {
  /** The light of the white screen on the face, as a share of the room's; 0 is a recording that no screen lights. */
  share: number;
  /** Pictures a second. */
  rate?: number;
}

/** Replaces the page's camera; call it before the page is opened. */
export async function lightCamera(page: Page, file: string, light: Light): Promise<void> {
  const pictures = split(readFileSync(file));
  await page.route('**/lit-camera/*', (route) => {
    const n = Number(route.request().url().split('/').at(-1));
    return route.fulfill({ contentType: 'image/jpeg', body: pictures[n % pictures.length]! });
  });
  await page.addInitScript(install, { rate: 15, ...light, pictures: Math.min(pictures.length, 240) });
}

// The pictures of a file of motion JPEG.
export function split(file: Buffer): Buffer[] {
  const pictures: Buffer[] = [];
  const begin = Buffer.from([0xff, 0xd8, 0xff]);
  for (let at = file.indexOf(begin); at >= 0;) {
    const next = file.indexOf(begin, at + 3);
    pictures.push(file.subarray(at, next < 0 ? file.length : next));
    at = next;
  }
  return pictures;
}

// Runs in the page.
function install({ share, rate, pictures }: Required<Light> & { pictures: number }): void {
  const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 });
  const to = canvas.getContext('2d')!;
  const loaded: Promise<ImageBitmap>[] = [];
  const load = (n: number) => (loaded[n] ??= fetch(`/lit-camera/${2 * n}`).then(async (r) => createImageBitmap(await r.blob())));
  const half = Math.floor(pictures / 2); // of a file of 30 pictures a second

  const screen = (): number[] => {
    const shown = document.querySelector('liveness-check')?.shadowRoot?.querySelector<HTMLElement>('.screen:not([hidden])');
    const colour = shown ? getComputedStyle(shown).backgroundColor : 'rgb(155, 155, 155)';
    return (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map((v) => (Number(v) / 255) ** 2.2);
  };
  // The light is added to that of the room, and the camera's exposure keeps the sum of both in range.
  const tint = (lit: number[], part: number) =>
    `rgb(${lit.map((s) => Math.round(255 * ((1 + share * part * s) / (1 + share * part)) ** (1 / 2.2))).join(' ')})`;

  const draw = async (n: number) => {
    const picture = await load(n % half);
    const lit = screen();
    to.globalCompositeOperation = 'source-over';
    to.drawImage(picture, 0, 0, canvas.width, canvas.height);
    if (!share) return;
    const light = to.createRadialGradient(320, 240, 110, 320, 240, 300);
    light.addColorStop(0, tint(lit, 1));
    light.addColorStop(1, tint(lit, 0.15));
    to.globalCompositeOperation = 'multiply';
    to.fillStyle = light;
    to.fillRect(0, 0, canvas.width, canvas.height);
  };
  navigator.mediaDevices.getUserMedia = async () => {
    await Promise.all(Array.from({ length: half }, (_, n) => load(n)));
    let n = 0;
    await draw(n);
    setInterval(() => void draw(++n), 1000 / rate);
    return canvas.captureStream(rate);
  };
}

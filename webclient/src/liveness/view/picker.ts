// The two controls for cameras, shown where the device has several: a list of them, and a button for the other one.
import type { Camera, CameraChoice, CameraDevice } from '../camera/camera';
import { find } from '../shared/shadow';
import type { Catalogue } from '../words';

/** What can be chosen from. */
export interface Cameras {
  readonly current: Camera;
  readonly devices: readonly CameraDevice[];
}

/** The camera that a switch leads to: of a phone the one on the other side, else the next. */
export function other({ current, devices }: Cameras): CameraChoice | undefined {
  if (devices.length < 2) return undefined;
  if (current.facing) return { facing: current.facing === 'user' ? 'environment' : 'user' };
  const at = devices.findIndex((d) => d.deviceId === current.deviceId);
  const next = devices[(at + 1) % devices.length];
  return next && { deviceId: next.deviceId };
}

export class Picker {
  readonly #box: HTMLElement;
  readonly #list: HTMLSelectElement;
  readonly #button: HTMLButtonElement;
  #cameras: Cameras | undefined;

  constructor(root: ShadowRoot, choose: (choice: CameraChoice) => void) {
    this.#box = find(root, '.cameras', HTMLElement);
    this.#list = find(root, '.cameras select', HTMLSelectElement);
    this.#button = find(root, '.cameras button', HTMLButtonElement);
    this.#list.addEventListener('change', () => choose({ deviceId: this.#list.value }));
    this.#button.addEventListener('click', () => {
      const choice = this.#cameras && other(this.#cameras);
      if (choice) choose(choice);
    });
  }

  /** usable: the check is at a point where another camera does no harm. */
  draw(cameras: Cameras | undefined, words: Catalogue, usable: boolean): void {
    this.#box.hidden = !usable || !cameras || cameras.devices.length < 2;
    this.#list.setAttribute('aria-label', words.camera);
    this.#button.setAttribute('aria-label', words.switchCamera);
    if (cameras && cameras !== this.#cameras) this.#fill(cameras, words);
    this.#cameras = cameras;
  }

  #fill({ current, devices }: Cameras, words: Catalogue): void {
    this.#list.replaceChildren(
      ...devices.map((d, i) => {
        const label = d.label || `${words.camera} ${i + 1}`;
        const mine = d.deviceId === current.deviceId;
        return new Option(label, d.deviceId, mine, mine);
      }),
    );
  }
}

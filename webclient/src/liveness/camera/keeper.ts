// Keeps a camera running for one attempt: opens another when the person asks for
// it, when the camera ends, and when it stays muted, as during a phone call.
import { codeOf, type ErrorCode } from '../errors';
import type { Camera, CameraChoice } from './camera';

/** The server ends a session that delivers no media after 10 s; both stay below that. */
export const keeping = {
  /** How long a muted or ended camera may stay away before the check gives up, milliseconds. */
  patience: 8_000,
  /** Between two tries to open a camera that another app holds, milliseconds. */
  every: 1_000,
};

export interface KeeperHandlers {
  /** Another camera runs now; the former one is released. */
  changed(camera: Camera): void;
  /** The camera gives no pictures now, or does again. */
  paused(now: boolean): void;
  lost(error: ErrorCode): void;
}

export class CameraKeeper {
  #camera: Camera | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  /** Counts openings: only the newest one's camera is kept. */
  #turn = 0;

  constructor(
    private readonly open: (choice: CameraChoice) => Promise<Camera>,
    private choice: CameraChoice,
    private readonly handlers: KeeperHandlers,
  ) {}

  get camera(): Camera | undefined {
    return this.#camera;
  }

  /** Opens the first camera; rejects as Camera.open does. */
  async start(): Promise<Camera> {
    return this.#keep(await this.open(this.choice));
  }

  /** Changes to another camera, or back to the present one when that cannot be opened. */
  async use(choice: CameraChoice): Promise<void> {
    const former = this.choice;
    this.choice = choice;
    const error = await this.#replace();
    if (error === '') return;
    this.choice = former;
    this.handlers.paused(true);
    await this.#reopen(Date.now() + keeping.patience);
  }

  /** Releases the camera. Safe to call twice. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#camera?.stop();
  }

  #keep(camera: Camera): Camera {
    this.#camera = camera;
    if (this.#closed) camera.stop();
    camera.onEnded(() => this.#away(camera, () => void this.#reopen(Date.now() + keeping.patience)));
    camera.onMuted((now) => (now ? this.#muted(camera) : this.#back(camera)));
    if (camera.muted && !this.#closed) this.#muted(camera); // no event tells of a camera that comes muted
    return camera;
  }

  // A muted camera comes back by itself when the call is over; some come back only when asked again.
  #muted(camera: Camera): void {
    this.#away(camera, () => this.#after(keeping.patience, () => void this.#reopen(Date.now())));
  }

  #away(camera: Camera, then: () => void): void {
    if (camera !== this.#camera) return;
    this.handlers.paused(true);
    then();
  }

  #back(camera: Camera): void {
    if (camera !== this.#camera) return;
    clearTimeout(this.#timer);
    this.handlers.paused(false);
  }

  // Another app may hold the camera for a while: asks again until the time is up.
  async #reopen(until: number): Promise<void> {
    const error = await this.#replace();
    if (error === '' || this.#closed) return;
    if (error === 'camera_in_use' && Date.now() < until) this.#after(keeping.every, () => void this.#reopen(until));
    else this.handlers.lost(error === 'permission_denied' ? error : 'camera_lost');
  }

  // '' when a camera runs, or when a later opening has taken this one's place.
  async #replace(): Promise<ErrorCode | ''> {
    const turn = ++this.#turn;
    clearTimeout(this.#timer);
    this.#camera?.stop(); // a phone opens one camera at a time
    try {
      const camera = await this.open(this.choice);
      if (this.#closed || turn !== this.#turn) camera.stop();
      else this.#changed(camera);
      return '';
    } catch (err) {
      return turn === this.#turn ? codeOf(err) : '';
    }
  }

  #changed(camera: Camera): void {
    this.handlers.paused(false);
    this.#keep(camera);
    this.handlers.changed(camera);
  }

  #after(ms: number, act: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, ms);
  }
}

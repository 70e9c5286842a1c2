// The camera: asks for it, says what was asked and what came, lets go of it.
import { LivenessError, type ErrorCode } from '../errors';

/** What the server compares: pixels and frames per second. */
export interface VideoSettings {
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
}

/** The front ("user") or the back ("environment") camera of a phone. */
export type Facing = 'user' | 'environment';

/** Which camera: a device by its id, or one that faces that way. */
export interface CameraChoice {
  readonly deviceId?: string;
  readonly facing?: Facing;
}

/** One camera of the device. */
export interface CameraDevice {
  readonly deviceId: string;
  readonly label: string;
}

/** 640×480 at 15/s: what the detector and the scorer need (the server samples five a second), and any camera gives. */
export const requested: VideoSettings = { width: 640, height: 480, frameRate: 15 };

function constraints({ deviceId, facing = 'user' }: CameraChoice): MediaStreamConstraints {
  return {
    audio: false,
    video: {
      ...(deviceId ? { deviceId: { exact: deviceId } } : { facingMode: facing }),
      width: { ideal: requested.width },
      height: { ideal: requested.height },
      frameRate: { ideal: requested.frameRate },
    },
  };
}

export class Camera {
  #stopped = false;

  private constructor(
    readonly stream: MediaStream,
    readonly track: MediaStreamTrack,
  ) {}

  /**
   * Asks for the camera. When signal aborts while the browser still asks the
   * person, the camera that comes too late is released at once.
   */
  static async open(signal: AbortSignal, choice: CameraChoice = {}, devices = availableDevices()): Promise<Camera> {
    const stream = await devices.getUserMedia(constraints(choice)).catch((err: unknown) => {
      throw new LivenessError(cameraError(err), '', { cause: err });
    });
    const track = stream.getVideoTracks()[0];
    if (!track || signal.aborted) {
      for (const t of stream.getTracks()) t.stop();
      signal.throwIfAborted();
      throw new LivenessError('no_camera', 'the stream has no video track');
    }
    return new Camera(stream, track);
  }

  /** The device's cameras. Their labels are known once one of them was granted. */
  static async list(devices = availableDevices()): Promise<CameraDevice[]> {
    const all = await devices.enumerateDevices();
    return all.filter((d) => d.kind === 'videoinput').map(({ deviceId, label }) => ({ deviceId, label }));
  }

  /** The settings in force; 0 for what the browser does not tell. */
  delivered(): VideoSettings {
    const { width = 0, height = 0, frameRate = 0 } = this.track.getSettings();
    return { width, height, frameRate };
  }

  get deviceId(): string {
    return this.track.getSettings().deviceId ?? '';
  }

  /** undefined where the browser does not know, as on most desktops. */
  get facing(): Facing | undefined {
    const { facingMode } = this.track.getSettings();
    return facingMode === 'user' || facingMode === 'environment' ? facingMode : undefined;
  }

  /** Calls back when the camera is unplugged or taken away; not after stop. */
  onEnded(ended: () => void): void {
    this.track.addEventListener('ended', () => {
      if (!this.#stopped) ended();
    });
  }

  /** It gives no pictures now: a call holds it, or a switch of the device turns it off. */
  get muted(): boolean {
    return this.track.muted;
  }

  /** Calls back when the camera gives no pictures for a while (a call comes in), and when it does again; not after stop. */
  onMuted(muted: (now: boolean) => void): void {
    for (const type of ['mute', 'unmute'] as const) {
      this.track.addEventListener(type, () => {
        if (!this.#stopped) muted(type === 'mute');
      });
    }
  }

  /** Releases the camera; its light goes out. Safe to call twice. */
  stop(): void {
    this.#stopped = true;
    for (const t of this.stream.getTracks()) t.stop();
  }
}

function availableDevices(): MediaDevices {
  if (!globalThis.isSecureContext) throw new LivenessError('insecure_context');
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (!devices?.getUserMedia || typeof RTCPeerConnection === 'undefined') {
    throw new LivenessError('unsupported_browser');
  }
  return devices;
}

/** DOMException names of getUserMedia (W3C Media Capture and Streams, 10.2). */
export function cameraError(err: unknown): ErrorCode {
  switch (err instanceof Error || err instanceof DOMException ? err.name : '') {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'permission_denied';
    case 'NotReadableError':
    case 'AbortError':
      return 'camera_in_use';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'no_camera';
    default:
      return 'unsupported_browser';
  }
}

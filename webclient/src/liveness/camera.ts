// The camera: asks for it, says what was asked and what came, lets go of it.
import { LivenessError, type ErrorCode } from './errors';

/** What the server compares: pixels and frames per second. */
export interface VideoSettings {
  width: number;
  height: number;
  frameRate: number;
}

/** 640×480 at 30/s: what the detector and the scorer need, and any camera gives. */
export const requested: Readonly<VideoSettings> = { width: 640, height: 480, frameRate: 30 };

const constraints: MediaStreamConstraints = {
  audio: false,
  video: {
    facingMode: 'user',
    width: { ideal: requested.width },
    height: { ideal: requested.height },
    frameRate: { ideal: requested.frameRate },
  },
};

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
  static async open(signal: AbortSignal, devices = availableDevices()): Promise<Camera> {
    const stream = await devices.getUserMedia(constraints).catch((err: unknown) => {
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

  /** The settings in force; 0 for what the browser does not tell. */
  delivered(): VideoSettings {
    const { width = 0, height = 0, frameRate = 0 } = this.track.getSettings();
    return { width, height, frameRate };
  }

  /** Calls back when the camera is unplugged or taken away; not after stop. */
  onLost(lost: () => void): void {
    this.track.addEventListener('ended', () => {
      if (!this.#stopped) lost();
    });
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

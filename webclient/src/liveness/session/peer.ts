// The peer connection: sends one video track, receives nothing.
import { requested } from '../camera/camera';
import { LivenessError } from '../errors';

/** Frames per second to send at most: a camera may give more than it was asked for. */
const maxFramerate = requested.frameRate;

export interface PeerHandlers {
  /** A local candidate, null after the last. */
  candidate(c: RTCIceCandidateInit | null): void;
  connection(state: RTCPeerConnectionState): void;
}

export interface PeerOptions {
  iceServers: RTCIceServer[];
  /** The name of a codec, such as "VP8" or "H264": offer only this one; '' leaves it to the browser. */
  codec: string;
}

export class Peer {
  readonly #pc: RTCPeerConnection;
  #answered = false;
  #early: (RTCIceCandidateInit | null)[] = [];

  constructor(stream: MediaStream, options: PeerOptions, handlers: PeerHandlers, PC: typeof RTCPeerConnection = RTCPeerConnection) {
    this.#pc = new PC({ iceServers: options.iceServers, bundlePolicy: 'max-bundle' });
    this.#pc.onicecandidate = (e) => handlers.candidate(e.candidate?.toJSON() ?? null);
    this.#pc.onconnectionstatechange = () => handlers.connection(this.#pc.connectionState);
    const track = stream.getVideoTracks()[0];
    if (!track) throw new LivenessError('no_camera', 'no track to send');
    const sendEncodings = [{ maxFramerate }];
    const transceiver = this.#pc.addTransceiver(track, { direction: 'sendonly', streams: [stream], sendEncodings });
    if (options.codec) transceiver.setCodecPreferences(only(options.codec, codecs()));
  }

  /** The SDP to send; candidates trickle afterwards. */
  async offer(): Promise<string> {
    await this.#pc.setLocalDescription();
    return this.#pc.localDescription?.sdp ?? '';
  }

  /** The SDP that restarts ICE: a renewed offer, with new credentials for the same media. */
  async restart(): Promise<string> {
    this.#answered = false; // candidates that come now belong to the answer that is still to come
    this.#pc.restartIce();
    return this.offer();
  }

  async accept(sdp: string): Promise<void> {
    await this.#pc.setRemoteDescription({ type: 'answer', sdp });
    this.#answered = true;
    const early = this.#early;
    this.#early = [];
    for (const c of early) await this.addCandidate(c);
    await this.#keepResolution();
  }

  /** Candidates that come before the answer wait for it. */
  async addCandidate(c: RTCIceCandidateInit | null): Promise<void> {
    if (!this.#answered) {
      this.#early.push(c);
      return;
    }
    // An empty candidate means the end; null means the same but is optional to support.
    if (c) await this.#pc.addIceCandidate(c);
  }

  /** Sends another camera's track from now on; the server sees the same stream. */
  async replaceTrack(track: MediaStreamTrack): Promise<void> {
    await this.#pc.getSenders()[0]?.replaceTrack(track);
  }

  /** Sends at most so many pictures a second from now on. Rejects where the browser cannot. */
  async limitRate(frameRate = maxFramerate): Promise<void> {
    const sender = this.#pc.getSenders()[0];
    if (!sender) throw new LivenessError('unsupported_browser', 'nothing is sent');
    const parameters = sender.getParameters();
    for (const encoding of parameters.encodings) encoding.maxFramerate = frameRate;
    await sender.setParameters(parameters);
  }

  /** Safe to call twice. */
  close(): void {
    this.#pc.onicecandidate = null;
    this.#pc.onconnectionstatechange = null;
    this.#pc.close();
  }

  // Presentation attacks show in fine texture: when bandwidth is short, drop
  // frames rather than pixels. Not every browser knows the setting.
  async #keepResolution(): Promise<void> {
    const sender = this.#pc.getSenders()[0];
    if (!sender) return;
    const parameters = sender.getParameters();
    parameters.degradationPreference = 'maintain-resolution';
    await sender.setParameters(parameters).catch(() => undefined);
  }
}

function codecs(): RTCRtpCodec[] {
  return RTCRtpSender.getCapabilities('video')?.codecs ?? [];
}

// Repair formats carry no picture of their own and go with any codec.
const repair = new Set(['video/rtx', 'video/red', 'video/ulpfec', 'video/flexfec-03']);

/** The codecs of one name, with the repair formats; throws when the browser has none. */
export function only(name: string, all: RTCRtpCodec[]): RTCRtpCodec[] {
  const mime = `video/${name}`.toLowerCase();
  const chosen = all.filter((c) => c.mimeType.toLowerCase() === mime);
  if (chosen.length === 0) throw new LivenessError('unsupported_browser', `no ${name} encoder`);
  return [...chosen, ...all.filter((c) => repair.has(c.mimeType.toLowerCase()))];
}

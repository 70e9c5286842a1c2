// Fakes of the browser's camera, socket and peer connection for the unit tests;
// the browser tests use the real ones. Imported by tests only.

let tracks = 0;

class FakeTrack extends EventTarget {
  readyState: MediaStreamTrackState = 'live';
  muted = false;
  readonly kind = 'video';
  readonly id = `track ${++tracks}`;
  constructor(private readonly settings: MediaTrackSettings) {
    super();
  }
  getSettings() {
    return this.settings;
  }
  stop() {
    this.readyState = 'ended';
  }
}

export function fakeStream(options: { video?: boolean; settings?: MediaTrackSettings } = {}): MediaStream {
  const settings = options.settings ?? { width: 640, height: 480, frameRate: 15 };
  const tracks = options.video === false ? [] : [new FakeTrack(settings)];
  return { getTracks: () => tracks, getVideoTracks: () => tracks } as unknown as MediaStream;
}

let sockets: FakeSocket[] = [];

export class FakeSocket {
  readonly OPEN = 1;
  readyState = 0;
  protocol = '';
  sent: string[] = [];
  onopen: (() => void) | null = null;
  onclose: ((e: { code: number }) => void) | null = null;
  onmessage: ((e: { data: unknown }) => void) | null = null;

  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {
    sockets.push(this);
  }

  static readonly type = FakeSocket as unknown as typeof WebSocket;
  static last = () => sockets[sockets.length - 1]!;
  static count = () => sockets.length;
  static reset = () => void (sockets = []);

  accept(protocol: string) {
    this.readyState = 1;
    this.protocol = protocol;
    this.onopen?.();
  }
  deliver(data: unknown) {
    this.onmessage?.({ data: typeof data === 'string' ? data : JSON.stringify(data) });
  }
  drop(code: number) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
  send(text: string) {
    this.sent.push(text);
  }
  close() {
    this.readyState = 3;
  }
}

const peers: FakePeerConnection[] = [];

export class FakePeerConnection {
  static readonly type = FakePeerConnection as unknown as typeof RTCPeerConnection;
  static last = () => peers[peers.length - 1]!;

  connectionState = 'new';
  localDescription: { sdp: string } | null = null;
  onicecandidate: ((e: { candidate: { toJSON(): RTCIceCandidateInit } | null }) => void) | null = null;
  onconnectionstatechange: (() => void) | null = null;
  transceivers: unknown[] = [];
  log: string[] = [];
  restarts = 0;

  constructor(readonly config: RTCConfiguration) {
    peers.push(this);
  }
  addTransceiver(track: { kind: string }, init: RTCRtpTransceiverInit) {
    const { direction, sendEncodings } = init;
    this.transceivers.push({ kind: track.kind, direction, sendEncodings });
    return { setCodecPreferences: () => undefined };
  }
  sent: string[] = [];
  rates: (number | undefined)[] = [];
  getSenders() {
    const replaceTrack = async (t: MediaStreamTrack) => void this.sent.push(t.id);
    const setParameters = async (p: RTCRtpSendParameters) => void this.rates.push(p.encodings[0]?.maxFramerate);
    return [{ replaceTrack, getParameters: () => ({ encodings: [{}] }), setParameters }];
  }
  async setLocalDescription() {
    this.localDescription = { sdp: this.restarts ? `renewed offer ${this.restarts}` : 'fake offer' };
  }
  restartIce() {
    this.restarts++;
  }
  async setRemoteDescription(d: { sdp: string }) {
    this.log.push(d.sdp);
  }
  async addIceCandidate(c: RTCIceCandidateInit) {
    this.log.push(c.candidate ?? '');
  }
  become(state: string) {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
  close() {
    this.connectionState = 'closed';
  }
}

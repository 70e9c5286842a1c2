// One attempt, from the camera to the verdict: wires camera, session, signalling
// and peer, and tells the state machine what happens. close() lets go of all of
// it, at any moment, in any order; nothing is dispatched afterwards.
import { Camera, requested, type CameraChoice } from './camera/camera';
import { CameraKeeper } from './camera/keeper';
import type { Challenge } from './challenge/challenge';
import { codeOf, codeOfProblem, detailOf, LivenessError, type ErrorCode } from './errors';
import type { MachineEvent } from './machine';
import { Peer } from './session/peer';
import { Prober } from './session/probe';
import { Recovery } from './session/recovery';
import { obtainSession, type SessionSource } from './session/session';
import { Signalling, type Sample, type ServerMessage } from './session/signalling';
import { localReasons, type LocalReason } from './words/catalogue';

export interface AttemptOptions {
  source: SessionSource;
  camera: CameraChoice;
  /** See PeerOptions.codec. */
  codec: string;
  /** Whether the screen may show the light of a challenge. */
  light: boolean;
  /** From the camera's answer to the first picture at the server, milliseconds. */
  connectTimeout: number;
  /** How long the page may be out of view before the camera is released, milliseconds. */
  hiddenTimeout: number;
}

export const defaults = { connectTimeout: 20_000, hiddenTimeout: 5_000 };

export interface AttemptHandlers {
  event(e: MachineEvent): void;
  /** A camera runs: its preview is shown from now until another one runs or the attempt is closed. */
  camera(camera: Camera): void;
  /** Dev mode only. */
  sample(s: Sample): void;
}

export interface Factories {
  openCamera: (signal: AbortSignal, choice: CameraChoice) => Promise<Camera>;
  obtainSession: typeof obtainSession;
  Socket: typeof WebSocket;
  PC: typeof RTCPeerConnection;
}

export class Attempt {
  readonly #abort = new AbortController();
  readonly #release: (() => void)[] = [];
  readonly #keeper: CameraKeeper;
  #peer: Peer | undefined;
  #channel: Signalling | undefined;
  #prober: Prober | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #serverHint = '';
  readonly #localHints = new Set<LocalReason>();

  constructor(
    private readonly options: AttemptOptions,
    private readonly handlers: AttemptHandlers,
    private readonly make: Partial<Factories> = {},
  ) {
    const open = make.openCamera ?? ((signal, choice) => Camera.open(signal, choice));
    this.#keeper = new CameraKeeper((choice) => open(this.#abort.signal, choice), options.camera, {
      changed: (camera) => this.#changed(camera),
      paused: (now) => this.#local('camera_paused', now),
      lost: (error) => this.#fault(error),
    });
  }

  /** Runs until everything is set up; what comes later arrives as events. Never rejects. */
  async run(): Promise<void> {
    try {
      await this.#setUp(this.#abort.signal);
    } catch (err) {
      if (!this.#abort.signal.aborted) console.warn('liveness-check:', err);
      this.#fault(codeOf(err), detailOf(err));
    }
  }

  /** Changes to another camera, once there is one. */
  useCamera(choice: CameraChoice): void {
    if (this.#keeper.camera) void this.#keeper.use(choice);
  }

  /** Says that the person will not do the challenge. */
  decline(c: Challenge): void {
    this.#channel?.send({ type: 'challenge', id: c.id, declined: true });
  }

  /** Releases the camera, the peer and the channel, last acquired first. Safe to call twice. */
  close(): void {
    this.#abort.abort();
    for (const release of this.#release.splice(0).reverse()) release();
  }

  async #setUp(signal: AbortSignal): Promise<void> {
    this.#watchPage(signal);
    this.#own(() => this.#keeper.close());
    const first = await this.#keeper.start();
    signal.throwIfAborted();
    this.handlers.camera(first);
    this.#dispatch({ type: 'camera-ready' });
    this.#expire('connect_timeout', this.options.connectTimeout);

    const session = await (this.make.obtainSession ?? obtainSession)(this.options.source, signal);
    signal.throwIfAborted();
    this.#dispatch({ type: 'session-created', sessionId: session.id });
    await this.#connect(session.signalUrl, session.clientToken, session.iceServers, signal);
  }

  async #connect(url: string, token: string, iceServers: RTCIceServer[], signal: AbortSignal): Promise<void> {
    const channel = await Signalling.open(
      url,
      token,
      { message: (m) => this.#receive(m), lost: (err) => this.#fault(err.code, err.detail) },
      this.make.Socket,
    );
    this.#channel = channel;
    this.#own(() => channel.close());
    signal.throwIfAborted();

    const recovery = new Recovery(
      () => this.#guard(this.#restart(peer, channel)),
      () => this.#fault('connection_lost'),
    );
    this.#own(() => recovery.close());
    const camera = this.#keeper.camera ?? (await this.#keeper.start());
    const peer = new Peer(
      camera.stream,
      { iceServers, codec: this.options.codec },
      {
        candidate: (candidate) => channel.send({ type: 'candidate', candidate }),
        connection: (s) => {
          this.#connection(s);
          recovery.become(s);
        },
      },
      this.make.PC,
    );
    this.#peer = peer;
    this.#own(() => peer.close());
    const prober = new Prober(
      (rate) => peer.limitRate(rate),
      (able) => channel.send({ type: 'probe', able }),
    );
    this.#prober = prober;
    this.#own(() => prober.close());
    const sdp = await peer.offer();
    signal.throwIfAborted();
    channel.send({ type: 'offer', sdp });
    this.#tellSettings();
  }

  #tellSettings(): void {
    const delivered = this.#keeper.camera?.delivered();
    if (delivered) this.#channel?.send({ type: 'settings', requested, delivered });
  }

  #changed(camera: Camera): void {
    if (this.#abort.signal.aborted) return;
    this.handlers.camera(camera);
    if (!this.#peer) return;
    this.#guard(this.#peer.replaceTrack(camera.track));
    this.#tellSettings();
  }

  #receive(m: ServerMessage): void {
    switch (m.type) {
      case 'answer':
        return this.#guard(this.#peer?.accept(m.sdp));
      case 'candidate':
        return this.#guard(this.#peer?.addCandidate(m.candidate));
      case 'state':
        return m.state === 'streaming' ? this.#streaming() : undefined;
      case 'hint':
        this.#serverHint = m.reason;
        return this.#hint();
      case 'error':
        return this.#fault(codeOfProblem(m.code), `${m.code} ${m.detail}`.trim());
      case 'sample':
        return this.#abort.signal.aborted ? undefined : this.handlers.sample(m);
      case 'challenge':
        return this.options.light || m.challenge.kind !== 'flash' ? this.#dispatch(m) : this.decline(m.challenge);
      case 'probe':
        return void this.#prober?.follow(m.probe);
      case 'progress':
      case 'decided':
        return this.#dispatch(m);
      case 'moved': // the channel has followed
        return undefined;
    }
  }

  // The server's state message ends the wait for the connection.
  #streaming(): void {
    clearTimeout(this.#timer);
    this.#dispatch({ type: 'streaming' });
    if (this.#localHints.size > 0) this.#hint(); // before, nobody would have seen it
  }

  // The session goes on: the server knows the browser by its DTLS certificate, which stays.
  async #restart(peer: Peer, channel: Signalling): Promise<void> {
    const sdp = await peer.restart();
    if (!this.#abort.signal.aborted) channel.send({ type: 'offer', sdp });
  }

  #connection(state: RTCPeerConnectionState): void {
    const stopped = state === 'disconnected' || state === 'failed';
    if (!stopped && state !== 'connected') return; // "connecting" of a restart is no news
    this.#local('connection_unstable', stopped);
  }

  #local(reason: LocalReason, now: boolean): void {
    if (now) this.#localHints.add(reason);
    else this.#localHints.delete(reason);
    this.#hint();
  }

  // Ours come first: while the pictures or the connection stop the server's is stale.
  #hint(): void {
    const ours = localReasons.find((r) => this.#localHints.has(r));
    this.#dispatch({ type: 'hint', reason: ours ?? this.#serverHint });
  }

  // A hidden page gets no frames on most phones, and a camera must not run unseen.
  #watchPage(signal: AbortSignal): void {
    let hidden: ReturnType<typeof setTimeout> | undefined;
    const changed = () => {
      clearTimeout(hidden);
      this.#local('page_hidden', document.hidden);
      if (document.hidden) hidden = setTimeout(() => this.#fault('interrupted'), this.options.hiddenTimeout);
    };
    document.addEventListener('visibilitychange', changed, { signal });
    window.addEventListener('pagehide', () => this.#fault('interrupted'), { signal });
    this.#own(() => clearTimeout(hidden));
  }

  #expire(error: ErrorCode, ms: number): void {
    this.#timer = setTimeout(() => this.#fault(error), ms);
    this.#own(() => clearTimeout(this.#timer));
  }

  #guard(work: Promise<void> | undefined): void {
    work?.catch((err: unknown) => this.#fault(err instanceof LivenessError ? err.code : 'protocol_error'));
  }

  #fault(error: ErrorCode, message = ''): void {
    this.#dispatch({ type: 'fault', error, message });
  }

  #dispatch(e: MachineEvent): void {
    if (!this.#abort.signal.aborted) this.handlers.event(e);
  }

  // Registers what close must undo; undone at once when close has already been.
  #own(release: () => void): void {
    if (this.#abort.signal.aborted) release();
    else this.#release.push(release);
  }
}

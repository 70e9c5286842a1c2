// Restores a connection that has stopped, as long as the signalling channel lives:
// an ICE restart (RFC 8445, 2.4) finds a path again after a change of the network.

/** The server gives a silent peer up after about 10 s; the browser needs about 3 s to see it. */
export const recovery = {
  /** How long a disconnected connection may mend itself, milliseconds. */
  patience: 1_000,
  /** From the restart to the connection, milliseconds. */
  limit: 10_000,
};

export class Recovery {
  #established = false;
  #restarted = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly restart: () => void,
    private readonly lost: () => void,
  ) {}

  /** Follows the states of the connection. */
  become(state: RTCPeerConnectionState): void {
    switch (state) {
      case 'connected':
        this.#established = true;
        this.#restarted = false;
        return this.close();
      case 'disconnected':
        if (!this.#restarted) this.#after(recovery.patience, () => this.#begin());
        return;
      case 'failed':
        if (!this.#established) return this.lost();
        if (!this.#restarted) this.#begin();
    }
  }

  /** Safe to call twice. */
  close(): void {
    clearTimeout(this.#timer);
  }

  // One restart until the connection is there again: a second would throw the first one's checks away.
  #begin(): void {
    this.#restarted = true;
    this.#after(recovery.limit, this.lost);
    this.restart();
  }

  #after(ms: number, act: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, ms);
  }
}

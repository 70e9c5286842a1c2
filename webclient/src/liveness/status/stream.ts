// Server-sent events, parsed as WHATWG HTML, section 9.2.6 says. EventSource will not do: it hides the comments by which a
// listener knows that the server still reads the record, and the status of a refusal.

export interface ServerEvent {
  readonly type: string;
  readonly data: string;
}

const maxHeld = 1 << 20; // characters of one event; Liveproof's have about a thousand

/** Takes the stream in pieces of any size. */
export class EventParser {
  #rest = '';
  #type = '';
  #data: string[] = [];
  #held = 0;

  /** The events that are complete with this piece. Throws when one is absurdly long. */
  push(piece: string): ServerEvent[] {
    const lines = this.#lines(piece);
    const events = lines.flatMap((line) => this.#line(line));
    if (this.#rest.length + this.#held > maxHeld) throw new Error('an event is too long');
    return events;
  }

  // A line ends with CRLF, LF or CR; a CR at the end may be half of a CRLF.
  #lines(piece: string): string[] {
    const text = this.#rest + piece;
    const lines = text.endsWith('\r') ? text.slice(0, -1).split(/\r\n|\n|\r/) : text.split(/\r\n|\n|\r/);
    this.#rest = (lines.pop() ?? '') + (text.endsWith('\r') ? '\r' : '');
    return lines;
  }

  #line(line: string): ServerEvent[] {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#type = value;
    if (field === 'data') this.#data.push(value);
    this.#held += line.length;
    return [];
  }

  #dispatch(): ServerEvent[] {
    const event = { type: this.#type || 'message', data: this.#data.join('\n') };
    const empty = this.#data.length === 0;
    this.#type = '';
    this.#data = [];
    this.#held = 0;
    return empty ? [] : [event];
  }
}

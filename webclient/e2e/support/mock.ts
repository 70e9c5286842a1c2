// A scripted signalling server for what the real one cannot be asked to do on
// demand: every hint, every error, a verdict at a chosen moment. It serves the
// built page; it judges nothing and its answer carries no media.
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { WebSocketServer, type WebSocket } from 'ws';
import { webclient } from './paths';

export interface MockOptions {
  dev?: boolean;
  /** The status of POST /demo/sessions; 201 unless given. */
  sessionStatus?: number;
  /** More members of that answer, when it is not 201. */
  problem?: Record<string, unknown>;
  /** Answers requests of the test's own; false leaves one to the mock. */
  routes?: (req: IncomingMessage, res: ServerResponse) => boolean;
  /** Runs once the client's offer has been answered. */
  script?: (peer: MockPeer) => void | Promise<void>;
}

export class MockPeer {
  readonly received: Record<string, unknown>[] = [];

  constructor(private readonly ws: WebSocket) {}

  send(message: Record<string, unknown> | string): void {
    this.ws.send(typeof message === 'string' ? message : JSON.stringify(message));
  }
  drop(): void {
    this.ws.terminate();
  }
  types(): unknown[] {
    return this.received.map((m) => m['type']);
  }
}

export interface Mock {
  readonly url: string;
  readonly peers: MockPeer[];
  close(): Promise<void>;
}

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

export async function startMock(options: MockOptions = {}): Promise<Mock> {
  const peers: MockPeer[] = [];
  const server = createServer((req, res) => void respond(req, res, options));
  const sockets = new WebSocketServer({ server, handleProtocols: () => 'liveproof.v1' });
  sockets.on('connection', (ws) => peers.push(converse(ws, options)));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    peers,
    close: async () => {
      for (const ws of sockets.clients) ws.terminate();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

async function respond(req: IncomingMessage, res: ServerResponse, options: MockOptions): Promise<void> {
  if (options.routes?.(req, res)) return;
  const path = new URL(req.url ?? '/', 'http://mock').pathname;
  if (path === '/demo/config') {
    const model = { name: 'mock', demo: true, threshold: 0.5 };
    return json(res, 200, { dev: options.dev ?? false, model, detector: 'none' });
  }
  if (path === '/demo/sessions') return session(res, options.sessionStatus ?? 201, options.problem);
  if (path.startsWith('/demo/sessions/')) {
    const frames = { received: 104, decoded: 104, sampled: 21, scored: 17, dropped: 0 };
    return json(res, 200, { state: 'decided', verdict: 'live', score: 0.87, reasons: ['score_above_threshold'], frames });
  }
  return file(res, path === '/' ? '/index.html' : path);
}

function session(res: ServerResponse, status: number, problem: Record<string, unknown> = {}): void {
  if (status !== 201) return json(res, status, { code: 'mock', status, ...problem });
  const id = '01JMOCKMOCKMOCKMOCKMOCKMOC';
  json(res, 201, { id, client_token: 'token', ice_servers: [], signal_url: `/v1/sessions/${id}/signal` });
}

async function file(res: ServerResponse, path: string): Promise<void> {
  const name = normalize(path);
  try {
    const body = await readFile(join(webclient, 'dist', name));
    res.writeHead(200, { 'Content-Type': types[extname(name)] ?? 'application/octet-stream' }).end(body);
  } catch {
    res.writeHead(404).end();
  }
}

function json(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

function converse(ws: WebSocket, options: MockOptions): MockPeer {
  const peer = new MockPeer(ws);
  ws.on('message', (data) => {
    const m = JSON.parse((data as Buffer).toString()) as Record<string, unknown>;
    peer.received.push(m);
    if (m['type'] !== 'offer') return;
    peer.send({ type: 'answer', sdp: answer(String(m['sdp'])) });
    void options.script?.(peer);
  });
  return peer;
}

// The least that a browser takes for an answer to one sendonly video section.
function answer(offer: string): string {
  const lines = offer.split('\r\n');
  const media = lines.find((l) => l.startsWith('m=video')) ?? '';
  const kept = lines.filter((l) => /^a=(mid|rtpmap|fmtp|rtcp-fb|rtcp-mux|group)/.test(l));
  const group = kept.filter((l) => l.startsWith('a=group'));
  const fingerprint = Array.from({ length: 32 }, () => 'AB').join(':');
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    ...group,
    media.replace(/^m=video \d+/, 'm=video 9'),
    'c=IN IP4 0.0.0.0',
    'a=ice-ufrag:mock',
    'a=ice-pwd:mockmockmockmockmockmock',
    `a=fingerprint:sha-256 ${fingerprint}`,
    'a=setup:active',
    'a=recvonly',
    ...kept.filter((l) => !l.startsWith('a=group')),
    '',
  ].join('\r\n');
}

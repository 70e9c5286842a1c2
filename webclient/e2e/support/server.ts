// The real server and the real Redis, each on a free port, stopped at the end.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binary } from './paths';

export interface SessionRecord {
  id: string;
  state: string;
  verdict: string;
  score: number;
  reasons: string[] | null;
  frames: { received: number; decoded: number; sampled: number; scored: number; dropped: number };
  model: { name: string; sha256: string; threshold: number; demo: boolean };
  decided_at: string | null;
}

export class LiveproofServer {
  private constructor(
    private readonly process: ChildProcess,
    /** Ends with a slash. */
    readonly url: string,
    readonly apiKey: string,
    private readonly output: () => string,
  ) {}

  /** Runs `liveproof serve` on a free port; rejects with its output when it does not start. */
  static async start(...args: string[]): Promise<LiveproofServer> {
    const child = spawn(binary, ['serve', '--listen', '127.0.0.1:0', '--udp-port', '0', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (b: Buffer) => (output += b.toString()));
    child.stderr.on('data', (b: Buffer) => (output += b.toString()));
    const listening = /^listening on (http:\S+)/m;
    await until(() => listening.test(output), 60_000, () => `server did not start:\n${output}`, child);
    const url = listening.exec(output)?.[1] ?? '';
    const apiKey = /^development API key: (\S+)/m.exec(output)?.[1] ?? '';
    return new LiveproofServer(child, url.replace(/\/?$/, '/'), apiKey, () => output);
  }

  /** What it has logged so far, for the message of a failing test. */
  log(): string {
    return this.output();
  }

  async stop(): Promise<void> {
    await end(this.process, 'SIGTERM', 30_000);
  }

  async create(): Promise<{ id: string; client_token: string; whip_url: string }> {
    const res = await this.request('POST', 'v1/sessions', { mode: 'onboarding' });
    if (res.status !== 201) throw new Error(`POST /v1/sessions: ${res.status} ${await res.text()}`);
    return (await res.json()) as { id: string; client_token: string; whip_url: string };
  }

  async session(id: string): Promise<SessionRecord> {
    const res = await this.request('GET', `v1/sessions/${id}`);
    if (res.status !== 200) throw new Error(`GET /v1/sessions/${id}: ${res.status} ${await res.text()}`);
    return (await res.json()) as SessionRecord;
  }

  /** The session's record once its state is terminal. */
  async terminal(id: string, timeout: number): Promise<SessionRecord> {
    let last: SessionRecord | undefined;
    const done = async () => {
      last = await this.session(id);
      return ['decided', 'expired', 'failed'].includes(last.state);
    };
    await until(done, timeout, () => `session is still ${last?.state}; log:\n${this.log()}`);
    return last!;
  }

  private request(method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(this.url + path, {
      method,
      headers: { Authorization: `Bearer ${this.apiKey}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }
}

export class RedisServer {
  private constructor(
    private readonly process: ChildProcess,
    readonly port: number,
    private readonly dir: string,
  ) {}

  static available(): boolean {
    return spawnSync('redis-server', ['--version']).status === 0;
  }

  static async start(): Promise<RedisServer> {
    const port = await freePort();
    const dir = mkdtempSync(join(tmpdir(), 'liveproof-redis-'));
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', dir];
    const server = new RedisServer(spawn('redis-server', args, { stdio: 'ignore' }), port, dir);
    await until(() => server.cli('PING').trim() === 'PONG', 20_000, () => 'redis-server does not answer', server.process);
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  cli(...args: string[]): string {
    return spawnSync('redis-cli', ['-p', String(this.port), ...args], { encoding: 'utf8' }).stdout;
  }

  hash(key: string): Record<string, string> {
    const lines = this.cli('HGETALL', key).trim().split('\n');
    return Object.fromEntries(Array.from({ length: Math.floor(lines.length / 2) }, (_, i) => [lines[2 * i], lines[2 * i + 1]]));
  }

  async stop(): Promise<void> {
    await end(this.process, 'SIGTERM', 10_000);
    rmSync(this.dir, { recursive: true, force: true });
  }
}

async function until(
  done: () => boolean | Promise<boolean>,
  timeout: number,
  complain: () => string,
  child?: ChildProcess,
): Promise<void> {
  const deadline = Date.now() + timeout;
  while (!(await done())) {
    const died = child !== undefined && (child.exitCode !== null || child.signalCode !== null);
    if (died || Date.now() > deadline) {
      child?.kill('SIGKILL');
      throw new Error(complain());
    }
    await new Promise((r) => setTimeout(r, 100));
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals, timeout: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((done) => child.once('exit', () => done()));
  const killer = setTimeout(() => child.kill('SIGKILL'), timeout);
  child.kill(signal);
  await gone;
  clearTimeout(killer);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

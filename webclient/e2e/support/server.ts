// The real server and the real Redis, each on a free port, stopped at the end.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
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
  require: string[];
  evidence: string[];
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
    return LiveproofServer.startWith({}, '--listen', '127.0.0.1:0', ...args);
  }

  /** start with keys of the configuration in the environment, and the address in the arguments. */
  static async startWith(environ: Record<string, string>, ...args: string[]): Promise<LiveproofServer> {
    if (!existsSync(binary)) throw new Error(`no ${binary}: run make build, or set LIVEPROOF_BIN`);
    const child = spawn(binary, ['serve', '--udp-port', '0', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // A fixed limit: with auto, other load on this machine could make the server refuse a test's session.
      env: { ...process.env, LIVEPROOF_SESSION_MAX_SESSIONS: '1000', ...environ },
    });
    let output = '';
    child.stdout.on('data', (b: Buffer) => (output += b.toString()));
    child.stderr.on('data', (b: Buffer) => (output += b.toString()));
    const listening = /^listening on (http:\S+)/m;
    await until(
      () => listening.test(output),
      60_000,
      () => `server did not start:\n${output}`,
      child,
    );
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

  /** Stops the process where it is, as a network that swallows everything would look to its clients; thaw lets it go on. */
  freeze(): void {
    this.process.kill('SIGSTOP');
  }

  thaw(): void {
    this.process.kill('SIGCONT');
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

  /** The session's samples. */
  async timeline(id: string): Promise<{
    samples: { t: number; scored: boolean; rho: number; evidence?: string[]; signals?: Record<string, number>; reasons: string[] }[];
  }> {
    const res = await this.request('GET', `v1/sessions/${id}/timeline`);
    if (res.status !== 200) throw new Error(`GET timeline: ${res.status} ${await res.text()}`);
    return (await res.json()) as Awaited<ReturnType<LiveproofServer['timeline']>>;
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

  /** The address of the session's events, with a read token in it. */
  async events(id: string): Promise<string> {
    const res = await this.request('POST', `v1/sessions/${id}/read_token`);
    if (res.status !== 201) throw new Error(`POST read_token: ${res.status} ${await res.text()}`);
    return ((await res.json()) as { events_url: string }).events_url;
  }

  async delete(id: string): Promise<void> {
    const res = await this.request('DELETE', `v1/sessions/${id}`);
    if (res.status !== 204) throw new Error(`DELETE /v1/sessions/${id}: ${res.status} ${await res.text()}`);
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
  #process: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly dir: string,
  ) {}

  /** An empty Redis on a free port; needs redis-server and redis-cli. */
  static async start(): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), mkdtempSync(join(tmpdir(), 'liveproof-redis-')));
    await server.resume();
    return server;
  }

  /** Shuts down as an operator would, with the data on disk; resume brings it back. */
  async pause(): Promise<void> {
    const gone = new Promise((done) => this.#process?.once('exit', done));
    this.cli('SHUTDOWN', 'SAVE');
    await gone;
  }

  async resume(): Promise<void> {
    const args = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', this.dir];
    const child = spawn('redis-server', args, { stdio: 'ignore' });
    let failure = '';
    child.once('error', (err) => (failure = err.message));
    const answers = () => failure !== '' || this.cli('PING').trim() === 'PONG';
    await until(answers, 20_000, () => 'redis-server does not answer', child);
    if (failure) throw new Error(`redis-server: ${failure}`);
    this.#process = child;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  cli(...args: string[]): string {
    return spawnSync('redis-cli', ['-p', String(this.port), ...args], { encoding: 'utf8' }).stdout ?? '';
  }

  hash(key: string): Record<string, string> {
    return record(this.cli('HGETALL', key).trim().split('\n'));
  }

  /** The entries of the event stream about one session, oldest first, as field → value. */
  events(id: string): Record<string, string>[] {
    const entries = JSON.parse(this.cli('--json', 'XRANGE', 'liveproof:events', '-', '+')) as [string, string[]][];
    return entries.filter(([, fields]) => fields.includes(id)).map(([, fields]) => record(fields));
  }

  async stop(): Promise<void> {
    if (this.#process) await end(this.#process, 'SIGTERM', 10_000);
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Redis answers with a flat list: field, value, field, value … */
function record(flat: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let i = 0; i + 1 < flat.length; i += 2) fields[flat[i]!] = flat[i + 1]!;
  return fields;
}

/** Waits until done. When that takes too long, or the child has died, it kills the child and throws. */
export async function until(
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

/** Signals the child and waits for its end; kills it when that takes longer than timeout milliseconds. */
export async function end(child: ChildProcess, signal: NodeJS.Signals, timeout: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((done) => child.once('exit', () => done()));
  const killer = setTimeout(() => child.kill('SIGKILL'), timeout);
  child.kill(signal);
  await gone;
  clearTimeout(killer);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

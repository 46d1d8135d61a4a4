/** A hub as its own process, to be killed: `crossdock start` over the example estate, or another. */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 15_000;

export interface LogLine {
  level: number;
  msg?: string;
  where?: string;
  code?: string;
  message?: string;
  reason?: string;
  route?: string;
}

export class HubProcess {
  readonly name: string;
  readonly url: string;
  readonly logFile: string;
  /** What it could not do and said so; of all its lives. */
  readonly complaints: LogLine[] = [];
  /** What it wrote that is no line of its log, such as the stack of a crash. */
  readonly cries: string[] = [];
  /** An end that nobody asked for. */
  unexpectedEnd: string | undefined;
  #child: ChildProcess | undefined;
  #ready: Promise<void> = Promise.resolve();
  #isEnding = false;
  readonly #port: number;
  readonly #env: Record<string, string>;
  readonly #config: string;

  constructor(options: { name: string; port: number; dir: string; env: Record<string, string>; config?: string }) {
    this.name = options.name;
    this.#port = options.port;
    this.#env = options.env;
    this.#config = options.config ?? join(root, 'examples/wholesaler/crossdock.config.ts');
    this.url = `http://127.0.0.1:${options.port}`;
    this.logFile = join(options.dir, `${options.name}.log`);
  }

  /** Starts it; {@link ready} waits until it answers. */
  start(): void {
    const args = [join(root, 'src/cli/main.ts'), 'start', '--config', this.#config];
    args.push('--role', 'all', '--port', String(this.#port), '--json');
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=24', ...args],
      {
        cwd: root,
        // The fourth pipe ends with this process: the hub never outlives the test.
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
        env: {
          PATH: process.env.PATH ?? '',
          HOME: process.env.HOME ?? '/tmp',
          NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, '.crossdock', 'compile-cache'),
          CROSSDOCK_LIFELINE_FD: '3',
          ...this.#env,
        },
      },
    );
    this.#child = child;
    this.#isEnding = false;
    child.stdio[3]!.on('error', () => {});
    this.#ready = new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${this.name} was not ready in time; see ${this.logFile}`)),
        READY_MS_MAX,
      );
      createInterface({ input: child.stdout! }).on('line', (line) => {
        if (!line.includes('"ready":true')) return;
        clearTimeout(timer);
        resolve();
      });
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        if (!this.#isEnding)
          this.unexpectedEnd ??= `${this.name} ended by itself (${code ?? signal}): ${this.cries.slice(-12).join('\n')}`;
        reject(new Error(`${this.name} ended (${code ?? signal})`));
      });
    });
    this.#ready.catch(() => {});
    createInterface({ input: child.stderr! }).on('line', (text) => this.#note(text));
  }

  hasComplained(message: string): boolean {
    return this.complaints.some((line) => line.msg === message);
  }

  get ready(): Promise<void> {
    return this.#ready;
  }

  /** kill -9, and gone when this returns. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), STOP_MS_MAX);
    await this.#end('SIGTERM');
    clearTimeout(timer);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    this.#isEnding = true;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    await gone;
  }

  #note(text: string): void {
    appendFileSync(this.logFile, `${text}\n`);
    let line: LogLine;
    try {
      line = JSON.parse(text) as LogLine;
    } catch {
      if (this.cries.length < 200) this.cries.push(text);
      return;
    }
    if (line.level >= 40 && this.complaints.length < 5_000) this.complaints.push(line);
  }
}

export async function findFreePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((done, failed) => probe.once('error', failed).listen(0, '127.0.0.1', done));
  const { port } = probe.address() as { port: number };
  await new Promise((done) => probe.close(done));
  return port;
}

/** Child processes of the demo: they end with us, whatever happens to us, because their stdin is our pipe. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CrossdockError } from '../../canonical/index.ts';

const READY_MS_MAX = 30_000;

export class Children {
  readonly #children = new Map<string, ChildProcess>();
  readonly #logDir: string;
  #stopping = false;
  /** Called when a child ends that should not have. */
  onUnexpectedEnd: ((name: string, code: number | null) => void) | undefined;

  constructor(logDir: string) {
    this.#logDir = logDir;
  }

  pid(name: string): number | undefined {
    return this.#children.get(name)?.pid;
  }

  /** Starts a script with this Node; each line of JSON on its stdout goes to `onLine`. What it complains about goes to a log file. */
  start(
    name: string,
    script: string,
    args: string[],
    options: { onLine: (line: Record<string, unknown>) => void; mayEnd?: boolean },
  ): ChildProcess {
    const child = spawn(
      process.execPath,
      ['--max-semi-space-size=8', '--disable-warning=ExperimentalWarning', script, ...args],
      {
        stdio: ['pipe', 'pipe', 'pipe'],
      },
    );
    child.stdin!.on('error', () => {});
    child.stderr!.pipe(createWriteStream(join(this.#logDir, `${name}.log`)));
    createInterface({ input: child.stdout! }).on('line', (text) => {
      let line: Record<string, unknown>;
      try {
        line = JSON.parse(text) as Record<string, unknown>;
      } catch {
        return;
      }
      options.onLine(line);
    });
    child.on('exit', (code) => {
      this.#children.delete(name);
      if (!this.#stopping && !options.mayEnd) this.onUnexpectedEnd?.(name, code);
    });
    this.#children.set(name, child);
    return child;
  }

  /** Starts a simulated system and waits until it listens. @returns its URL */
  startSystem(name: string, script: string, args: string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () =>
          reject(
            new CrossdockError(
              'XD_SETUP_FAILED',
              `the simulated ${name} did not start within ${READY_MS_MAX / 1000} s; see ${join(this.#logDir, `${name}.log`)}`,
            ),
          ),
        READY_MS_MAX,
      );
      const child = this.start(name, script, args, {
        onLine: (line) => {
          if (line.ready !== true) return;
          clearTimeout(timer);
          resolve(String(line.url));
        },
      });
      child.once('exit', (code) => {
        clearTimeout(timer);
        reject(
          new CrossdockError(
            'XD_SETUP_FAILED',
            `the simulated ${name} ended with code ${code}; see ${join(this.#logDir, `${name}.log`)}`,
          ),
        );
      });
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const ends = [...this.#children.values()].map(
      (child) => new Promise<void>((resolve) => child.once('exit', () => resolve())),
    );
    for (const child of this.#children.values()) child.kill('SIGTERM');
    const timer = setTimeout(() => {
      for (const child of this.#children.values()) child.kill('SIGKILL');
    }, 2_000);
    await Promise.all(ends);
    clearTimeout(timer);
  }
}

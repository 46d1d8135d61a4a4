/** What every command shares: one JSON document on stdout, everything else on stderr, and the exit codes. */
import { CrossdockError } from '../canonical/errors.ts';

export const EXIT = { ok: 0, failed: 1, usage: 2, findings: 3 } as const;

/** Prints a result: the JSON document with --json, else the text for people. Nothing else goes to stdout. */
export function printResult(result: unknown, { json, text }: { json?: boolean; text: () => string }): void {
  process.stdout.write(json ? `${JSON.stringify(result, jsonSafe, 2)}\n` : `${text()}\n`);
}

/** A line about what is going on, for people; stays off stdout. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Prints what went wrong, why, and what to do; with --json also as the one document on stdout. */
export function printError(error: unknown, { json = false } = {}): void {
  const known = error instanceof CrossdockError;
  const code = known ? error.code : 'XD_INTERNAL';
  const message = error instanceof Error ? error.message : String(error);
  const lines = [`${paint('red', code)}: ${message}`];
  for (let cause = (error as Error)?.cause; cause instanceof Error; cause = cause.cause) {
    if (!message.includes(cause.message)) lines.push(`  why:  ${cause.message}`);
  }
  if (!known && error instanceof Error && error.stack) lines.push(error.stack.split('\n').slice(1, 6).join('\n'));
  if (known && error.retry === 'later') lines.push('  next: try again, it is safe');
  say(lines.join('\n'));
  if (json) {
    const details = known ? error.details : {};
    process.stdout.write(`${JSON.stringify({ error: { code, message, details } }, jsonSafe, 2)}\n`);
  }
}

const COLOURS = { red: 31, green: 32, yellow: 33, dim: 2 } as const;

/** Colours text for a terminal. NO_COLOR turns it off (no-color.org), FORCE_COLOR on. */
export function paint(colour: keyof typeof COLOURS, text: string, stream: NodeJS.WriteStream = process.stderr): string {
  const { NO_COLOR, FORCE_COLOR } = process.env;
  const isOn = NO_COLOR ? false : FORCE_COLOR ? FORCE_COLOR !== '0' : stream.isTTY === true;
  return isOn ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text;
}

export interface Progress {
  update(done: number, note?: string): void;
  end(note?: string): void;
}

/** A bar on stderr, on a terminal only; elsewhere it is silent, so that logs hold no half lines. */
export function startProgress(label: string, total?: number): Progress {
  if (process.stderr.isTTY !== true) return { update() {}, end() {} };
  const started = Date.now();
  let drawnAt = 0;
  const draw = (done: number, note: string) => {
    const share = total ? Math.min(1, done / total) : 0;
    const filled = Math.round(share * 24);
    const bar = total ? `${'━'.repeat(filled)}${'╌'.repeat(24 - filled)} ${Math.floor(share * 100)} %` : String(done);
    const seconds = ((Date.now() - started) / 1000).toFixed(0);
    process.stderr.write(`\r\x1b[2K${label} ${bar} ${seconds} s ${note}`);
  };
  return {
    update(done, note = '') {
      if (Date.now() - drawnAt < 100) return;
      drawnAt = Date.now();
      draw(done, note);
    },
    end(note = '') {
      process.stderr.write(`\r\x1b[2K${note ? `${label}: ${note}\n` : ''}`);
    },
  };
}

function jsonSafe(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

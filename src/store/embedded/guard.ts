import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { cleanEnvironment, commandAs, type RunAs } from './run-as.ts';

/**
 * Runs one command and waits for it. Descriptor 3 is a pipe that the parent holds and never writes to: it ends when the
 * parent ends, however that happens, kill -9 too. Then the server is asked to stop (INT: fast), told (QUIT) after 20 s and
 * killed after 30 s. A shell and not a Node script: it costs 1 MB instead of 40, and nothing in it can leak or throw.
 * It ignores the signals of a terminal, so that Ctrl-C leaves the database up until the parent has finished its work.
 */
const GUARD = `
trap '' INT TERM HUP
"$@" 3<&- 4>&- &
server=$!
echo "$server" >&4
exec 4>&-
(
  read -r nothing <&3
  kill -INT "$server"
  tenths=0
  while kill -0 "$server"; do
    sleep 0.1
    tenths=$((tenths + 1))
    if [ "$tenths" -eq 200 ]; then kill -QUIT "$server"; fi
    if [ "$tenths" -eq 300 ]; then kill -KILL "$server"; fi
  done
) >/dev/null 2>&1 &
watcher=$!
wait "$server"
code=$?
kill -KILL "$watcher" 2>/dev/null
exit "$code"
`;

export interface Guarded {
  guardPid: number;
  /** the server's own process, a child of the guard */
  serverPid: number;
  /** resolves once the server has ended and was waited for */
  ended: Promise<{ code: number | null }>;
  hasEnded(): boolean;
}

/** Starts a server below a guard. @param output an open file descriptor for what the server prints */
export async function spawnGuarded(runAs: RunAs, file: string, args: string[], output: number): Promise<Guarded> {
  const command = commandAs(runAs, file, args);
  const guard: ChildProcess = spawn('/bin/sh', ['-c', GUARD, 'crossdock-guard', command.file, ...command.args], {
    // Its own session: a terminal's Ctrl-C goes to the parent's only.
    detached: true,
    cwd: '/',
    env: cleanEnvironment(),
    stdio: ['ignore', output, output, 'pipe', 'pipe'],
    ...command.user,
  });
  let isOver = false;
  const ended = once(guard, 'exit').then(([code]) => {
    isOver = true;
    return { code: code as number | null };
  });
  ended.catch(() => {});

  const lifeline = guard.stdio[3]!;
  const report = guard.stdio[4] as Readable;
  lifeline.on('error', () => {});
  let told = '';
  for await (const chunk of report) told += String(chunk);
  // The server must not keep a process alive that has nothing else to do: when that one ends, the pipe ends the server.
  guard.unref();
  (lifeline as unknown as { unref(): void }).unref();
  return { guardPid: guard.pid!, serverPid: Number(told), ended, hasEnded: () => isOver };
}

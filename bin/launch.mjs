import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';

/** Node options for everything that is run: Node 24's first releases warn that type stripping is new. */
// A small young generation and a bound on the old one: what the hub holds is small, and garbage should not look like a leak.
export const NODE_FLAGS = [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=24',
  '--max-old-space-size=384',
];

/**
 * Runs a program to its end and returns its exit code, as a shell would see it.
 * A terminal gives Ctrl-C to the whole group, so then it is only waited for; a signal sent to this process alone is passed on.
 * Descriptor 3 is a pipe that nothing is ever written to: it ends when this process does, so that the program can notice
 * a kill -9 of this one (CROSSDOCK_LIFELINE_FD).
 */
export async function launch(root, node, args, { env = {} } = {}) {
  const child = spawn(node.path, args, {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    env: {
      ...process.env,
      // Whatever starts a `node` or a tool below gets the same ones.
      PATH: [dirname(node.path), join(root, 'node_modules', '.bin'), process.env.PATH].join(
        process.platform === 'win32' ? ';' : ':',
      ),
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, '.crossdock', 'compile-cache'),
      CROSSDOCK_LIFELINE_FD: '3',
      ...env,
    },
  });
  const isTerminal = process.stdin.isTTY === true;
  const pass = (name) => {
    if (!(name === 'SIGINT' && isTerminal)) child.kill(name);
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const name of names) process.on(name, pass);
  const [code, signal] = await new Promise((done, failed) => {
    child.once('error', failed);
    child.once('exit', (...ended) => done(ended));
  });
  for (const name of names) process.off(name, pass);
  if (signal) return 128 + (SIGNAL_NUMBERS[signal] ?? 0);
  return code;
}

const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };

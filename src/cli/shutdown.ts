/** Being told to stop: by a signal, or because whoever started us is gone. */
import { Socket } from 'node:net';

const SAME_REQUEST_MS = 500;

/**
 * Calls `stop` once when the process is to end. A second request, from someone who does not want to wait, ends it at once;
 * one that arrives within half a second is the same one (a terminal tells the whole group, and npm passes it on as well).
 * @returns a function that takes the handlers away again
 */
export function onShutdown(stop: (reason: string) => void | Promise<void>): () => void {
  let askedAt = 0;
  const ask = (reason: string) => {
    const now = Date.now();
    if (askedAt === 0) {
      askedAt = now;
      Promise.resolve(stop(reason)).catch((error) => {
        process.stderr.write(`${error?.stack ?? error}\n`);
        process.exit(1);
      });
    } else if (now - askedAt > SAME_REQUEST_MS) {
      process.exit(reason === 'SIGINT' ? 130 : 143);
    }
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const handlers = signals.map((name) => [name, () => ask(name)] as const);
  for (const [name, handler] of handlers) process.on(name, handler);
  const lifeline = watchLifeline(() => ask('SIGTERM'));
  return () => {
    for (const [name, handler] of handlers) process.off(name, handler);
    lifeline?.removeAllListeners('close');
    lifeline?.destroy();
  };
}

/** The launcher holds a pipe that ends with it, kill -9 too. Without a launcher there is nothing to watch. */
function watchLifeline(gone: () => void): Socket | undefined {
  const fd = Number(process.env.CROSSDOCK_LIFELINE_FD);
  if (!fd) return undefined;
  // Children inherit the environment, not the descriptor.
  delete process.env.CROSSDOCK_LIFELINE_FD;
  try {
    const lifeline = new Socket({ fd, readable: true, writable: false });
    lifeline.on('error', () => {});
    lifeline.on('close', gone);
    lifeline.resume();
    lifeline.unref();
    return lifeline;
  } catch {
    return undefined;
  }
}

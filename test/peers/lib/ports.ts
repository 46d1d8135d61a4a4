import { connect, createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { PeerFault } from './fault.ts';
import { isSame, lastLines, type ProcessId } from './processes.ts';

export const HOST = '127.0.0.1';
const FREED_MS_MAX = 1500;

export function isPortFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen({ port, host: HOST, exclusive: true }, () => server.close(() => done(true)));
  });
}

/** @throws PeerFault before anything is started that could not listen */
export async function refuseTakenPort(peer: string, port: number, variable: string): Promise<void> {
  const until = Date.now() + FREED_MS_MAX;
  // One that has just ended may hold it for another moment.
  while (!(await isPortFree(port))) {
    if (Date.now() > until) throw taken(peer, port, variable);
    await wait(100);
  }
}

function taken(peer: string, port: number, variable: string): PeerFault {
  return new PeerFault('port_taken', {
    what: `${peer} can't listen on port ${port}: something else does`,
    where: `${HOST}:${port}`,
    why: 'it was not started from this state folder, so it is left alone',
    next: `set ${variable} to a free port, or PEER_PORT_SHIFT=100 to move all of them, or end what listens there`,
  });
}

/** Waits until the process answers; one that has ended is not waited for. */
export async function waitForAnswer(
  what: string,
  ask: () => Promise<boolean>,
  { seconds, id, log }: { seconds: number; id?: ProcessId; log: string },
): Promise<void> {
  const until = Date.now() + seconds * 1000;
  for (;;) {
    if (await ask()) return;
    const isGone = id !== undefined && !isSame(id);
    if (isGone || Date.now() > until)
      throw new PeerFault('silent', {
        what: isGone ? `${what} ended while it started` : `${what} gave no answer for ${seconds} s`,
        where: log,
        why: lastLines(log),
      });
    await wait(100);
  }
}

/** Any HTTP answer counts, unless a text is asked for. */
export async function answersHttp(url: string, text?: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(3000) });
    const body = await answer.text();
    return text === undefined || body.includes(text);
  } catch {
    return false;
  }
}

export function answersTcp(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ port, host: HOST });
    const end = (isUp: boolean) => {
      socket.destroy();
      done(isUp);
    };
    socket.setTimeout(2000, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

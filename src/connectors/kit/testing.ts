/** For tests of connectors: a system that answers as it is told, and a clock that is moved by hand. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from './clock.ts';
import type { ConnectorContext } from './types.ts';

export interface FakeCall {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: IncomingHttpHeaders;
  body: unknown;
  /** The caller's port: one a connection. */
  port: number | undefined;
}

/** What is answered: JSON, a text as it is, or something that is no answer. */
export type FakeAnswer =
  | { status?: number; json: unknown; headers?: Record<string, string> }
  | { status?: number; text: string; headers?: Record<string, string> }
  /** Takes the request and never answers. */
  | 'silence'
  /** Takes the request and resets the connection. */
  | 'reset'
  /** Says how long its answer is and breaks off half-way. */
  | 'half';

export interface FakeSystem {
  url: string;
  calls: FakeCall[];
  /** Answers from now on; a list is answered one by one, its last for ever. */
  answer(...answers: (FakeAnswer | ((call: FakeCall) => FakeAnswer))[]): void;
  close(): Promise<void>;
}

export async function fakeSystem(): Promise<FakeSystem> {
  let answers: (FakeAnswer | ((call: FakeCall) => FakeAnswer))[] = [];
  const calls: FakeCall[] = [];
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const url = new URL(req.url ?? '/', 'http://fake');
    const call: FakeCall = {
      method: req.method ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: req.headers,
      body: text === '' ? undefined : jsonOrText(text),
      port: req.socket.remotePort,
    };
    calls.push(call);
    const next = answers.length > 1 ? answers.shift()! : answers[0];
    const answer = typeof next === 'function' ? next(call) : (next ?? { status: 404, json: {} });
    if (answer === 'silence') return;
    if (answer === 'reset') {
      req.socket.resetAndDestroy();
      return;
    }
    if (answer === 'half') {
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 }).write('{"results":[');
      setTimeout(() => req.socket.destroy(), 5);
      return;
    }
    const body = 'json' in answer ? JSON.stringify(answer.json) : answer.text;
    res.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    answer: (...given) => {
      answers = given;
    },
    async close() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Forms, CSV and messages of several parts stay texts. */
function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export function contextFor(url: string, changes: Partial<ConnectorContext> = {}): ConnectorContext {
  return {
    system: 'system',
    channel: 'channel',
    url,
    token: 'token-of-a-test',
    webhookSecret: null,
    settings: {},
    limits: { callsPerSecond: 10_000, concurrency: 4, timeoutMs: 1_000, batchMax: null },
    ...changes,
  };
}

export interface ManualClock extends Clock {
  /** Moves time on and runs what falls due, in order, each at its own moment. */
  advance(ms: number): Promise<void>;
}

export function manualClock(): ManualClock {
  let now = 0;
  let timers: { at: number; run: () => void }[] = [];
  return {
    now: () => now,
    after(ms, run) {
      const timer = { at: now + ms, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    async advance(ms) {
      const end = now + ms;
      for (;;) {
        await new Promise(setImmediate);
        const due = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        timers = timers.filter((other) => other !== due);
        now = due.at;
        due.run();
      }
      now = end;
    },
  };
}

/** A server around a model of the system, which fails as it is told. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Answer, Call, Role, SystemModel } from './describe.ts';

/** What comes instead of the model's answer. */
export type FaultAnswer =
  | Answer
  | 'silence'
  | 'reset'
  /** Says how long its answer is and breaks off half-way. */
  | 'half'
  /** A byte now and then, for ever. */
  | 'drip'
  /** Larger than anyone reads. */
  | 'oversized';

export interface Fault {
  as: FaultAnswer | ((call: Call, good: Answer) => FaultAnswer);
  /** Whether the model has taken the call before the fault. Default: it has not. */
  afterEffect?: boolean;
  when?: (call: Call, role: Role) => boolean;
  /** So many times; default: for ever. */
  times?: number;
}

export interface SeenCall extends Call {
  role: Role;
  at: number;
  port: number | undefined;
}

export interface FaultServer {
  url: string;
  calls: SeenCall[];
  /** The most calls that were open at one moment. */
  atOnceMax: number;
  readonly connections: number;
  fault: Fault | undefined;
  /** Waits so long before each answer. */
  delayMs: number;
  /** Changes the bytes of each answer: for what no JSON writer writes. */
  rewrite: ((text: string) => string | Buffer) | undefined;
  /** Settles when the next call has come. */
  nextCall(): Promise<void>;
  close(): Promise<void>;
}

const DRIP_MS = 15;
const OVERSIZED_BYTES = 17 << 20;
const CHUNK = Buffer.alloc(1 << 20, ' ');

export const html: Answer = {
  status: 200,
  text: '<!doctype html><html><head><title>Welcome</title></head><body>Please sign in</body></html>',
  headers: { 'content-type': 'text/html; charset=utf-8' },
};

export async function faultServer(model: SystemModel): Promise<FaultServer> {
  const sockets = new Set<Socket>();
  const timers = new Set<NodeJS.Timeout>();
  const waiting: (() => void)[] = [];
  let open = 0;
  const server = createServer(async (req, res) => {
    open += 1;
    self.atOnceMax = Math.max(self.atOnceMax, open);
    res.once('close', () => {
      open -= 1;
    });
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of req) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString();
      const url = new URL(req.url ?? '/', 'http://system');
      const call: Call = {
        method: req.method ?? '',
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        params: url.searchParams,
        headers: req.headers,
        body: parsed(text),
        text,
      };
      const role = model.roleOf?.(call) ?? (call.method === 'GET' ? 'read' : 'write');
      self.calls.push({ ...call, role, at: performance.now(), port: req.socket.remotePort });
      for (const wake of waiting.splice(0)) wake();
      if (self.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, self.delayMs));
      give(req.socket, res, answerTo(call, role));
    } catch (error) {
      // The caller went away in the middle of its request, or the description is wrong; it must not end the suite.
      if (!res.headersSent)
        give(req.socket, res, { status: 500, text: `the description of the system failed: ${String(error)}` });
    }
  });

  function answerTo(call: Call, role: Role): FaultAnswer {
    const { fault } = self;
    const good = (): Answer => model.answer(call) ?? { status: 404, json: { error: 'no such route' } };
    if (fault === undefined || fault.when?.(call, role) === false || fault.times === 0) return good();
    if (fault.times !== undefined) fault.times -= 1;
    const made = fault.afterEffect ? good() : {};
    return typeof fault.as === 'function' ? fault.as(call, made) : fault.as;
  }

  function give(socket: Socket, res: ServerResponse, answer: FaultAnswer): void {
    const json = { 'content-type': 'application/json' };
    if (answer === 'silence') return;
    if (answer === 'reset') {
      socket.resetAndDestroy();
      return;
    }
    if (answer === 'half') {
      res.writeHead(200, { ...json, 'content-length': 1_000 }).write('{"results":[');
      later(() => socket.destroy(), 5);
      return;
    }
    if (answer === 'drip') {
      res.writeHead(200, json).write('{');
      const timer = setInterval(() => res.write(' '), DRIP_MS);
      timers.add(timer);
      res.once('close', () => clearInterval(timer));
      return;
    }
    if (answer === 'oversized') {
      res.writeHead(200, json);
      void flood(res);
      return;
    }
    const body = answer.text ?? (answer.json === undefined ? '' : JSON.stringify(answer.json));
    res.writeHead(answer.status ?? 200, { ...json, ...answer.headers }).end(self.rewrite?.(body) ?? body);
  }

  function later(run: () => void, ms: number): void {
    timers.add(setTimeout(run, ms));
  }

  const self: FaultServer = {
    url: '',
    calls: [],
    atOnceMax: 0,
    get connections() {
      return sockets.size;
    },
    fault: undefined,
    delayMs: 0,
    rewrite: undefined,
    nextCall: () => new Promise((resolve) => waiting.push(resolve)),
    async close() {
      for (const timer of timers) clearTimeout(timer);
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  self.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return self;
}

async function flood(res: ServerResponse): Promise<void> {
  function* chunks() {
    for (let sent = 0; sent < OVERSIZED_BYTES; sent += CHUNK.length) yield CHUNK;
  }
  // The caller goes away in the middle of it, as it should.
  await pipeline(Readable.from(chunks()), res).catch(() => {});
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

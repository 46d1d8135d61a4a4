import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Faults } from './faults.ts';
import { Refusal } from './items.ts';
import type { Journal } from './journal.ts';
import type { Call, Mount, MountFault, Route } from './system.ts';
import type { Time } from './time.ts';

const BODY_BYTES_MAX = 16 << 20;
/** Longer than any client keeps an idle connection: a close of ours would look to it like a fault nobody asked for. */
const KEEP_ALIVE_MS = 120_000;

interface Answer {
  status: number;
  body: object | string;
  retryAfterSeconds?: number | undefined;
  headers?: Readonly<Record<string, string>>;
}

export interface SimServer {
  server: Server;
  /** Business calls that came with a good token. */
  calls(): number;
  /** Effects that a fault put off and that have yet to come. */
  late(): number;
}

export function createSimServer(use: {
  routes: Route[];
  /** Paths that speak a protocol of their own; their calls are business calls, which sign in by its rules. */
  mount?: Mount | undefined;
  token: string;
  faults: Faults;
  journal: Journal;
  time: Time;
}): SimServer {
  const { faults, journal, time } = use;
  const routes = new Map(use.routes.map((route) => [`${route.method} ${route.path}`, route]));
  const bearer = `Bearer ${use.token}`;
  let calls = 0;
  let late = 0;

  const perform = (route: Route, query: URLSearchParams, bytes: Buffer): Answer => {
    try {
      const lost = () => route.business && faults.losesItem();
      const call: Call = { body: bytes.length > 0 ? parse(bytes) : undefined, query, lost };
      return { status: 200, body: route.run(call) };
    } catch (error) {
      if (error instanceof Refusal) {
        return { status: error.status, body: error.body, retryAfterSeconds: error.retryAfterSeconds };
      }
      process.stderr.write(`${route.method} ${route.path}: ${(error as Error).stack}\n`);
      return problem(500, 'internal', (error as Error).message);
    }
  };

  const answer = async (
    res: ServerResponse,
    { status, body, retryAfterSeconds, headers: own }: Answer,
  ): Promise<void> => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    // Whatever this answer says must be in the journal first, also what another call or a timer did in the same turn.
    await journal.flushed();
    if (res.destroyed) return;
    const headers: Record<string, string | number> = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    };
    if (retryAfterSeconds !== undefined) headers['retry-after'] = retryAfterSeconds;
    Object.assign(headers, own);
    res.writeHead(status, headers).end(text);
  };

  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const url = req.url ?? '/';
    const mark = url.indexOf('?');
    const route = routes.get(`${req.method} ${mark < 0 ? url : url.slice(0, mark)}`);
    const bytes = await bodyOf(req);
    if (bytes === undefined) {
      res.shouldKeepAlive = false;
      return answer(res, problem(413, 'too_large', `the body is larger than ${BODY_BYTES_MAX} bytes`));
    }
    const mount = use.mount !== undefined && url.startsWith(use.mount.prefix) ? use.mount : undefined;
    if (mount !== undefined) {
      const call = { method: req.method ?? '', url, headers: req.headers, body: bytes };
      const act = () => mounted(mount, call);
      return faulty(req, res, act, (fault) => mount.faultOf(fault));
    }
    if (route === undefined) return answer(res, problem(404, 'unknown_route', `no route ${req.method} ${url}`));
    const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
    if (!route.business) return answer(res, perform(route, query, bytes));
    if (req.headers.authorization !== bearer)
      return answer(res, problem(401, 'unauthorized', 'missing or wrong token'));
    return faulty(req, res, () => perform(route, query, bytes), plainFault);
  };

  /** A business call, with what goes wrong on request. */
  const faulty = async (
    req: IncomingMessage,
    res: ServerResponse,
    act: () => Answer,
    faultOf: (fault: MountFault) => Answer,
  ): Promise<void> => {
    calls += 1;
    const plan = faults.plan();
    if (plan.latencyMs > 0) await new Promise<void>((resolve) => time.after(plan.latencyMs, resolve));
    switch (plan.act) {
      case 'none':
        return answer(res, act());
      case 'outage':
        return answer(res, faultOf('outage'));
      case 'tooMany':
        return answer(res, faultOf('tooMany'));
      case 'errorBefore':
        return answer(res, faultOf('errorBefore'));
      case 'errorAfter':
        act();
        return answer(res, faultOf('errorAfter'));
      case 'silentAfter':
        act();
        await journal.flushed();
        time.after(faults.rates.silentMs, () => req.socket.destroy());
        return;
      case 'lateEffect':
        // Cut at once, the effect comes after: whoever looks it up right away does not find it yet.
        late += 1;
        time.after(plan.lateMs, () => {
          late -= 1;
          act();
        });
        req.socket.destroy();
        return;
      case 'reset':
        if (plan.resetAfterEffect) act();
        await journal.flushed();
        req.socket.resetAndDestroy();
        return;
    }
  };

  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, noDelay: true }, (req, res) => {
    handle(req, res).catch((error: Error) => {
      // The caller left in the middle of its own request: nobody to answer, nothing done.
      if (!req.complete) return;
      process.stderr.write(`${req.method} ${req.url}: ${error.stack}\n`);
      req.socket.destroy();
    });
  });
  server.headersTimeout = KEEP_ALIVE_MS + 5000;
  return { server, calls: () => calls, late: () => late };
}

function plainFault(fault: MountFault): Answer {
  switch (fault) {
    case 'outage':
      return problem(503, 'unavailable', 'down for a moment', 1);
    case 'tooMany':
      return problem(429, 'rate_limited', 'too many calls', 1);
    case 'errorBefore':
      return problem(500, 'internal', 'failed');
    case 'errorAfter':
      return problem(503, 'unavailable', 'failed on the way back');
  }
}

function mounted(mount: Mount, call: Parameters<Mount['run']>[0]): Answer {
  try {
    return mount.run(call);
  } catch (error) {
    process.stderr.write(`${call.method} ${call.url}: ${(error as Error).stack}\n`);
    return mount.faultOf('errorBefore');
  }
}

function problem(status: number, code: string, message: string, retryAfterSeconds?: number): Answer {
  return { status, body: { error: { code, message } }, retryAfterSeconds };
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new Refusal(400, 'invalid', `the body is not JSON: ${(error as Error).message}`);
  }
}

/** @returns undefined when it is larger than it may be; the rest is then read and dropped */
async function bodyOf(req: IncomingMessage): Promise<Buffer | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer | undefined>();
  let chunks: Buffer[] = [];
  let size = 0;
  req.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > BODY_BYTES_MAX) chunks = [];
    else chunks.push(chunk);
  });
  req.on('end', () => {
    if (size > BODY_BYTES_MAX) resolve(undefined);
    else resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
  });
  req.on('error', reject);
  req.on('close', () => reject(new Error('the caller left')));
  return promise;
}

/** Stands between a connector and its system and keeps what they say to each other, without secrets and personal data. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';
import { fail } from '../../../canonical/index.ts';
import { Scrubber, type ScrubOptions } from './scrub.ts';

export interface Exchange {
  method: string;
  /** Path and query, in the order of the query's names. */
  address: string;
  body: string;
  answer: { status: number; headers: Record<string, string>; body: string };
}

/** What is written: `{{system}}` stands for the system's own address. */
export interface Recording {
  version: 1;
  exchanges: Exchange[];
}

export const SYSTEM = '{{system}}';

/** Only these are kept of an answer: everything else may say who we are. */
const HEADERS =
  /^(content-type|retry-after|etag|link|location|last-modified|x-total-count|x-page.*|x-rate-?limit-.*|ratelimit-.*|odata-version)$/;
/** Not passed on: they belong to one connection, or change what comes back (a compressed body can't be scrubbed). */
const HOP = new Set([
  'host',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'accept-encoding',
  'expect',
  'te',
]);
const BODY_BYTES_MAX = 32 << 20;

export interface RecorderOptions extends ScrubOptions {
  /** The system. */
  url: string;
  port?: number;
}

export interface Recorder {
  /** Given to the connector instead of the system's. */
  url: string;
  /** What was recorded so far, scrubbed. @throws when something is left in it that must not be */
  recording(): Recording;
  /** Ends, and writes the file only if nothing is left in it that must not be. */
  save(file: string): Promise<{ exchanges: number }>;
  close(): Promise<void>;
}

export async function startRecorder({ url, port = 0, ...scrub }: RecorderOptions): Promise<Recorder> {
  const target = new URL(url);
  const pool = new Pool(target.origin, { connections: 8, pipelining: 1 });
  const secrets = [...(scrub.secrets ?? [])];
  const exchanges: Exchange[] = [];
  const base = target.pathname.replace(/\/$/, '');

  const server = createServer((req, res) => {
    pass(req, res).catch(() => {
      // Neither recorded nor hidden: the connector sees a connection that broke, as it would without us.
      if (res.headersSent) res.destroy();
      else req.socket.destroy();
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const own = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function pass(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await bytesOf(req);
    // Whatever we say who we are with is a secret, also one that nobody named.
    for (const name of ['authorization', 'cookie', 'x-api-key', 'x-auth-token']) {
      const value = req.headers[name];
      if (typeof value === 'string') secrets.push(value, value.slice(value.indexOf(' ') + 1));
    }
    const headers = Object.fromEntries(
      Object.entries(req.headers).filter(
        (entry): entry is [string, string] => !HOP.has(entry[0]) && typeof entry[1] === 'string',
      ),
    );
    const answer = await pool.request({
      method: req.method as 'GET',
      path: base + (req.url ?? '/'),
      headers,
      body: body.length === 0 ? null : body,
    });
    const answered = await bytesOf(answer.body);
    const kept: Record<string, string> = {};
    const passed: Record<string, string | string[]> = {};
    for (const [name, value] of Object.entries(answer.headers)) {
      if (value === undefined || HOP.has(name)) continue;
      passed[name] = typeof value === 'string' ? value.replaceAll(target.origin, own) : value;
      if (HEADERS.test(name) && typeof value === 'string') kept[name] = value.replaceAll(target.origin, SYSTEM);
      if (name === 'set-cookie')
        for (const cookie of [value].flat()) secrets.push(cookie.split(';')[0]!.replace(/^[^=]*=/, ''));
    }
    const text = answered.toString('utf8');
    const isText = text.includes('\ufffd') === false;
    exchanges.push({
      method: req.method ?? 'GET',
      address: req.url ?? '/',
      body: body.toString('utf8'),
      answer: { status: answer.statusCode, headers: kept, body: isText ? text.replaceAll(target.origin, SYSTEM) : '' },
    });
    res.writeHead(answer.statusCode, passed).end(isText ? text.replaceAll(target.origin, own) : answered);
  }

  function recording(): Recording {
    const scrubber = new Scrubber({ ...scrub, secrets: secrets.filter((one) => one.length >= 4) });
    const pass = (one: Exchange): Exchange => scrubbed(one, scrubber);
    // Twice: a name that was met late is taken out of the texts before it, too.
    const clean: Recording = { version: 1, exchanges: exchanges.map(pass).map(pass) };
    const left = scrubber.found(JSON.stringify(clean));
    if (left.length > 0)
      fail(
        'XD_REFUSED',
        `${left.length} values (${[...new Set(left)].join(', ')}) would be left in the recording; nothing was written`,
      );
    return clean;
  }

  async function close(): Promise<void> {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
    await pool.close();
  }

  return {
    url: own,
    recording,
    async save(file) {
      await close();
      const clean = recording();
      await writeFile(file, `${JSON.stringify(clean, null, 2)}\n`);
      return { exchanges: clean.exchanges.length };
    },
    close,
  };
}

export function scrubbed({ method, address, body, answer }: Exchange, scrubber: Scrubber): Exchange {
  const typeOf = (text: string) =>
    /^[\w.%+-]+=/.test(text) && !text.includes('\n') ? 'application/x-www-form-urlencoded' : '';
  return {
    method,
    address: scrubber.address(address),
    body: scrubber.body(body, typeOf(body)),
    answer: {
      status: answer.status,
      headers: Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, scrubber.text(value)])),
      body: scrubber.body(answer.body, answer.headers['content-type'] ?? ''),
    },
  };
}

async function bytesOf(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > BODY_BYTES_MAX) fail('XD_CONNECTOR_MALFORMED', `more than ${BODY_BYTES_MAX} bytes in one body`);
  }
  return Buffer.concat(chunks, bytes);
}

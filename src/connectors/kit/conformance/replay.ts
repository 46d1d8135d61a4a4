/** Answers from a recording: the same question gets its answer in whatever order questions come; one that was not recorded fails loudly. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Recording, SYSTEM } from './record.ts';
import { Scrubber, type ScrubOptions } from './scrub.ts';

export interface ReplayOptions extends ScrubOptions {
  /** A question that comes more often than it was recorded gets its last answer again; default: it fails. */
  repeatLast?: boolean;
}

export interface ReplayedSystem {
  url: string;
  /** What was asked and not recorded. */
  readonly unknown: readonly string[];
  /** What was recorded and not asked. */
  readonly unused: readonly string[];
  /** Ends it. @throws where something was asked that is not recorded, however the connector took that */
  finish(): Promise<void>;
}

export async function replay(from: string | Recording, options: ReplayOptions = {}): Promise<ReplayedSystem> {
  const recording = typeof from === 'string' ? (JSON.parse(readFileSync(from, 'utf8')) as Recording) : from;
  if (recording.version !== 1 || !Array.isArray(recording.exchanges))
    throw new Error('this is no recording of version 1');
  const scrubber = new Scrubber(options);
  const answers = new Map<string, { answer: Recording['exchanges'][number]['answer']; name: string }[]>();
  const asked = new Map<string, number>();
  for (const { method, address, body, answer } of recording.exchanges) {
    const question = questionOf(method, address, body);
    const list = answers.get(question) ?? [];
    list.push({ answer, name: `${method} ${address}` });
    answers.set(question, list);
  }
  const unknown: string[] = [];

  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    const type = req.headers['content-type'] ?? '';
    const question = questionOf(req.method ?? '', scrubber.address(req.url ?? '/'), scrubber.body(body, type));
    const list = answers.get(question) ?? [];
    const times = asked.get(question) ?? 0;
    asked.set(question, times + 1);
    const found = list[times] ?? (options.repeatLast ? list.at(-1) : undefined);
    if (found === undefined) {
      const often = list.length > 0 ? `recorded ${list.length} times, asked ${times + 1} times` : 'not recorded';
      unknown.push(`${question} (${often})`);
      res
        .writeHead(501, { 'content-type': 'application/json' })
        .end(JSON.stringify({ error: `${often}: ${question}` }));
      return;
    }
    const { status, headers, body: answer } = found.answer;
    res.writeHead(status, withSystem(headers)).end(answer.replaceAll(SYSTEM, url));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const withSystem = (headers: Record<string, string>) =>
    Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replaceAll(SYSTEM, url)]));

  return {
    url,
    unknown,
    get unused() {
      return [...answers].flatMap(([question, list]) => list.slice(asked.get(question) ?? 0).map(({ name }) => name));
    },
    async finish() {
      if (server.listening) {
        const closed = once(server, 'close');
        server.close();
        server.closeAllConnections();
        await closed;
      }
      if (unknown.length > 0) throw new Error(`asked and not recorded:\n  ${unknown.join('\n  ')}`);
    },
  };
}

/** The order of an object's keys and of a query's names says nothing; that of a list does. */
function questionOf(method: string, address: string, body: string): string {
  const [path, query = ''] = address.split('?');
  const names = [...new URLSearchParams(query)].map(([name, value]) => `${name}=${value}`).sort();
  let content = body;
  try {
    content = JSON.stringify(sorted(JSON.parse(body)));
  } catch {
    // As it is.
  }
  return `${method} ${path}${names.length > 0 ? `?${names.join('&')}` : ''} ${content}`.trim();
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]));
}

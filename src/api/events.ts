/** Facts as they are recorded, as server-sent events; who was cut off goes on where he was (Last-Event-ID). */
import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { fail } from '../canonical/index.ts';
import { type Fact, type Place, readEnd, readFrom } from '../log/index.ts';
import { loadCodesOf, withCodes } from './fact-codes.ts';
import type { ApiHub } from './hub.ts';
import { closed } from './schemas.ts';

export const STREAMS_MAX = 50;
/** A stream ends after this and is opened again by its reader, so that a revoked key is noticed. */
export const STREAM_MS_MAX = 600_000;
const FACTS_PER_READ_MAX = 500;
const IDLE_MS_MIN = 50;
const IDLE_MS_MAX = 500;
const HEARTBEAT_MS = 15_000;

const ID = /^(0|[0-9]{1,9}-[0-9]{1,20}-[0-9]{1,15})$/;
const query = closed({
  after: Type.Optional(
    Type.String({ pattern: ID.source, description: 'an id of an event; 0: from the beginning; default: from now on' }),
  ),
  type: Type.Optional(
    Type.String({
      maxLength: 200,
      pattern: '^[a-z_.,]+$',
      description: 'types or beginnings of types, with commas: order.,stock.picked',
    }),
  ),
});

export function eventRoutes(app: FastifyInstance, hub: ApiHub): void {
  const closing = new AbortController();
  let streams = 0;
  app.addHook('preClose', async () => closing.abort());

  app.get<{ Querystring: Static<typeof query> }>(
    '/v1/events',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Facts as server-sent events (CloudEvents), from now on or from where a reader was',
        description: 'Position is not causality: within a subject, order by streamversion.',
        tags: ['events'],
        querystring: query,
        produces: ['text/event-stream'],
      },
    },
    async (request, reply) => {
      const header = request.headers['last-event-id'];
      const after = typeof header === 'string' && header !== '' ? header : request.query.after;
      if (after !== undefined && !ID.test(after))
        fail('XD_VALUE_INVALID', 'Last-Event-ID is not one of ours', { place: 'last-event-id' });
      if (streams >= STREAMS_MAX) fail('XD_BUSY', `${STREAMS_MAX} streams are open already`, { retryAfterSeconds: 5 });
      streams++;
      try {
        const place = placeOf(after, await readEnd(hub.db));
        const wanted = request.query.type?.split(',').filter((part) => part !== '') ?? [];
        reply.hijack();
        reply.raw.writeHead(200, {
          'content-type': 'text/event-stream; charset=utf-8',
          'cache-control': 'no-store',
          'x-accel-buffering': 'no',
          // Kept alive, the connection of a stream that ends during a close would hold it up until its reader lets go.
          connection: 'close',
        });
        reply.raw.write('retry: 1000\n\n');
        await stream(hub, reply.raw, place, wanted, closing.signal);
      } finally {
        streams--;
      }
    },
  );
}

/** A place in an older epoch is read on to that epoch's end, then the next; one that this log never had is the beginning. */
function placeOf(after: string | undefined, end: Place): Place {
  if (after === undefined) return end;
  const [epoch, transactionId, position] = after.split('-');
  if (transactionId === undefined || Number(epoch) < 1 || Number(epoch) > end.epoch)
    return { epoch: 1, transactionId: '0', position: 0 };
  return { epoch: Number(epoch), transactionId, position: Number(position) };
}

async function stream(
  hub: ApiHub,
  raw: ServerResponse,
  from: Place,
  wanted: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const endMs = performance.now() + STREAM_MS_MAX;
  let place = from;
  let idleMs = IDLE_MS_MIN;
  let saidMs = performance.now();
  const open = () => !signal.aborted && !raw.destroyed && performance.now() < endMs;
  try {
    while (open()) {
      const page = await readFrom(hub.db, place, FACTS_PER_READ_MAX);
      const { facts } = page;
      place = page.place;
      let text = '';
      const shown =
        wanted.length === 0 ? facts : facts.filter((fact) => wanted.some((part) => fact.type.startsWith(part)));
      await loadCodesOf(shown, hub.directory);
      for (const fact of shown) text += eventText(hub, fact, place.epoch);
      if (text === '' && performance.now() - saidMs > HEARTBEAT_MS) text = ': still here\n\n';
      if (text !== '') {
        saidMs = performance.now();
        // A reader that doesn't read holds its own stream up and nothing else.
        if (!raw.write(text)) await Promise.race([once(raw, 'drain'), once(raw, 'close'), ended(signal)]);
      }
      idleMs = facts.length > 0 ? IDLE_MS_MIN : Math.min(IDLE_MS_MAX, idleMs * 2);
      if (facts.length < FACTS_PER_READ_MAX) await Promise.race([pause(idleMs), once(raw, 'close'), ended(signal)]);
    }
  } catch (error) {
    // The head is written: all that is left is to end, and the reader comes again with the id it has.
    hub.log.warn({ reason: error instanceof Error ? error.message : String(error) }, 'event stream ended');
  }
  raw.end();
}

function eventText(hub: ApiHub, fact: Fact, epoch: number): string {
  const eventId = `${epoch}-${fact.transactionId}-${fact.position}`;
  const event = {
    specversion: '1.0',
    id: eventId,
    source: '/crossdock',
    type: `crossdock.${fact.type}.v1`,
    subject: fact.stream,
    time: fact.occurredAt,
    datacontenttype: 'application/json',
    recordedat: fact.recordedAt.toISOString(),
    streamversion: fact.version,
    correlationid: fact.correlationId ?? null,
    causationid: fact.causationId ?? null,
    company: hub.directory.companyById.get(fact.companyId)?.code ?? null,
    data: withCodes(fact.data, hub.directory),
  };
  return `id: ${eventId}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
function once(raw: ServerResponse, event: 'drain' | 'close'): Promise<void> {
  return raw.destroyed ? Promise.resolve() : new Promise((resolve) => raw.once(event, () => resolve()));
}
function ended(signal: AbortSignal): Promise<void> {
  return signal.aborted
    ? Promise.resolve()
    : new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

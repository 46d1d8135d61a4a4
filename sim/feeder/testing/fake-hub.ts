/**
 * The least that the feeder needs of a hub: takes everything, answers the same key with the same answer, reads the feeds
 * of the channels so that they go on selling, and remembers what came. It can be told to fail.
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeHub {
  url: string;
  /** Distinct contents by route, in order of arrival. */
  taken: Map<string, unknown[]>;
  /** Requests that brought a known key again. */
  repeats: number;
  /** How many requests have arrived. */
  requests: number;
  inFlightMax: number;
  /** Before it is decided, a request may be answered otherwise. */
  fail: (request: number) => { status: number; retryAfter?: string } | 'cut' | undefined;
  close: () => Promise<void>;
}

export async function startFakeHub(
  feeds: readonly { url: string; path: string; token: string }[] = [],
): Promise<FakeHub> {
  const answers = new Map<string, { status: number; body: unknown }>();
  let inFlight = 0;
  let stopped = false;

  const decide = (route: string, body: Record<string, unknown>): { status: number; body: unknown } => {
    const list = hub.taken.get(route) ?? [];
    list.push(body);
    hub.taken.set(route, list);
    if (route !== 'reservations') return { status: 201, body: {} };
    // Every third write-off finds nothing free, every other third half of it.
    const asked = body.quantity as number;
    const granted = list.length % 3 === 0 ? 0 : list.length % 3 === 1 ? asked : Math.floor(asked / 2);
    if (granted === 0) return { status: 409, body: { refused: 'atp_short' } };
    const lines = [{ location: body.location, quantity: granted }];
    return { status: 201, body: { reservationId: `r${list.length}`, lines } };
  };

  const server = http.createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      inFlight += 1;
      hub.requests += 1;
      hub.inFlightMax = Math.max(hub.inFlightMax, inFlight);
      const failure = hub.fail(hub.requests);
      const key = String(request.headers['idempotency-key']);
      const route = (request.url ?? '').replace('/v1/', '');
      const send = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
        inFlight -= 1;
        response.writeHead(status, { 'content-type': 'application/json', ...headers });
        response.end(JSON.stringify(body));
      };
      if (request.headers.authorization !== 'Bearer key') return send(401, { code: 'wrong key' });
      if (failure !== undefined && failure !== 'cut') {
        return send(failure.status, {}, failure.retryAfter === undefined ? {} : { 'retry-after': failure.retryAfter });
      }
      let answer = answers.get(key);
      if (answer === undefined) {
        answer = decide(route, JSON.parse(Buffer.concat(pieces).toString('utf8')) as Record<string, unknown>);
        answers.set(key, answer);
      } else {
        hub.repeats += 1;
      }
      if (failure === 'cut') {
        inFlight -= 1;
        request.socket.destroy();
        return undefined;
      }
      const { status, body } = answer;
      return void setTimeout(() => send(status, body), 1);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const read = async (feed: { url: string; path: string; token: string }): Promise<void> => {
    for (let after = 0; !stopped; ) {
      const response = await fetch(`${feed.url}${feed.path}?after=${after}&limit=500`, {
        headers: { authorization: `Bearer ${feed.token}` },
      }).catch(() => undefined);
      if (response?.ok) after = ((await response.json()) as { next: number }).next;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const readers = feeds.map(read);
  const hub: FakeHub = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken: new Map(),
    repeats: 0,
    requests: 0,
    inFlightMax: 0,
    fail: () => undefined,
    close: async () => {
      stopped = true;
      await Promise.all(readers);
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return hub;
}

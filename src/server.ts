/** The HTTP side of a hub: builds the API over it and listens. Bound to this machine unless told otherwise. */
import type { AddressInfo, Socket } from 'node:net';
import { type ApiHub, type ApiLog, buildApi } from './api/index.ts';
import type { Hub } from './app.ts';
import { CrossdockError, fail } from './canonical/index.ts';

export interface ListenOptions {
  host?: string;
  /** 0 takes any free one. */
  port: number;
  /** Failed requests as lines on stderr unless given. */
  log?: ApiLog;
}

export interface Server {
  url: string;
  /** Takes no more, answers what is under way, and lets nobody hold it up. */
  close(): Promise<void>;
}

/** What a client may still take to send its request or to read its answer. */
const CLOSE_MS_MAX = 8_000;

/** Without a log of one's own a request that failed must not be lost: one line on stderr, with what the caller was told. */
const faultsOnly: ApiLog = {
  info() {},
  warn() {},
  error(fields) {
    const { code, requestId, method, route, reason } = fields as Record<string, unknown>;
    const line = [new Date().toISOString(), code, requestId, method, route].filter((part) => part !== undefined);
    process.stderr.write(`${line.join(' ')}: ${String(reason).replaceAll(/\s+/g, ' ')}\n`);
  },
};

/** What the API sees of a hub. */
function apiHubOf(hub: Hub, log: ApiLog): ApiHub {
  const { db, directory, ids, receiver, freshness } = hub;
  return {
    db,
    directory,
    ids,
    receiver,
    freshness,
    freshnessTargetsMs: Object.fromEntries(
      Object.entries(hub.estate.freshness ?? {}).map(([flow, { targetMs }]) => [flow, targetMs]),
    ),
    mustWait: () => hub.mustWait(),
    ready: () => hub.ready(),
    webhook: (system, headers, body) => hub.webhook(system, headers, body),
    hint: (system, headers, body) => hub.hint(system, headers, body),
    reread: (system, body) => hub.reread(system, body),
    rereads: (system) => hub.rereads(system),
    onCommit: hub.onCommit,
    log,
  };
}

/** @throws XD_SETUP_FAILED naming the port when it is taken */
export async function listen(hub: Hub, options: ListenOptions): Promise<Server> {
  const host = options.host ?? '127.0.0.1';
  const app = buildApi(apiHubOf(hub, options.log ?? faultsOnly));
  const sockets = new Set<Socket>();
  app.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  let closing = false;
  // Kept alive, the connection of an answer that is given during a close would hold it up until the client lets go.
  app.addHook('onSend', async (_, reply) => {
    if (closing) reply.header('connection', 'close');
  });
  try {
    await app.listen({ host, port: options.port });
  } catch (error) {
    if ((error as { code?: string }).code === 'EADDRINUSE')
      fail(
        'XD_SETUP_FAILED',
        `port ${options.port} on ${host} is taken by another program; stop it, or choose another port with PORT=…`,
        {
          reason: 'port_taken',
          port: options.port,
        },
      );
    if ((error as { code?: string }).code === 'EACCES' || (error as { code?: string }).code === 'EADDRNOTAVAIL')
      throw new CrossdockError(
        'XD_SETUP_FAILED',
        `can't listen on ${host}:${options.port}`,
        { reason: 'listen' },
        { cause: error },
      );
    throw error;
  }
  const { port } = app.server.address() as AddressInfo;
  const close = async () => {
    // Node looks no more for clients that are late once it closes: one with half a request would hold it up for ever.
    const late = setTimeout(() => app.server.closeAllConnections(), CLOSE_MS_MAX);
    closing = true;
    // One that never asked anything counts as busy to Node; browsers and pools open such ahead.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
    await app.close();
    clearTimeout(late);
  };
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`, close };
}

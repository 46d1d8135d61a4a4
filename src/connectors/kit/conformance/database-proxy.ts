/**
 * Stands between a connector and PostgreSQL and fails as it is told, statement by statement. A cut is what a crash of the hub, of the
 * server and of the network between them look like: whatever was not committed is rolled back, and of a commit whose answer is lost nobody
 * knows.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** cut_before: the server never gets it · cut_after: it has done it, and nobody hears of it · silence: nothing comes any more */
export type StatementFate = 'pass' | 'cut_before' | 'cut_after' | 'silence';

export interface DatabaseProxy {
  /** The database, through the proxy. */
  url: string;
  /** Every statement that came, whatever became of it. */
  statements: string[];
  /** What becomes of the statement, the n-th (from 0) since this was set. Default: all pass. */
  fate: ((text: string, n: number) => StatementFate) | undefined;
  /** The most connections that were open at one moment. */
  connectionsMax: number;
  readonly connections: number;
  /** What `fate` counts from. */
  restart(): void;
  close(): Promise<void>;
}

const PARSE = 0x50;
const QUERY = 0x51;
const READY = 0x5a;
const HEAD_BYTES = 5;

export async function databaseProxy(databaseUrl: string): Promise<DatabaseProxy> {
  const target = new URL(databaseUrl);
  const host = target.searchParams.get('host') ?? target.hostname;
  const port = Number(target.port || 5432);
  const clients = new Set<Socket>();
  let seen = 0;
  const server = createServer((client) =>
    join(client, host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host)),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const own = new URL(databaseUrl);
  own.searchParams.delete('host');
  own.hostname = '127.0.0.1';
  own.port = String((server.address() as { port: number }).port);

  const proxy: DatabaseProxy = {
    url: own.href,
    statements: [],
    fate: undefined,
    connectionsMax: 0,
    get connections() {
      return clients.size;
    },
    restart() {
      seen = 0;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const client of clients) client.destroy();
      await closed;
    },
  };

  function join(client: Socket, upstream: Socket): void {
    clients.add(client);
    proxy.connectionsMax = Math.max(proxy.connectionsMax, clients.size);
    let isSilent = false;
    /** Once the server has done what it was sent. */
    let cutsAtReady = false;
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        clients.delete(client);
        (socket === client ? upstream : client).destroy();
      });
    }
    const answers = messages(false, (message) => {
      if (cutsAtReady) {
        if (message[0] === READY) client.destroy();
      } else if (!isSilent) client.write(message);
    });
    upstream.on('data', answers);
    const asks = messages(true, (message) => {
      const text = statementIn(message);
      if (text !== undefined && !isSilent) {
        proxy.statements.push(text);
        const fate = proxy.fate?.(text, seen++) ?? 'pass';
        if (fate === 'cut_before') {
          client.destroy();
          upstream.destroy();
        }
        isSilent = fate === 'silence';
        cutsAtReady = fate === 'cut_after';
      }
      if (!isSilent && !upstream.destroyed) upstream.write(message);
    });
    client.on('data', asks);
  }
  return proxy;
}

function statementIn(message: Buffer): string | undefined {
  if (message[0] === QUERY) return message.toString('utf8', HEAD_BYTES, message.length - 1);
  if (message[0] !== PARSE || message.length < HEAD_BYTES + 2) return undefined;
  const text = message.indexOf(0, HEAD_BYTES) + 1;
  return message.toString('utf8', text, message.indexOf(0, text));
}

/** Whole messages of a stream: a kind and a length, but for a client's first, which has no kind. */
function messages(isClient: boolean, take: (message: Buffer) => void): (data: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let isFirst = isClient;
  return (data) => {
    rest = Buffer.concat([rest, data]);
    for (;;) {
      const head = isFirst ? 0 : 1;
      if (rest.length < head + 4) return;
      const bytes = head + rest.readInt32BE(head);
      if (rest.length < bytes) return;
      isFirst = false;
      take(rest.subarray(0, bytes));
      rest = rest.subarray(bytes);
    }
  };
}

/**
 * A proxy before PostgreSQL that cuts a connection around its COMMIT: after the server got it, or before. Or it falls silent: connections
 * stay, new ones are taken, and nothing is ever answered.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A simple query: 'Q', length, text, 0. */
const COMMIT = Buffer.from('Qxxxxcommit\0');
COMMIT.writeInt32BE(11, 1);

export class CutProxy {
  readonly url: string;
  /** How the next COMMITs are treated; `pass` when there are no more. */
  readonly fates: ('pass' | 'cut after' | 'cut before')[] = [];
  cuts = 0;
  #isSilent = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(url: string, server: Server) {
    this.url = url;
    this.#server = server;
  }

  static async open(databaseUrl: string): Promise<CutProxy> {
    const target = new URL(databaseUrl);
    const host = target.searchParams.get('host') ?? target.hostname;
    const port = Number(target.port || 5432);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const own = new URL(databaseUrl);
    own.searchParams.delete('host');
    own.hostname = '127.0.0.1';
    own.port = String((server.address() as { port: number }).port);
    const proxy = new CutProxy(own.href, server);
    server.on('connection', (client) => {
      if (proxy.#isSilent) {
        proxy.#sockets.add(client);
        client.on('error', () => {}).on('close', () => proxy.#sockets.delete(client));
        client.resume();
        return;
      }
      const upstream = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
      proxy.#join(client, upstream);
    });
    return proxy;
  }

  #join(client: Socket, upstream: Socket): void {
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        (socket === client ? upstream : client).destroy();
      });
    }
    upstream.on('data', (data) => {
      if (!this.#isSilent) client.write(data);
    });
    client.on('data', (data) => {
      if (this.#isSilent) return;
      const fate = data.includes(COMMIT) ? (this.fates.shift() ?? 'pass') : 'pass';
      if (fate === 'pass') {
        upstream.write(data);
        return;
      }
      this.cuts++;
      if (fate === 'cut before') {
        client.destroy();
        return;
      }
      // The answer never reaches the client; the server has all of the request before it sees the end.
      upstream.removeAllListeners('data');
      upstream.resume();
      upstream.end(data);
      client.removeAllListeners('close');
      client.destroy();
    });
  }

  /** As a host that is gone without a word. */
  silence(): void {
    this.#isSilent = true;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Stands before a system and changes what it says of itself, so that a test can show the observer any lie. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';

// biome-ignore lint/suspicious/noExplicitAny: a lie may be told about anything
export type Told = Record<string, any>;
export type Edit = (records: Told[]) => void;

export interface Tamper {
  url: string;
  /** What is asked for (`orders`, `stock`, `events`, `stats`) → what to do with it. Statistics are one record. */
  edits: Map<string, Edit>;
  close: () => void;
}

export async function startTamper(target: string): Promise<Tamper> {
  const edits = new Map<string, Edit>();
  const server = http.createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', target);
    const kind = url.searchParams.get('kind') ?? url.pathname.split('/').at(-1)!;
    // An edit sees everything at once; what isn't edited goes by pages as it is asked for.
    if (edits.has(kind) && url.searchParams.has('kind')) url.searchParams.set('limit', '2000');
    const body = (await (await fetch(url)).json()) as Told;
    edits.get(kind)?.(Array.isArray(body.records) ? body.records : [body]);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    edits,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

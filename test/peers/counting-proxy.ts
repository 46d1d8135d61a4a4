/** Stands between a connector and a real system: counts calls, and can make an answer lie as the system itself does under load. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export async function countingProxy(target: string) {
  let writes = 0;
  let reads = 0;
  let hidden: { item: string; location: string; units: number } | undefined;

  /** A level that says less is reserved than there is. */
  const lie = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(lie);
    if (typeof value !== 'object' || value === null) return value;
    const entry = value as Record<string, unknown>;
    if (hidden !== undefined && entry.id === hidden.item && Array.isArray(entry.location_levels))
      return {
        ...entry,
        location_levels: (entry.location_levels as Record<string, unknown>[]).map((level) =>
          level.location_id === hidden!.location
            ? { ...level, reserved_quantity: Number(level.reserved_quantity) - hidden!.units }
            : level,
        ),
      };
    return Object.fromEntries(Object.entries(entry).map(([key, inner]) => [key, lie(inner)]));
  };

  const server = createServer(async (req, res) => {
    if (req.method === 'GET') reads += 1;
    else writes += 1;
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const headers: Record<string, string> = {};
    for (const name of ['authorization', 'content-type', 'accept'])
      if (typeof req.headers[name] === 'string') headers[name] = req.headers[name];
    try {
      const answer = await fetch(target + req.url, {
        method: req.method ?? 'GET',
        headers,
        ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
      });
      let text = await answer.text();
      if (hidden !== undefined && req.method === 'GET') text = JSON.stringify(lie(JSON.parse(text)));
      res.writeHead(answer.status, { 'content-type': 'application/json' }).end(text);
    } catch {
      req.socket.destroy();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    writes: () => writes,
    reads: () => reads,
    hide(item: string, location: string, units: number) {
      hidden = { item, location, units };
    },
    show() {
      hidden = undefined;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

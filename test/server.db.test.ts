import { expect, test, vi } from 'vitest';
import { createApiKey } from '../src/api/index.ts';
import { createHub } from '../src/app.ts';
import type { Connector } from '../src/connectors/kit/index.ts';
import { listen } from '../src/server.ts';
import { useDatabase } from './helpers/database.ts';

const database = useDatabase();

test('a request that fails is one line on stderr, with the code and the id that the caller was given', async () => {
  const hub = await createHub({
    databaseUrl: database.url,
    connectors: new Map(),
    estate: {
      name: 'test',
      companies: { UK: { currency: 'GBP', timeZone: 'Europe/London' } },
      locations: { LON: { company: 'UK', region: 'south' } },
      systems: {},
      channels: { api: { company: 'UK', sells: 'asks', locations: ['LON'] } },
      routing: {},
    },
  });
  const server = await listen(hub, { port: 0 });
  const written: string[] = [];
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  try {
    const { key } = await createApiKey(hub.db, { name: 'test', scopes: ['read'] });
    const ask = async (path: string) => {
      const answer = await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${key}` } });
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    };
    expect((await ask('/v1/orders/1')).status).toBe(404);
    expect(written).toEqual([]);
    await database.pool.query('alter table parked_record rename to elsewhere');
    const { status, body } = await ask('/v1/parked');
    expect([status, body.code, body.retry]).toEqual([500, 'XD_INTERNAL', 'operator']);
    expect(written).toEqual([
      expect.stringMatching(
        new RegExp(
          `^\\d{4}-\\S+Z XD_INTERNAL ${String(body.requestId)} GET /v1/parked: relation "parked_record" .+\\n$`,
        ),
      ),
    ]);
  } finally {
    stderr.mockRestore();
    await server.close();
    await hub.stop();
  }
});

test('a webhook that only hints reaches the system that it is of', async () => {
  const bodies: string[] = [];
  const shop: Connector = {
    ...{ name: 'shop', confirmedBy: 'answer', sources: [], deliveries: {} },
    hint: (_headers, body) => {
      bodies.push(body.toString('utf8'));
      return ['orders'];
    },
    probe: async () => ({ ok: true, detail: '' }),
    close: async () => {},
  };
  const hub = await createHub({
    databaseUrl: database.url,
    connectors: new Map([['shop', () => shop]]),
    estate: {
      name: 'test',
      companies: { UK: { currency: 'GBP', timeZone: 'Europe/London' } },
      locations: { LON: { company: 'UK', region: 'south' } },
      systems: { shop: { connector: 'shop' } },
      channels: { api: { company: 'UK', sells: 'asks', locations: ['LON'] } },
      routing: {},
    },
  });
  const server = await listen(hub, { port: 0, log: { info() {}, warn() {}, error() {} } });
  try {
    const answer = await fetch(`${server.url}/ingest/shop`, { method: 'POST', body: '{"order":7}' });
    expect([answer.status, await answer.json(), bodies]).toEqual([202, { items: 0 }, ['{"order":7}']]);
  } finally {
    await server.close();
    await hub.stop();
  }
});

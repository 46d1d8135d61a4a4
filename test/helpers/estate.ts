/** The whole estate inside the test's own process: five simulated systems and a hub over them, on the test's database. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SIM_KINDS, type Sim, type SimKind, startSim } from '../../sim/index.ts';
import { createHub, type Hub } from '../../src/app.ts';
import { waitUntilDrained } from '../../src/cli/demo/drain.ts';
import { connectors } from '../../src/connectors/index.ts';
import { changeItem } from '../../src/connectors/kit/index.ts';
import { loadEstate } from '../../src/estate/index.ts';
import { putAccounts, putProducts } from '../../src/master/index.ts';

export interface TestEstate {
  hub: Hub;
  sims: Record<SimKind, Sim>;
  urls: Record<SimKind, string>;
  /** POSTs to a system's `/_drive/…`; @throws when it is refused */
  drive(kind: SimKind, path: string, body: unknown): Promise<unknown>;
  /** Waits until neither the hub nor a system has anything left to do. */
  drained(): Promise<void>;
  /** The hub only: the systems can still be asked. */
  stopHub(): Promise<void>;
  stop(): Promise<void>;
}

/** Systems run fifty times as fast as the demo's. */
export async function startEstate(databaseUrl: string): Promise<TestEstate> {
  const data = mkdtempSync(join(tmpdir(), 'crossdock-estate-'));
  const sims = {} as Record<SimKind, Sim>;
  const env: Record<string, string> = { SIM_TOKEN: 'sim-token', SHOP_WEBHOOK_SECRET: 'a-secret-of-the-tests' };
  for (const kind of SIM_KINDS) {
    sims[kind] = await startSim(kind, { data: join(data, kind), speed: 50 });
    env[`${kind.toUpperCase()}_URL`] = sims[kind].url;
  }
  const estate = await loadEstate(join(import.meta.dirname, '../../examples/wholesaler/crossdock.config.ts'));
  const faults: string[] = [];
  const hub = await createHub({
    estate,
    databaseUrl,
    connectors,
    secrets: { env, readFile: () => '' },
    onError: (where, error) => faults.push(`${where}: ${String(error)}`),
  });
  await hub.start();
  const urls = Object.fromEntries(SIM_KINDS.map((kind) => [kind, sims[kind].url])) as Record<SimKind, string>;
  let stopping: Promise<void> | undefined;
  const stopHub = () => {
    stopping ??= hub.stop();
    return stopping;
  };
  return {
    hub,
    sims,
    urls,
    drive: async (kind, path, body) => {
      const answer = await fetch(`${urls[kind]}/_drive/${path}`, { method: 'POST', body: JSON.stringify(body) });
      const text = await answer.text();
      if (answer.status !== 200) throw new Error(`${kind} ${path}: ${answer.status} ${text}`);
      return JSON.parse(text);
    },
    drained: () =>
      waitUntilDrained(hub.db, urls, { lookMs: 100, stillMsMax: 45_000, signal: new AbortController().signal }).catch(
        (error) => {
          throw new Error(`${String(error)}; faults: ${faults.slice(0, 5).join(' | ')}`);
        },
      ),
    stopHub,
    stop: async () => {
      await stopHub();
      for (const kind of SIM_KINDS) await sims[kind].close();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

const at = '2026-03-02T09:00:00.000Z';

/** Products A1 to A4 and accounts K1 to K4, and 100 of each product at each location, received through the WMS. */
export async function stockEstate({ hub, drive, drained }: TestEstate): Promise<void> {
  await putProducts(
    hub.db,
    ['A1', 'A2', 'A3', 'A4'].map((sku) => ({ sku })),
  );
  await putAccounts(
    hub.db,
    hub.directory,
    ['K1', 'K2', 'K3', 'K4'].map((account) => ({ account, company: 'UK' })),
  );
  const lines = ['A1', 'A2', 'A3', 'A4'].map((sku) => ({ sku, quantity: 100 }));
  await drive('wms', 'receipts', {
    receipts: ['LON', 'MAN', 'GLA'].map((location) => ({ reference: `in-${location}`, location, at, lines })),
  });
  await drained();
}

/**
 * A small honest day: orders through four channels, more than there is of A4, cancels before and after the pick, a charge, a
 * write-off. Ends with nothing pending.
 */
export async function tradeADay(estate: TestEstate): Promise<void> {
  const { hub, drive, drained } = estate;
  await stockEstate(estate);
  const order = (number: string, account: string, lines: [sku: string, quantity: number, unitPrice: string][]) => ({
    number,
    account,
    company: 'UK',
    currency: 'GBP',
    orderedAt: at,
    lines: lines.map(([sku, quantity, unitPrice], i) => ({ lineNo: i + 1, sku, quantity, unitPrice })),
  });
  await drive('shop', 'orders', {
    orders: [
      order('S1', 'K1', [
        ['A1', 5, '2.55'],
        ['A2', 3, '0.125'],
      ]),
      order('S2', 'K1', [['A4', 40, '1.005']]),
    ],
  });
  await drive('marketplace', 'orders', {
    orders: [
      order('M1', 'K2', [
        ['A1', 7, '3.39'],
        ['A3', 12, '0.85'],
      ]),
    ],
  });
  await drive('crm', 'orders', {
    orders: [order('C1', 'K3', [['A4', 400, '1.25']]), order('C2', 'K3', [['A2', 10, '0.335']])],
  });
  await hub.receiver.receive({
    system: 'api',
    source: 'api',
    contentType: 'application/json',
    body: Buffer.from('{}'),
    onFault: 'refuse',
    items: [
      {
        scope: 'order/api',
        key: 'P1',
        fingerprint: 'f',
        itemNo: 0,
        command: {
          kind: 'order.submitted',
          channel: 'api',
          externalNo: 'P1',
          ...order('P1', 'K4', [['A3', 4, '0.85']]),
        },
      },
      {
        scope: 'charge/api',
        key: 'X1',
        fingerprint: 'f',
        itemNo: 1,
        command: {
          kind: 'charge.recorded',
          reference: 'X1',
          charge: 'postage',
          account: 'K4',
          code: 'POST',
          quantity: 1,
          amountMinor: 1800,
          currency: 'GBP',
          occurredAt: at,
        },
      },
    ],
  });
  await drained();
  const cancel = (
    reference: string,
    account: string,
    number: string,
    lineNo: number,
    sku: string,
    quantity: number,
  ) => ({
    reference,
    account,
    at,
    lines: [{ order: number, lineNo, sku, quantity, unitPrice: '1' }],
  });
  await drive('shop', 'cancels', {
    cancels: [
      cancel('SC1', 'K1', 'S1', 1, 'A1', 2),
      {
        ...cancel('SC2', 'K1', 'S9', 1, 'A1', 1),
        lines: [{ order: null, lineNo: null, sku: 'A1', quantity: 1, unitPrice: '1' }],
      },
    ],
  });
  await drive('crm', 'cancels', { cancels: [cancel('CC1', 'K3', 'C1', 1, 'A4', 150)] });
  // More of a line that waits, and another line: the ERP is told of both, the WMS asked for what is there.
  const [changed] = await hub.receiver.receive({
    system: 'api',
    source: 'api',
    contentType: 'application/json',
    body: Buffer.from('{}'),
    onFault: 'refuse',
    items: [
      {
        ...changeItem({
          ...{ kind: 'order.change_requested', channel: 'crm', order: 'C1', reference: 'CH1', occurredAt: at },
          lines: [
            { lineNo: 1, quantity: 405 },
            { lineNo: 2, sku: 'A1', quantity: 2, unitPrice: '1.005' },
          ],
        }),
        itemNo: 0,
      },
    ],
  });
  if (changed?.status !== 'applied') throw new Error(`the change was ${JSON.stringify(changed)}`);
  await drained();
  await drive('wms', 'adjustments', {
    adjustments: [{ reference: 'adj-1', location: 'MAN', at, lines: [{ sku: 'A3', quantity: -6 }] }],
  });
  await drained();
}

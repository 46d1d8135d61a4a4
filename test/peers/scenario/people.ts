/** People at Tryton: the warehouse picks, ships and takes goods back, accounting posts, sales wins opportunities. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '../medusa-shop.ts';
import type { TrytonSession } from '../tryton/client.ts';
import type { Wish } from './chance.ts';
import { whileAway } from './while-away.ts';
import { today } from './world.ts';

const IDLE_MS = 2_000;
const AT_ONCE = 20;
const FROM_STATE: Record<string, string[]> = {
  assigned: ['pick', 'pack', 'done'],
  picked: ['pack', 'done'],
  packed: ['done'],
};

/** What a carrier would call a shipment of Tryton's. */
export const trackingOf = (id: number) => `1Z${String(id).padStart(8, '0')}`;

export interface People {
  stop(): Promise<void>;
}

/** Whatever is there to do is done, one thing after the other; an ERP that is away is waited for. */
export function atWork(erp: TrytonSession, say: (line: string) => void): People {
  let isOn = true;
  const worked = (async () => {
    while (isOn) {
      let did = 0;
      for (const job of [ship, takeBack, post])
        did += await job(erp).catch((error) => {
          say(`people: ${(error as Error).message.slice(0, 160)}`);
          return 0;
        });
      if (did === 0) await sleep(IDLE_MS);
    }
  })();
  return {
    async stop() {
      isOn = false;
      await worked;
    },
  };
}

/** Of an order from two warehouses one shipment leaves before the other: a partial one. */
async function ship(erp: TrytonSession): Promise<number> {
  const due = (await erp.searchRead(
    'stock.shipment.out',
    [
      ['state', 'in', ['waiting', ...Object.keys(FROM_STATE)]],
      ['reference', 'like', 'F%'],
    ],
    ['state'],
    AT_ONCE,
  )) as Json[];
  let did = 0;
  for (const { id, state } of due) {
    if (state === 'waiting' && !(await erp.model('stock.shipment.out', 'assign_try', [id]))) continue;
    // The carrier's label, before the goods leave.
    const note = { resource: `stock.shipment.out,${id}`, message: `Tracking: ${trackingOf(id)}` };
    if (state !== 'packed') await erp.model('ir.note', 'create', [note]);
    for (const step of FROM_STATE[state === 'waiting' ? 'assigned' : state]!)
      await erp.model('stock.shipment.out', step, [id]);
    did++;
  }
  return did;
}

async function takeBack(erp: TrytonSession): Promise<number> {
  const domain = [['state', 'in', ['draft', 'received']]];
  const due = (await erp.searchRead('stock.shipment.out.return', domain, ['state'], AT_ONCE)) as Json[];
  for (const { id, state } of due)
    for (const step of state === 'draft' ? ['receive', 'done'] : ['done'])
      await erp.model('stock.shipment.out.return', step, [id]);
  return due.length;
}

async function post(erp: TrytonSession): Promise<number> {
  const domain = [
    ['type', '=', 'out'],
    ['state', 'in', ['draft', 'validated']],
  ];
  const due = (await erp.searchRead('account.invoice', domain, ['state'], AT_ONCE)) as Json[];
  for (const { id } of due) {
    await erp.model('account.invoice', 'write', [id], { invoice_date: today() });
    await erp.model('account.invoice', 'post', [id]);
  }
  return due.length;
}

/** What is left for people to do, whoever does it. */
export async function workLeft(erp: TrytonSession): Promise<number> {
  const counts = await Promise.all([
    erp.model('stock.shipment.out', 'search_count', [
      ['state', 'in', Object.keys(FROM_STATE)],
      ['reference', 'like', 'F%'],
    ]),
    erp.model('stock.shipment.out.return', 'search_count', [['state', 'in', ['draft', 'received']]]),
    erp.model('account.invoice', 'search_count', [
      ['type', '=', 'out'],
      ['state', 'in', ['draft', 'validated']],
    ]),
  ]);
  return (counts as number[]).reduce((a, b) => a + b, 0);
}

/** Opportunities of the CRM, won one after the other: Tryton makes a draft sale of each, and the hub an order that asks. */
export async function winOpportunities(erp: TrytonSession, list: readonly Wish[]): Promise<number> {
  const [party] = (await erp.searchRead(
    'party.party',
    [['code', '=', 'CUST-0001']],
    ['addresses', 'customer_payment_term'],
  )) as Json[];
  const [employee] = (await erp.searchRead('company.employee', [], ['id'], 1)) as Json[];
  const codes = [...new Set(list.flat().map(({ sku }) => sku))];
  const products = (await erp.searchRead(
    'product.product',
    [['code', 'in', codes]],
    ['code', 'default_uom'],
  )) as Json[];
  const of = new Map(products.map((product) => [product.code as string, product]));
  for (const [n, lines] of list.entries()) {
    const values = {
      description: `scenario ${n}`,
      party: party!.id,
      address: party!.addresses[0],
      payment_term: party!.customer_payment_term,
      employee: employee!.id,
      lines: [
        [
          'create',
          lines.map(({ sku, quantity }) => ({ product: of.get(sku)!.id, unit: of.get(sku)!.default_uom, quantity })),
        ],
      ],
    };
    await whileAway(async () => {
      // An answer may be lost: what is there is gone on with.
      const domain = [['description', '=', values.description]];
      const [there] = (await erp.searchRead('sale.opportunity', domain, ['state'], 1)) as Json[];
      const ids = there === undefined ? await erp.model('sale.opportunity', 'create', [values]) : [there.id];
      const steps =
        { lead: ['opportunity', 'convert'], opportunity: ['convert'] }[String(there?.state ?? 'lead')] ?? [];
      for (const step of steps) await erp.model('sale.opportunity', step, ids);
    });
  }
  return list.length;
}

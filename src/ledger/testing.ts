/** Steps on one balance, written as a table: the act, then what must be there after it. Tests only. */
import type pg from 'pg';
import { expect } from 'vitest';
import { type Database, Ids } from '../store/index.ts';
import { StockSession } from './session.ts';
import type { MovementKind } from './stock.ts';

const DAY = Date.parse('2026-03-02T00:00:00Z');
let sourceIds = 0;

/** `hh:mm` on the one day all tests use. */
export function at(time: string): string {
  const [hours, minutes] = time.split(':').map(Number);
  return new Date(DAY + (hours! * 60 + minutes!) * 60_000).toISOString();
}

/**
 * Runs a table against real balances of one SKU at one location, each row in a transaction of its own.
 * Acts: `received 5 @10:00 wms#3` (source and sequence may be left out), `picked`, `adjusted`, `counted`, `returned`,
 * `allocate 3`, `release 3`, `reserve 3`, `unreserve 3`, `expose 3` (to that many), `safety 3`.
 * Columns: on hand | reserved | allocated | exposed | effect or free.
 */
export async function runTable(db: Database, pool: pg.Pool, skuId: number, table: string): Promise<void> {
  const ids = new Ids();
  const rows = table
    .trim()
    .split('\n')
    .map((row) => row.split('|').map((cell) => cell.trim()));
  for (const [act, ...expected] of rows) {
    const answer = await step(db, pool, ids, skuId, act!);
    const { rows: found } = await pool.query(
      'select on_hand, reserved, allocated, exposed from stock_balance where sku_id = $1 and location_id = 1',
      [skuId],
    );
    const b = found[0] ?? { on_hand: 0, reserved: 0, allocated: 0, exposed: 0 };
    const shown = [b.on_hand, b.reserved, b.allocated, b.exposed].map(String);
    expect([act, ...shown, answer].join(' | ')).toBe([act, ...expected].join(' | '));
  }
}

async function step(db: Database, pool: pg.Pool, ids: Ids, skuId: number, act: string): Promise<string> {
  const [verb, amount, ...rest] = act.split(' ');
  const quantity = Number(amount);
  if (verb === 'safety') {
    await pool.query('update stock_balance set safety_stock = $2 where sku_id = $1', [skuId, quantity]);
    return '';
  }
  const when = rest.find((part) => part.startsWith('@'))?.slice(1) ?? '12:00';
  const [source, sequence] = (rest.find((part) => !part.startsWith('@')) ?? 'wms').split('#');
  const movement = {
    skuId,
    locationId: 1,
    kind: verb as MovementKind,
    quantity,
    source: source!,
    sourceId: `m${++sourceIds}`,
    sourceSequence: sequence === undefined ? null : Number(sequence),
    occurredAt: at(when),
  };
  try {
    return await db.transaction(async (tx) => {
      const stock = await StockSession.open(tx, ids, [[skuId, 1]], [1]);
      let answer = '';
      if (verb === 'counted') {
        const [counted] = await stock.count([movement]);
        answer = counted!.applied ? String(counted!.effect) : 'superseded';
      } else if (verb === 'allocate') stock.allocate(skuId, 1, quantity);
      else if (verb === 'release') stock.release(skuId, 1, quantity);
      else if (verb === 'reserve') stock.reserve(skuId, 1, quantity);
      else if (verb === 'unreserve') stock.reserve(skuId, 1, -quantity);
      else if (verb === 'expose') stock.setExposure(1, skuId, 1, quantity);
      else answer = String(stock.move(movement).effect);
      if (answer === '') answer = `free ${stock.free(skuId, 1)}`;
      await stock.flush();
      return answer;
    });
  } catch (error) {
    if (/more than there is/.test(String(error))) return 'refused';
    throw error;
  }
}

/** The only look inside: what the hub believes is on its shelves, against what the WMS says. Plain SQL on the hub's tables. */
import pg from 'pg';
import type { Findings } from './findings.ts';

const STOCK = `
select location.code || '/' || sku.code as key, balance.on_hand::float8 as on_hand,
       (balance.reserved + balance.allocated + balance.exposed + balance.outside_deducted)::float8 as promised,
       balance.safety_stock::float8 as safety_stock
  from stock_balance balance
  join sku on sku.sku_id = balance.sku_id
  join location on location.location_id = balance.location_id`;

/** @param onHand the WMS's truth by location/SKU */
export async function compareHub(
  findings: Findings,
  databaseUrl: string,
  onHand: ReadonlyMap<string, number>,
): Promise<{ onHand: number; promised: number }> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const sums = { onHand: 0, promised: 0 };
    const left = new Map(onHand);
    const { rows } = await client.query<{ key: string; on_hand: number; promised: number; safety_stock: number }>(
      STOCK,
    );
    for (const row of rows) {
      findings.same('on_hand', 'hub', row.key, onHand.get(row.key) ?? 0, row.on_hand);
      left.delete(row.key);
      const most = Math.max(0, row.on_hand - row.safety_stock);
      if (row.promised > most) findings.add('promised_beyond', 'hub', row.key, most, row.promised);
      sums.onHand += row.on_hand;
      sums.promised += row.promised;
    }
    for (const [key, units] of left) if (units !== 0) findings.add('on_hand', 'hub', key, units, null);
    return sums;
  } finally {
    await client.end();
  }
}

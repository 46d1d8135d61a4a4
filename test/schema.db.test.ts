import { describe, expect, it } from 'vitest';
import { useDatabase } from './helpers/database.ts';
import { dumpSchema } from './helpers/schema.ts';

const database = useDatabase();

it('the migrations come to the schema that is written down', async () => {
  await expect(await dumpSchema(database.pool)).toMatchFileSnapshot('./schema.sql');
});

describe('the schema', () => {
  it('has no foreign key on a table that many write at once: each would lock a row that others want', async () => {
    const hot = ['inbound', 'raw_record', 'fact', 'stock_balance', 'stock_movement', 'sales_order', 'order_line'];
    const hotToo = ['allocation', 'reservation', 'exposure', 'channel_number', 'publication', 'delivery', 'fulfilment'];
    const { rows } = await database.pool.query(
      `select c.relname as name, count(k.oid)::int as keys
         from pg_class c left join pg_constraint k on k.contype = 'f' and c.oid in (k.conrelid, k.confrelid)
        where c.relname = any($1) and c.relkind in ('r', 'p') group by 1 order by 1`,
      [[...hot, ...hotToo]],
    );
    expect(rows).toEqual([...hot, ...hotToo].sort().map((name) => ({ name, keys: 0 })));
  });

  it('orders every text that is part of a key by its bytes, whatever the collation of the database', async () => {
    const { rows } = await database.pool.query(
      `select distinct c.relname || '.' || a.attname as name
         from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
         join pg_attribute a on a.attrelid = c.oid and a.attnum = any(i.indkey) join pg_collation l on l.oid = a.attcollation
        where n.nspname = 'public' and l.collname <> 'C' order by 1`,
    );
    expect(rows).toEqual([]);
  });
});

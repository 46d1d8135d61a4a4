/** The schema as the catalogue tells it, in an order that doesn't change. There is no pg_dump in the embedded server. */
import type pg from 'pg';

const TABLES = `
  select c.relname as name,
         string_agg(format('  %s %s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
                           case when a.attidentity <> '' then ' identity' when a.attgenerated <> '' then ' generated always as (' || pg_get_expr(d.adbin, d.adrelid) || ')' when d.adbin is not null then ' default ' || pg_get_expr(d.adbin, d.adrelid) else '' end,
                           case when a.attnotnull then ' not null' else '' end), E',\\n' order by a.attnum) as columns,
         pg_get_partkeydef(c.oid) as partition_key, array_to_string(c.reloptions, ', ') as options
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
   where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
   group by c.oid, c.relname, c.reloptions order by c.relname`;
const CONSTRAINTS = `
  select c.relname as name, pg_get_constraintdef(k.oid) as text
    from pg_constraint k join pg_class c on c.oid = k.conrelid
   where c.relnamespace = 'public'::regnamespace and not c.relispartition and k.contype in ('p', 'u', 'c', 'f')
   order by 1, k.contype desc, 2`;
const INDEXES = `
  select c.relname as name, pg_get_indexdef(i.indexrelid) as text
    from pg_index i join pg_class c on c.oid = i.indrelid
   where c.relnamespace = 'public'::regnamespace and not c.relispartition
     and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u'))
   order by 1, 2`;
const SEQUENCES = `
  select sequencename as name, increment_by from pg_sequences s
   where schemaname = 'public'
     and not exists (select from pg_depend d where d.objid = format('%I', s.sequencename)::regclass and d.deptype = 'i') order by 1`;
const FUNCTIONS = `
  select pg_get_functiondef(p.oid) as text from pg_proc p where p.pronamespace = 'public'::regnamespace order by p.proname`;

export async function dumpSchema(pool: pg.Pool): Promise<string> {
  const rows = async <T>(text: string) => (await pool.query(text)).rows as T[];
  type Named = { name: string; text: string };
  const tables = await rows<{ name: string; columns: string; partition_key: string | null; options: string | null }>(
    TABLES,
  );
  const constraints = await rows<Named>(CONSTRAINTS);
  const indexes = await rows<Named>(INDEXES);
  const parts: string[] = [
    '-- What sql/ comes to. Written by test/schema.db.test.ts (npm test -- test/schema -u); never run.',
  ];
  for (const { name, columns, partition_key: key, options } of tables) {
    const of = (list: Named[]) => list.filter((one) => one.name === name).map((one) => one.text);
    const lines = [columns, ...of(constraints).map((text) => `  ${text}`)].join(',\n');
    const tail = `${key === null ? '' : ` partition by ${key}`}${options ? ` with (${options})` : ''}`;
    parts.push([`table ${name} (\n${lines}\n)${tail};`, ...of(indexes).map((text) => `${text};`)].join('\n'));
  }
  for (const { name, increment_by: by } of await rows<{ name: string; increment_by: string }>(SEQUENCES))
    parts.push(`sequence ${name} increment by ${by};`);
  for (const { text } of await rows<{ text: string }>(FUNCTIONS)) parts.push(text.trimEnd());
  return `${parts.join('\n\n')}\n`;
}

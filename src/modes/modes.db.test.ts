import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { Database } from '../store/index.ts';
import { beginDrill, Contacts, endDrill, listModes, lookAtModes, readOpenModes } from './index.ts';

const database = useDatabase();
let db: Database;
/** The same database, some time later. */
const opened: Database[] = [];
beforeAll(() => {
  db = new Database({ url: database.url, poolMax: 4 });
});
afterAll(async () => {
  for (const one of [db, ...opened]) await one.end();
});
beforeEach(() => database.pool.query(`delete from degraded_mode; delete from system_contact; delete from fact`));

async function later(shift: string): Promise<Database> {
  const one = new Database({ url: database.url, poolMax: 1 });
  opened.push(one);
  await one.execute(`set crossdock.clock_shift = '${shift}'`);
  return one;
}
const declared = { erp: { afterSeconds: 60 }, crm: {} };
const systems = { erp: 'erp', wms: 'wms', crm: 'crm' };
const look = (at = db) => lookAtModes(at, declared, systems);
const facts = async () =>
  (await database.pool.query(`select type, stream_version::int as version, data from fact order by position`)).rows.map(
    (row) => `${row.type} ${row.version} ${row.data.domain} ${row.data.cause}`,
  );
async function hear(kind: 'failed' | 'answered', at = db): Promise<void> {
  const contacts = new Contacts();
  if (kind === 'failed') contacts.failed('erp', new Error('connect ECONNREFUSED'));
  else contacts.answered('erp');
  await contacts.flush(at);
}

describe('a system that is away', () => {
  it('enters its mode after its time, by the database’s clock, once for all processes, and leaves with the first answer', async () => {
    await hear('failed');
    expect(await look()).toEqual({ entered: [], left: [] });
    const after = await later('59 seconds');
    await hear('failed', after);
    expect(await look(after)).toEqual({ entered: [], left: [] });
    const [one, other] = [await later('61 seconds'), await later('61 seconds')];
    const both = await Promise.all([look(one), look(other)]);
    expect(both.flatMap(({ entered }) => entered)).toEqual(['erp']);
    expect(await readOpenModes(db)).toMatchObject([{ domain: 'erp', system: 'erp', cause: 'away' }]);
    const [mode] = await listModes(db, { all: false, limit: 10 });
    expect(mode!.detail).toMatch(/^no answer for 6\d s: connect ECONNREFUSED$/);
    await hear('answered', one);
    const left = await Promise.all([look(one), look(other)]);
    expect(left.flatMap(({ left: domains }) => domains)).toEqual(['erp']);
    expect(await readOpenModes(db)).toEqual([]);
    expect(await facts()).toEqual(['mode.entered 1 erp away', 'mode.left 2 erp away']);
  });

  it('is told of again while it lasts, every ten minutes', async () => {
    await hear('failed');
    await look(await later('2 minutes'));
    await look(await later('11 minutes'));
    await look(await later('13 minutes'));
    await look(await later('14 minutes'));
    expect(await facts()).toEqual(['mode.entered 1 erp away', 'mode.stayed 2 erp away']);
  });

  it('for which nothing is declared enters nothing', async () => {
    await hear('failed');
    const after = await later('1 day');
    expect(await lookAtModes(after, { crm: {} }, systems)).toEqual({ entered: [], left: [] });
    expect(await lookAtModes(after, undefined, systems)).toEqual({ entered: [], left: [] });
  });

  it('that answers between two failures was never away for long', async () => {
    await hear('failed');
    const after = await later('50 seconds');
    await hear('answered', after);
    await hear('failed', after);
    expect(await look(await later('70 seconds'))).toEqual({ entered: [], left: [] });
  });

  it('an answer and a failure of one moment are an answer', async () => {
    const contacts = new Contacts();
    contacts.failed('erp', 'timeout');
    contacts.answered('erp');
    await contacts.flush(db);
    expect((await database.pool.query('select 1 from system_contact where failing_since is not null')).rows).toEqual(
      [],
    );
  });
});

describe('a drill', () => {
  const drill = (at = db) => beginDrill(at, { domain: 'erp', system: 'erp', minutes: 10, by: 'eve' });

  it('holds for its time and no longer, though nobody ends it', async () => {
    const { endsAt } = await drill();
    expect(Date.parse(endsAt) - Date.now()).toBeGreaterThan(590_000);
    expect(await readOpenModes(await later('9 minutes'))).toMatchObject([{ domain: 'erp', cause: 'drill' }]);
    // Nobody looks: whoever asks is told all the same.
    expect(await readOpenModes(await later('11 minutes'))).toEqual([]);
    expect(await look(await later('9 minutes'))).toEqual({ entered: [], left: [] });
    expect(await look(await later('20 minutes'))).toEqual({ entered: [], left: ['erp'] });
    const [mode] = await listModes(db, { all: true, limit: 1 });
    expect(mode).toMatchObject({ state: 'left', by: 'eve', leftAt: endsAt });
    expect(await facts()).toEqual(['mode.entered 1 erp drill', 'mode.left 2 erp drill']);
  });

  it('is not ended by an answer of the system, which is not away', async () => {
    await drill();
    await hear('answered');
    expect(await look()).toEqual({ entered: [], left: [] });
  });

  it('is one at a time; a second one may begin once the first has run out, ended or not', async () => {
    await drill();
    await expect(drill()).rejects.toThrow(/holds already/);
    await drill(await later('11 minutes'));
    expect(await facts()).toEqual(['mode.entered 1 erp drill', 'mode.left 2 erp drill', 'mode.entered 1 erp drill']);
  });

  it('may be ended before; ending none says so', async () => {
    await drill();
    await endDrill(db, 'erp');
    expect(await readOpenModes(db)).toEqual([]);
    await expect(endDrill(db, 'erp')).rejects.toThrow(/no drill/);
  });
});

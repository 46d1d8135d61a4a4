/**
 * The observer judges I1 to I11 over a hub that has done its work, with the systems as processes of their own; then one lie at a
 * time is told, by the hub's tables, by a system, by what a system kept, or to a caller, and must be named.
 */
import { appendFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeSample } from '../../sim/feeder/sample.ts';
import { ChaosDatabase, ChaosEstate } from '../chaos/estate.ts';
import { type ObserveOptions, observe } from './observe.ts';
import { connectHub, type HubEvidence, PROMISES } from './promises/index.ts';
import type { Lie } from './testing/lie.ts';
import { liesHeld } from './testing/lies-held.ts';
import { liesTold } from './testing/lies-told.ts';
import { startTamper, type Tamper } from './testing/tamper.ts';

const SYSTEMS = ['erp', 'crm', 'wms', 'shop', 'marketplace'] as const;
type System = (typeof SYSTEMS)[number];

const dir = mkdtempSync(join(tmpdir(), 'xd-promises-'));
const database = new ChaosDatabase();
const tampers = {} as Record<System, Tamper>;
let estate: ChaosEstate;
let client: pg.Client;
let options: ObserveOptions & { hub: HubEvidence };

beforeAll(async () => {
  const file = join(dir, 'orders.csv.gz');
  writeSample(file, 21, 30);
  await database.start();
  const databaseUrl = await database.create();
  estate = new ChaosEstate({ orders: 30, hubs: 1, faults: 'none', seed: 7, databaseUrl, file, say: () => {} });
  await estate.start();
  await estate.drained();
  await Promise.all(estate.hubs.map((hub) => hub.stop()));
  client = await connectHub(databaseUrl);
  const { hub, ...observed } = estate.observed;
  options = { ...observed, hub: { ...hub, database: client } };
  for (const system of SYSTEMS) tampers[system] = await startTamper(observed[system]);
}, 120_000);
afterAll(async () => {
  for (const tamper of Object.values(tampers)) tamper.close();
  await client?.end();
  await estate?.stop();
  await database.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Looks at the lie inside a transaction that never was. */
async function look(lie: Lie = {}): Promise<Awaited<ReturnType<typeof observe>>> {
  let { journals, answered } = options.hub;
  if (lie.kept !== undefined || lie.answered !== undefined) {
    const copy = mkdtempSync(join(dir, 'kept-'));
    for (const system of SYSTEMS) cpSync(join(journals, system, `${system}.ndjson`), join(copy, `${system}.ndjson`));
    cpSync(answered, join(copy, 'answered.ndjson'));
    [journals, answered] = [copy, join(copy, 'answered.ndjson')];
    if (lie.kept !== undefined) appendFileSync(join(copy, `${lie.kept[0]}.ndjson`), `${JSON.stringify(lie.kept[1])}\n`);
    if (lie.answered !== undefined) appendFileSync(answered, `${JSON.stringify(lie.answered)}\n`);
  }
  await client.query('begin isolation level repeatable read');
  try {
    for (const text of lie.sql ?? []) expect((await client.query(text)).rowCount, text).toBeGreaterThan(0);
    const told: Partial<Record<System, string>> = {};
    if (lie.says !== undefined) {
      const [system, kind, edit] = lie.says;
      tampers[system].edits.set(kind, edit);
      told[system] = tampers[system].url;
    }
    return await observe({ ...options, ...told, hub: { database: client, journals, answered } });
  } finally {
    await client.query('rollback');
    for (const tamper of Object.values(tampers)) tamper.edits.clear();
  }
}

test('every promise holds over a hub at rest, and there was something of everything to look at', async () => {
  const { holds, findings, promises, counts } = await look();
  expect(findings).toEqual([]);
  expect(Object.keys(promises!)).toEqual([...PROMISES]);
  for (const [name, verdict] of Object.entries(promises!))
    expect({ name, ...verdict }).toMatchObject({ name, holds: true, violations: 0, named: [], unseen: [] });
  expect(holds).toBe(true);
  const { I5, I7, I8, I10 } = promises!;
  expect([I7.looked['orders in the CRM'], I10.looked.orders]).toEqual([30, 30]);
  expect(I10.looked.lines).toBe(counts.source.lines);
  expect(I8.looked['order lines']).toBe(counts.source.lines);
  expect(I5.looked.keys).toBe(I5.looked['records of systems']! + I5.looked['answers to callers']!);
});

test('of nothing no promise holds', async () => {
  const empty = await database.create();
  const { promises, holds } = await observe({
    ...options,
    hub: { database: empty, journals: dir, answered: join(dir, 'none') },
  });
  expect(holds).toBe(false);
  expect(Object.entries(promises!).filter(([, verdict]) => verdict.holds)).toEqual([]);
  expect(promises!.I2).toMatchObject({
    violations: 0,
    unseen: ['balances', 'allocations', 'exposures', 'order lines'],
  });
});

describe('a lie is found, and named', () => {
  const lies = [...liesHeld, ...liesTold];
  test.each(lies)('%s: %s', async (promise, _, lie, name) => {
    const { holds, promises } = await look(lie);
    expect(holds).toBe(false);
    expect(promises![promise].holds).toBe(false);
    expect(promises![promise].violations).toBeGreaterThan(0);
    expect(promises![promise].named).toEqual(expect.arrayContaining([expect.stringMatching(name)]));
  });

  test('each promise has at least one', () => {
    expect(new Set(lies.map(([promise]) => promise))).toEqual(new Set(PROMISES));
  });
});

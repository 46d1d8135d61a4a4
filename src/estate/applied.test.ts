import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { applications, type Estate, estateKeys, listUnapplied, validateEstate } from './index.ts';

const root = join(import.meta.dirname, '../..');
/** What a key is called where it is applied, when that is another name. */
const called: Readonly<Record<string, RegExp>> = {
  'channels.<code>.sells@src/master/channel-entry.ts': /declared\.sells === 'by_itself'/,
  // Tables are named in `partitioned_table` and `expiring_table`; there every key is one.
  'retention@src/app.ts': /estate\.retention/,
  'retention@src/ops/retention.ts': /retentionDays/,
  'channels.<code>.credit@src/orders/credit-gate.ts': /checksCredit/,
  'channels.<code>.share@src/ledger/availability.ts': /channel\.share\) \*/,
};

describe('every key of the estate file', () => {
  const leaves = estateKeys().filter((key) => key.isLeaf);
  const isNotApplied = (path: string) => {
    const application = applications[path];
    return application !== undefined && 'notApplied' in application;
  };

  it('is applied somewhere, or said not to be', () => {
    const covered = (path: string): boolean =>
      path in applications || Object.keys(applications).some((one) => isNotApplied(one) && path.startsWith(`${one}.`));
    expect(leaves.length).toBeGreaterThan(40);
    expect(leaves.map((key) => key.path).filter((path) => !covered(path))).toEqual([]);
    const known = new Set(estateKeys().map((key) => key.path));
    expect(Object.keys(applications).filter((path) => !known.has(path))).toEqual([]);
  });

  it('is named in the code that is said to apply it', () => {
    const missing: string[] = [];
    for (const [path, application] of Object.entries(applications)) {
      if ('notApplied' in application) continue;
      expect(application.length, path).toBeGreaterThan(0);
      for (const file of application) {
        const pattern =
          called[`${path}@${file}`] ??
          called[`${path.split('.')[0]}@${file}`] ??
          new RegExp(`\\b${path.split('.').at(-1)}\\b`);
        if (!pattern.test(readFileSync(join(root, file), 'utf8'))) missing.push(`${path}: ${file}`);
      }
    }
    expect(missing).toEqual([]);
  });

  it('says what it does, and so where it does nothing yet', () => {
    const silent = leaves.filter((key) => (key.schema.description ?? '') === '' && !/^partners\./.test(key.path));
    expect(silent.map((key) => key.path)).toEqual([]);
    const said = estateKeys().filter((key) => key.schema.description?.includes('not applied by this version'));
    expect(said.map((key) => key.path)).toEqual(Object.keys(applications).filter(isNotApplied));
  });
});

describe('what is declared and not applied', () => {
  const estate: Estate = {
    name: 'test',
    companies: { UK: { currency: 'GBP', timeZone: 'Europe/London' } },
    locations: { LON: { company: 'UK', region: 'south', safetyStock: 3 } },
    systems: { erp: { connector: 'sim-erp' }, shop: { connector: 'sim-shop' } },
    channels: {
      api: { company: 'UK', sells: 'asks', locations: ['LON'], horizonDays: 7, risk: 'none' },
      shop: { company: 'UK', system: 'shop', sells: 'by_itself', numberMeans: 'on_hand', locations: ['LON'] },
    },
    routing: { orders: 'erp' },
    retention: { fact: 30 },
  };

  it('is nothing in an estate that asks for none of it', () => {
    expect(listUnapplied(validateEstate(estate))).toEqual([]);
    expect(listUnapplied({ ...estate, owners: { price: 'erp' }, partners: {} })).toEqual([]);
  });

  it('is named by its path, each key on its own', () => {
    const found = listUnapplied(
      validateEstate({
        ...estate,
        channels: { ...estate.channels, shop: { ...estate.channels.shop, risk: 'shared' } },
        partners: { acme: { name: 'Acme' }, 'acme.uk': { name: 'Acme UK' } },
      }),
    );
    expect(found.map(({ path }) => path)).toEqual(['channels.shop.risk', 'partners.acme', 'partners["acme.uk"]']);
    expect(found.every(({ meaning }) => meaning.length > 20)).toBe(true);
  });
});

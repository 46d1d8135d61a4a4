import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { CrossdockError } from '../canonical/index.ts';
import { pathText } from './faults.ts';
import {
  type Estate,
  type EstateFault,
  env,
  estateKeys,
  loadEstate,
  type ValidateOptions,
  validateEstate,
} from './index.ts';

type Loose = Record<string, unknown> & Record<string, Record<string, Record<string, unknown>>>;

/** An estate without a fault, changed. */
function changed(change: (estate: Loose) => void): unknown {
  const by = (system: string) => ({ company: 'UK', system, sells: 'by_itself', numberMeans: 'on_hand' });
  const estate = {
    name: 'test',
    companies: { UK: { currency: 'GBP', timeZone: 'Europe/London' }, DE: { currency: 'EUR', timeZone: 'UTC' } },
    locations: {
      LON: { company: 'UK', region: 'south' },
      MAN: { company: 'UK', region: 'north' },
      BER: { company: 'DE', region: 'east' },
    },
    systems: {
      erp: { connector: 'sim-erp', url: env('ERP_URL') },
      shop: { connector: 'sim-shop' },
      market: { connector: 'sim-market' },
    },
    channels: {
      shop: { ...by('shop'), locations: ['LON', 'MAN'], share: 0.7 },
      market: { ...by('market'), locations: ['LON'], share: 0.3 },
      api: { company: 'UK', sells: 'asks', locations: ['LON'] },
    },
    routing: { orders: 'erp' },
    owners: { 'account.paymentTerms': 'erp' },
    ownership: { account: 'steward' },
    freshness: { 'availability:shop': { targetMs: 2_000 } },
  };
  change(estate as unknown as Loose);
  return estate;
}

/** The objects at a path, of which `<code>` is each code there is. */
function placesOf(value: unknown, path: readonly string[]): { holder: Loose; path: string[] }[] {
  let places = [{ holder: value as Loose, path: [] as string[] }];
  for (const part of path)
    places = places.flatMap((at) =>
      (part === '<code>' ? Object.keys(at.holder) : [part])
        .filter((name) => name in at.holder)
        .map((name) => ({ holder: at.holder[name] as Loose, path: [...at.path, name] })),
    );
  return places;
}

function faultsOf(value: unknown, options?: ValidateOptions): EstateFault[] {
  try {
    validateEstate(value, options);
  } catch (error) {
    expect(error).toMatchObject({ code: 'XD_ESTATE_INVALID' });
    return (error as CrossdockError).details.faults as EstateFault[];
  }
  return [];
}

describe('an estate without a fault', () => {
  it('is given back as it is', () => {
    const estate = changed(() => {});
    expect(validateEstate(estate)).toBe(estate);
  });
});

describe('one fault is named at its path with the nearest right word', () => {
  const cases: [path: string, nearest: string | undefined, change: (estate: Loose) => void][] = [
    [
      'chanels',
      'channels',
      (e) => {
        e.chanels = e.channels!;
      },
    ],
    [
      'systems.erp.limits.timeoutMS',
      'timeoutMs',
      (e) => {
        e.systems!.erp!.limits = { timeoutMS: 5 };
      },
    ],
    [
      'channels.shop.numberMeans',
      'net_available',
      (e) => {
        e.channels!.shop!.numberMeans = 'net_availble';
      },
    ],
    [
      'channels.shop.sells',
      'by_itself',
      (e) => {
        e.channels!.shop!.sells = 'byitself';
      },
    ],
    [
      'channels.shop.locations[1]',
      'MAN',
      (e) => {
        e.channels!.shop!.locations = ['LON', 'MNA'];
      },
    ],
    [
      'channels.shop.system',
      'shop',
      (e) => {
        e.channels!.shop!.system = 'shopp';
      },
    ],
    [
      'channels.api.company',
      'UK',
      (e) => {
        e.channels!.api!.company = 'UKK';
      },
    ],
    [
      'locations.LON.company',
      'UK',
      (e) => {
        e.locations!.LON!.company = 'GUK';
      },
    ],
    [
      'routing.order',
      'orders',
      (e) => {
        e.routing = { order: 'erp' } as never;
      },
    ],
    [
      'routing.orders',
      'erp',
      (e) => {
        e.routing = { orders: 'epr' } as never;
      },
    ],
    [
      'owners["account.paymentTerms"]',
      'erp',
      (e) => {
        e.owners = { 'account.paymentTerms': 'er' } as never;
      },
    ],
    [
      'owners["account.paymentTerm"]',
      'account.paymentTerms',
      (e) => {
        e.owners = { 'account.paymentTerm': 'erp' } as never;
      },
    ],
    [
      'owners.prices',
      'price',
      (e) => {
        e.owners = { prices: 'erp' } as never;
      },
    ],
    [
      'ownership.acount',
      'account',
      (e) => {
        e.ownership = { acount: 'steward' } as never;
      },
    ],
    [
      'ownership.account',
      'refuse',
      (e) => {
        e.ownership = { account: 'refused' } as never;
      },
    ],
    [
      'freshness["availability:shp"]',
      'shop',
      (e) => {
        e.freshness = { 'availability:shp': { targetMs: 1 } } as never;
      },
    ],
    [
      'freshness["availabilty:shop"]',
      'availability',
      (e) => {
        e.freshness = { 'availabilty:shop': { targetMs: 1 } } as never;
      },
    ],
    [
      'freshness["sales_orders:erp"]',
      'sales_order',
      (e) => {
        e.freshness = { 'sales_orders:erp': { targetMs: 1 } } as never;
      },
    ],
    [
      'retention.facts',
      'fact',
      (e) => {
        e.retention = { facts: 30 } as never;
      },
    ],
    [
      'companies.UK.timeZone',
      'Europe/London',
      (e) => {
        e.companies!.UK!.timeZone = 'Europe/Londn';
      },
    ],
    [
      'companies.UK.currency',
      'GBP',
      (e) => {
        e.companies!.UK!.currency = 'GPB';
      },
    ],
    [
      'companies.UK.timeZone',
      undefined,
      (e) => {
        e.companies!.UK!.timeZone = '+01:00';
      },
    ],
    [
      'companies["U K"]',
      undefined,
      (e) => {
        e.companies!['U K'] = e.companies!.UK!;
      },
    ],
    [
      'companies.UK.currency',
      undefined,
      (e) => {
        delete e.companies!.UK!.currency;
      },
    ],
    [
      'owners["orders.total"]',
      undefined,
      (e) => {
        e.owners = { 'orders.total': 'erp' } as never;
      },
    ],
    [
      'systems.person',
      undefined,
      (e) => {
        e.systems = { ...e.systems, person: { connector: 'sim-erp' } } as never;
      },
    ],
    [
      'freshness.availability',
      undefined,
      (e) => {
        e.freshness = { availability: { targetMs: 1 } } as never;
      },
    ],
    [
      'channels.shop.locations',
      undefined,
      (e) => {
        e.channels!.shop!.locations = [];
      },
    ],
    [
      'channels.shop.locations[1]',
      undefined,
      (e) => {
        e.channels!.shop!.locations = ['LON', 'LON'];
      },
    ],
    [
      'channels.shop.locations[1]',
      undefined,
      (e) => {
        e.channels!.shop!.locations = ['LON', 'BER'];
      },
    ],
    [
      'channels.shop.share',
      undefined,
      (e) => {
        e.channels!.shop!.share = '0.7';
      },
    ],
    [
      'channels.shop.system',
      undefined,
      (e) => {
        delete e.channels!.shop!.system;
      },
    ],
    [
      'channels.shop.numberMeans',
      undefined,
      (e) => {
        delete e.channels!.shop!.numberMeans;
      },
    ],
    [
      'channels.api.system',
      undefined,
      (e) => {
        e.channels!.api!.system = 'shop';
      },
    ],
    [
      'systems.erp.url',
      undefined,
      (e) => {
        e.systems!.erp!.url = 7;
      },
    ],
    [
      'systems.erp.token',
      undefined,
      (e) => {
        e.systems!.erp!.token = { secret: 'env' };
      },
    ],
    [
      'channels.shop.prices.check',
      undefined,
      (e) => {
        e.channels!.shop!.prices = { check: 'reprice' };
      },
    ],
    [
      'channels.api.prices.tolerancePercent',
      undefined,
      (e) => {
        e.channels!.api!.prices = { check: 'hold', tolerancePercent: '2,5' };
      },
    ],
    [
      'systems.erp.pollMs',
      undefined,
      (e) => {
        e.systems!.erp!.pollMs = 1;
      },
    ],
    [
      'stages.acepted',
      'accepted',
      (e) => {
        e.repromise = { auto: true } as never;
        e.stages = { acepted: { targetMinutes: 1 } };
      },
    ],
    [
      'matching.account.systems[0]',
      'erp',
      (e) => {
        e.matching = { account: { systems: ['erpp'], rules: [{ by: 'exact', field: 'taxId' }] } };
      },
    ],
    [
      'matching.product.systems[0]',
      'erp',
      (e) => {
        e.matching = { product: { systems: ['erpp'], rules: [{ by: 'exact', field: 'gtin' }] } };
      },
    ],
    [
      'holds.credit.onLift',
      undefined,
      (e) => {
        e.holds = { credit: { onLift: 'keep' } };
      },
    ],
    [
      'holds.credits',
      'credit',
      (e) => {
        e.holds = { credits: {} } as never;
      },
    ],
  ];
  it.each(cases)('%s, %s', (path, nearest, change) => {
    const faults = faultsOf(changed(change));
    expect(faults.map((fault) => fault.path)).toEqual([path]);
    expect(faults[0]!.nearest).toBe(nearest);
    if (nearest !== undefined) expect(faults[0]!.message).toContain(`did you mean ${nearest}?`);
  });

  it('any key with a letter too many, wherever it stands', () => {
    const full = changed((e) => {
      e.connectors = { own: () => {} } as never;
      e.locations!.LON = { company: 'UK', region: 'south', priority: 1, safetyStock: 2 };
      e.locations!.LON!.returns = { inspect: true, credit: 'receipt' };
      e.channels!.shop!.tax = { rounding: 'line', toleranceMinor: 2 };
      e.channels!.shop!.returns = { inspect: true, credit: 'inspection' };
      e.channels!.shop!.charges = {
        freight: { onCancel: 'share', onReturn: 'share' },
        other: { onCancel: 'keep', onReturn: 'keep' },
        restockingFee: { percent: '15', code: 'RESTOCK', exceptReasons: ['damaged'] },
      };
      e.systems!.erp = {
        ...{ connector: 'sim-erp', url: 'http://erp', token: env('T'), webhookSecret: env('W'), settings: {} },
        limits: { callsPerSecond: 1, concurrency: 1, timeoutMs: 100, batchMax: 1 },
        ...{ effectHorizonMs: 1, quantities: 'net', pollMs: 100, pollMsMax: 200, attemptsMax: 1 },
      };
      const asks = { cap: 1, buffer: 1, horizonDays: 1, tolerance: 0.1, onShort: 'refuse', risk: 'none' };
      Object.assign(e.channels!.api!, { system: 'erp', share: 1, reservationMaxSeconds: 1, ...asks });
      Object.assign(e.channels!.api!, { credit: 'check' });
      e.channels!.shop!.onOversold = { policy: 'substitute', otherwise: 'hold' };
      e.channels!.shop!.onShortPick = { policy: 'substitute', otherwise: 'hold' };
      e.channels!.shop!.prices = { check: 'hold', tolerancePercent: '0.5', toleranceMinor: 1, list: 'web' };
      e.channels!.shop!.onOrderRule = 'hold';
      e.channels!.shop!.soldIn = { NAIL: 'BX' };
      e.routing = { orders: 'erp', fulfilment: 'erp', accounts: 'erp' } as never;
      e.partners = { acme: { name: 'Acme', account: '1' } };
      e.matching = {
        account: { systems: ['erp'], rules: [{ by: 'exact', field: 'taxId' }] },
        product: { systems: ['erp'], rules: [{ by: 'exact', field: 'gtin' }] },
      };
      e.holds = { account: { owner: 'sales', dueMinutes: 60, onDue: 'alert', onLift: 'keep' } } as never;
      e.repromise = { auto: true } as never;
      e.stages = { accepted: { targetMinutes: 15, owner: 'order desk' } } as never;
      const erp = { afterSeconds: 1, acceptOrderMinorMax: 0, byClass: { win: 1 } };
      const wms = { afterSeconds: 1, marginUnits: 0, marginPercent: 1 };
      e.degradedModes = { erp, wms, crm: { afterSeconds: 1 } } as never;
      const byMonth = { raw_record: 1, fact: 1, stock_movement: 1, freshness: 1 };
      const byRow = {
        delivery: 1,
        publication: 1,
        reservation: 1,
        parked_record: 1,
        promise: 1,
        shortage: 1,
        credit_claim: 1,
        load_plan: 1,
        stage_alert: 1,
      };
      const cached = { orderMinorMax: 0, totalMinorMax: 0, ageMinutesMax: 0 };
      e.credit = {
        onOver: 'hold',
        freshMs: 100,
        liveTimeoutMs: 10,
        releaseWhenFree: true,
        groupReports: 'own',
        cached,
      } as never;
      e.retention = { ...byMonth, ...byRow } as never;
      e.intake = { inFlightMax: 1, ageMaxMs: 1 } as never;
      const position = { latitude: 1, longitude: 1 };
      e.calendars = {
        day: { timeZone: 'UTC', workingDays: ['mon'], closed: ['2026-01-01'], cutOff: '12:00' },
      } as never;
      e.postalAreas = { GB: { N1: position } } as never;
      Object.assign(e.locations!.LON!, { calendar: 'day', position, costMinor: 1, receivingDays: 1 });
      const sourcing = { rank: ['cost'], splitMax: 1, lineSplitMax: 1, shipComplete: true, version: '1' };
      Object.assign(e.channels!.api!, { sourcing, substitutes: 'offer' });
    });
    expect(faultsOf(full)).toEqual([]);
    // The connectors' names are the estate's own; a function can't be copied.
    const keys = estateKeys().map(({ path }) => path.split('.'));
    const untried = keys.filter((parts) => {
      const key = parts.at(-1)!;
      const places = placesOf(full, parts.slice(0, -1)).filter(({ holder }) => key in holder);
      for (const { path } of places) {
        const wrong: Loose = structuredClone({ ...(full as Loose), connectors: {} });
        const { holder } = placesOf(wrong, path)[0]!;
        holder[`${key}s`] = holder[key]!;
        delete holder[key];
        expect(faultsOf(wrong), parts.join('.')).toContainEqual({
          path: pathText([...path, `${key}s`]),
          message: `unknown key ${key}s; did you mean ${key}?`,
          nearest: key,
        });
      }
      return places.length === 0;
    });
    expect(untried).toEqual([]);
  });

  it('a code of the wrong form, whatever the key means', () => {
    const faults = faultsOf(
      changed((e) => {
        e.locations!.LON!.region = 'the south';
      }),
    );
    expect(faults).toEqual([
      { path: 'locations.LON.region', message: expect.stringMatching(/^must be 1 to 40 letters.*found "the south"$/) },
    ]);
  });

  it('connector names, where it is known which there are', () => {
    const connectors = ['sim-erp', 'sim-shop', 'sim-marketplace'];
    expect(
      faultsOf(
        changed(() => {}),
        { connectors },
      ),
    ).toEqual([
      {
        path: 'systems.market.connector',
        message: expect.stringContaining('no connector sim-market; did you mean sim-marketplace?'),
        nearest: 'sim-marketplace',
      },
    ]);
  });
});

describe('shares of channels that sell by themselves', () => {
  it('are added up at each location; what is missing counts as all of it', () => {
    const [fault] = faultsOf(
      changed((e) => {
        e.channels!.market!.share = 0.31;
      }),
    );
    expect(fault).toMatchObject({
      path: 'channels.market.share',
      message: expect.stringContaining('LON add up to 1.01'),
    });
    expect(
      faultsOf(
        changed((e) => {
          delete e.channels!.market!.share;
        }),
      ),
    ).toHaveLength(1);
    expect(
      faultsOf(
        changed((e) => {
          e.channels!.market!.locations = ['MAN'];
        }),
      ),
    ).toEqual([]);
  });

  it('are not rounded into a fault, and a shared risk is not counted', () => {
    expect(
      faultsOf(
        changed((e) => {
          e.channels!.shop!.share = 0.1 + 0.2;
          e.channels!.market!.share = 0.7;
        }),
      ),
    ).toEqual([]);
    expect(
      faultsOf(
        changed((e) => {
          Object.assign(e.channels!.market!, { share: 0.9, risk: 'shared' });
        }),
      ),
    ).toEqual([]);
  });
});

describe('everything wrong', () => {
  it('is told at once, in the message too, and never with the value of a secret', () => {
    const estate = changed((e) => {
      Object.assign(e.systems!.erp!, { token: 'hunter2', url: { url: 'https://user:hunter2@erp' } });
      e.channels!.shop!.locations = ['LDN'];
      e.nam = 'x' as never;
    });
    let error: CrossdockError | undefined;
    try {
      validateEstate(estate, { from: 'crossdock.config.ts' });
    } catch (caught) {
      error = caught as CrossdockError;
    }
    expect(error?.message).toMatch(/^crossdock\.config\.ts has 4 faults:\n/);
    for (const path of ['nam', 'systems.erp.token', 'systems.erp.url', 'channels.shop.locations[0]'])
      expect(error?.message).toContain(`\n  ${path}: `);
    expect(JSON.stringify([error?.message, error?.details])).not.toContain('hunter2');
  });

  it.each([undefined, null, 5, [], 'estate', {}, { channels: 5, companies: [], locations: { LON: null } }])(
    'also %j is refused and not stumbled over',
    (value) => {
      expect(faultsOf(value).length).toBeGreaterThan(0);
    },
  );
});

describe('an estate file', () => {
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });
  const written = (text: string, name = 'crossdock.config.mjs') => {
    const folder = mkdtempSync(join(tmpdir(), 'crossdock-estate-'));
    folders.push(folder);
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  it('of the wholesaler is an estate', async () => {
    const estate: Estate = await loadEstate(
      resolve(import.meta.dirname, '../../examples/wholesaler/crossdock.config.ts'),
      {
        connectors: ['sim-erp', 'sim-crm', 'sim-wms', 'sim-shop', 'sim-marketplace'],
      },
    );
    expect(Object.keys(estate.channels)).toEqual(['shop', 'marketplace', 'crm', 'api']);
    expect(estate.systems.shop!.webhookSecret).toEqual({ secret: 'env', name: 'SHOP_WEBHOOK_SECRET' });
  });

  it('may bring connectors of its own, which are functions', async () => {
    const estate = { ...(changed(() => {}) as object), connectors: { 'sim-market': () => ({}), 'sim-shp': 'shop.ts' } };
    expect(faultsOf(estate, { connectors: ['sim-erp', 'sim-shop'] })).toEqual([
      {
        path: 'connectors.sim-shp',
        message: "must be a connector's factory (a function), found string",
      },
    ]);
  });

  it('may export it by default or by name', async () => {
    const text = JSON.stringify(changed(() => {}));
    expect((await loadEstate(written(`export default ${text}`))).name).toBe('test');
    expect((await loadEstate(written(`export const estate = ${text}`))).name).toBe('test');
  });

  it('that is missing, broken or without an estate is named', async () => {
    for (const path of [
      '/nowhere/crossdock.config.ts',
      written('export default {{'),
      written('export const other = 1'),
    ])
      await expect(loadEstate(path)).rejects.toMatchObject({
        code: 'XD_ESTATE_INVALID',
        message: expect.stringContaining(path),
      });
    await expect(loadEstate(written('export default {}'))).rejects.toMatchObject({
      details: { faults: expect.arrayContaining([{ path: 'channels', message: 'is missing' }]) },
    });
  });
});

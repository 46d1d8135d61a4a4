import { Type } from 'typebox';
import { expect, it } from 'vitest';
import { type Declaration, type Domain, declaredWith, defineConnector, noSettings, salesFeedsOf } from './declare.ts';
import { contextFor } from './testing.ts';
import type { Connector } from './types.ts';

const declaration: Declaration = {
  name: 'own',
  summary: 'A system of a test.',
  provenAgainst: 'none: it is made up',
  sources: {},
  deliveries: {},
  states: {},
  needs: ['token', 'channel'],
  settings: Type.Object(
    { account: Type.String({ minLength: 1 }), places: Type.Optional(Type.Record(Type.String(), Type.String())) },
    { additionalProperties: false },
  ),
  limits: { callsPerSecond: 10, concurrency: 2 },
  quirks: [],
};
const parts: Omit<Connector, 'name'> = {
  confirmedBy: 'answer',
  sources: [],
  deliveries: {},
  probe: async () => ({ ok: true, detail: 'made up' }),
  close: async () => {},
};
const own = defineConnector(declaration, () => parts);
const context = contextFor('http://127.0.0.1:1', { settings: { account: 'A1' } });

it('says what it can before it is built, and carries its name', () => {
  expect(own.declaration).toBe(declaration);
  expect(own(context).name).toBe('own');
});

it.each([
  ['a setting that is missing', { settings: {} }, 'systems.system.settings'],
  ['one of the wrong kind', { settings: { account: 7 } }, 'systems.system.settings.account'],
  ['one that nobody reads', { settings: { account: 'A1', acount: 'A2' } }, 'systems.system.settings'],
  ['one deep inside', { settings: { account: 'A1', places: { LON: 7 } } }, 'systems.system.settings.places.LON'],
  ['no token', { token: null }, 'systems.system.token'],
  ['no channel', { channel: null }, 'no channel names it'],
])('refuses %s, and names it', (_, changes, place) => {
  expect(() => own({ ...context, ...changes })).toThrow(
    expect.objectContaining({ code: 'XD_ESTATE_INVALID', message: expect.stringContaining(place) }),
  );
});

it('has no settings where it declares none', () => {
  const plain = defineConnector({ ...declaration, needs: [], settings: noSettings }, () => parts);
  expect(plain({ ...context, settings: {} }).name).toBe('own');
  expect(() => plain(context)).toThrow(expect.objectContaining({ code: 'XD_ESTATE_INVALID' }));
});

it('says what settings make of it, where they say what it has', () => {
  const feed = { domains: ['orders'], cursor: 'keyset', overlapMs: 1_000, ordering: 'per_thing', push: false } as const;
  const bySettings: Declaration['bySettings'] = ({ feeds }) => ({
    sources: Object.fromEntries((feeds as string[]).map((name) => [name, feed])),
    deliveries: {},
    states: {},
  });
  expect(declaredWith({ ...declaration, bySettings }, { feeds: ['orders'] }).sources).toEqual({ orders: feed });
  expect(declaredWith(declaration, {})).toBe(declaration);
});

it('a setting that does not exist is told as one', () => {
  expect(() => own({ ...context, settings: { account: 'A1', acount: 'A2' } })).toThrow(
    expect.objectContaining({ message: 'systems.system.settings.acount: own has no such setting' }),
  );
});

it('a feed brings sales if it declares so or declares nothing; those with orders come first', () => {
  const feed = (...domains: Domain[]) => ({ domains, cursor: 'sequence', ordering: 'per_thing', push: false }) as const;
  const sources = { stock: feed('stock'), cancels: feed('cancels'), orders: feed('orders', 'accounts') };
  const sourcesOf = (...names: string[]) => names.map((name) => ({ feed: name, poll: () => Promise.reject() }));
  const made = { ...parts, sources: sourcesOf('stock', 'cancels', 'orders', 'secret') };
  const both = defineConnector({ ...declaration, needs: [], sources }, () => made);
  expect(salesFeedsOf(both(context))).toEqual(['orders', 'secret', 'cancels']);
  const { salesFeeds: _, ...undeclared } = both(context);
  expect(salesFeedsOf(undeclared)).toEqual(['stock', 'cancels', 'orders', 'secret']);
  // What the settings make of it counts, where they say.
  const bySettings = () => ({ sources: { stock: feed('orders') }, deliveries: {}, states: {} });
  const set = defineConnector({ ...declaration, needs: [], bySettings }, () => ({
    ...made,
    sources: sourcesOf('stock'),
  }));
  expect(salesFeedsOf(set(context))).toEqual(['stock']);
});

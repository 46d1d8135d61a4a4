import { describe, expect, it } from 'vitest';
import { CrossdockError } from '../canonical/index.ts';
import { type Estate, type EstateFault, validateEstate } from './index.ts';

type Parts = {
  calendar?: object;
  sourcing?: object;
  substitutes?: string;
  sells?: 'asks' | 'by_itself';
  location?: object;
};

function faultsOf({ calendar, sourcing, substitutes, sells = 'asks', location }: Parts): string[] {
  const estate = {
    name: 'test',
    companies: { UK: { currency: 'GBP', timeZone: 'Europe/London' } },
    calendars: { day: { timeZone: 'Europe/London', workingDays: ['mon'], cutOff: '14:00', ...calendar } },
    locations: { LON: { company: 'UK', region: 'south', calendar: 'day', ...location } },
    systems: { shop: { connector: 'sim-shop' } },
    channels: {
      api: {
        ...{ company: 'UK', sells, locations: ['LON'] },
        ...(sells === 'by_itself' && { system: 'shop', numberMeans: 'on_hand' }),
        ...(sourcing !== undefined && { sourcing }),
        ...(substitutes !== undefined && { substitutes }),
      },
    },
    routing: {},
  };
  try {
    validateEstate(estate as unknown as Estate);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(CrossdockError);
    expect((error as CrossdockError).code).toBe('XD_ESTATE_INVALID');
    return ((error as CrossdockError).details.faults as EstateFault[]).map(({ path, message }) => `${path} ${message}`);
  }
}

it('calendars and sourcing that something can be served by are taken', () => {
  const sourcing = { rank: ['distance', 'cost'], splitMax: 2, lineSplitMax: 1, shipComplete: true };
  expect(faultsOf({ sourcing })).toEqual([]);
  expect(faultsOf({ sourcing: { shipComplete: true }, sells: 'by_itself' })).toEqual([]);
});

describe('what nothing could ever be served by is refused with place and rule', () => {
  it.each<[string, Parts, RegExp]>([
    [
      'a calendar without working days',
      { calendar: { workingDays: [] } },
      /^calendars\.day\.workingDays .*nothing ever leaves$/,
    ],
    [
      'a day that is none',
      { calendar: { closed: ['2026-02-30'] } },
      /^calendars\.day\.closed\[0\] must be a day, YYYY-MM-DD/,
    ],
    [
      'a cut-off that no clock shows',
      { calendar: { cutOff: '24:00' } },
      /^calendars\.day\.cutOff must be a time of day, HH:MM/,
    ],
    [
      'a time zone that there is not',
      { calendar: { timeZone: 'Europe/Lundon' } },
      /^calendars\.day\.timeZone .*Europe\/London/,
    ],
    [
      'a calendar that there is not',
      { location: { calendar: 'dai' } },
      /^locations\.LON\.calendar no calendar dai; did you mean day\?$/,
    ],
    [
      'ship complete with a split limit of 0',
      { sourcing: { shipComplete: true, splitMax: 0 } },
      /^channels\.api\.sourcing\.splitMax must be at least 1: an order that ships complete, served from 0 locations, never leaves$/,
    ],
    [
      'a split limit of 0',
      { sourcing: { lineSplitMax: 0 } },
      /^channels\.api\.sourcing\.lineSplitMax must be at least 1/,
    ],
    [
      'a split limit of one that sells by itself',
      { sourcing: { splitMax: 1 }, sells: 'by_itself' },
      /for a channel that asks/,
    ],
    [
      'consent of one that sells by itself',
      { substitutes: 'allow', sells: 'by_itself' },
      /^channels\.api\.substitutes is for a channel that asks/,
    ],
    [
      'a criterion twice',
      { sourcing: { rank: ['cost', 'cost'] } },
      /^channels\.api\.sourcing\.rank names a criterion twice$/,
    ],
  ])('%s', (_, parts, fault) => {
    expect(faultsOf(parts)).toEqual([expect.stringMatching(fault)]);
  });
});

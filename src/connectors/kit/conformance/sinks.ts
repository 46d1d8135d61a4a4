/** The ways in which a connector writes, under one shape: deliveries, numbers, prices, order states. */
import type { AvailabilityItem, Connector, DeliveryItem, StateItem } from '../types.ts';
import { noted } from './said.ts';
import type { Bench } from './stage.ts';

export interface SinkItem {
  reference: string;
  item: unknown;
}

export interface Told {
  outcome: string;
  retryAfterMs?: number;
  answer?: unknown;
  error?: string;
}

export interface Sink {
  name: string;
  form: 'delivery' | 'availability' | 'state';
  batchMax: number;
  item(n: number): SinkItem;
  write(items: readonly SinkItem[], signal: AbortSignal): Promise<Told[]>;
  /** Whether each is there as it was said; throws when nobody knows. */
  look(items: readonly SinkItem[], signal: AbortSignal): Promise<boolean[]>;
}

/** All that are built and described. */
export function sinksOf(bench: Bench, connector: Connector): Sink[] {
  const { description } = bench;
  const sinks: Sink[] = [];
  for (const [name, kind] of Object.entries(connector.deliveries)) {
    const make = description.deliveries?.[name];
    if (make === undefined || description.lookedUp?.includes(name)) continue;
    sinks.push({
      name,
      form: 'delivery',
      batchMax: kind.batchMax,
      item(n) {
        const item = make(n);
        return { reference: item.reference, item };
      },
      write: (items, signal) =>
        kind.write(
          items.map(({ item }) => item as DeliveryItem),
          signal,
        ),
      async look(items, signal) {
        const found = await kind.locate(
          items.map(({ reference }) => reference),
          signal,
        );
        return items.map(({ reference }) => found.has(reference));
      },
    });
  }
  const { availability } = connector;
  const number = description.availability;
  if (availability !== undefined && number !== undefined)
    sinks.push({
      name: 'availability',
      form: 'availability',
      batchMax: availability.batchMax,
      item(n) {
        const item = number(n);
        return { reference: item.sku, item };
      },
      write: (items, signal) =>
        availability.write(
          items.map(({ item }) => item as AvailabilityItem),
          signal,
        ),
      async look(items, signal) {
        const shown = await availability.readBack(
          items.map(({ reference }) => reference),
          signal,
        );
        return items.map(({ reference, item }) => shown.get(reference) === (item as AvailabilityItem).quantity);
      },
    });
  for (const name of ['prices', 'orderStatus'] as const) {
    const sink = connector[name];
    const make = description[name];
    if (sink === undefined || make === undefined) continue;
    sinks.push({
      name,
      form: 'state',
      batchMax: sink.batchMax,
      item(n) {
        const item = make(n);
        return { reference: item.key, item };
      },
      write: (items, signal) =>
        sink.write(
          items.map(({ item }) => item as StateItem),
          signal,
        ),
      async look(items, signal) {
        const states = items.map(({ item }) => item as StateItem);
        if (sink.holds !== undefined) {
          const held = await sink.holds(states, signal);
          return states.map(({ key }) => held.has(key));
        }
        const versions = await sink.readBack(
          states.map(({ key }) => key),
          signal,
        );
        return states.map(({ key, version }) => versions.get(key) === version);
      },
    });
  }
  return sinks.map((sink) => ({
    ...sink,
    write: async (items, signal) => noted(bench, await sink.write(items, signal)),
  }));
}

/** What of a reference must stand in a request: systems of channels know `channel/17` as 17. */
export function markOf(reference: string): string {
  return reference.slice(reference.lastIndexOf('/') + 1);
}

/** What systems are told of orders, in outside codes. */
import { documentReference, orderReference } from '../canonical/index.ts';
import type { OrderStatusPart, OrderStatusState } from '../connectors/kit/index.ts';
import type { ChannelEntry, Directory } from '../master/index.ts';
import {
  type ChargeProgress,
  readToldCharges,
  readToldDocuments,
  readToldInspections,
  readToldOrders,
  readToldPromises,
  readUnconfirmed,
  type ToldDocuments,
  type ToldInspection,
  type ToldPromise,
} from '../orders/index.ts';
import type { Database } from '../store/index.ts';

/** What there is to say of one thing; an order with the version it has now. */
export interface Said {
  key: string;
  state: unknown;
  version?: number;
  /** An order of the channel that is told, with units that it takes back when it is told. */
  takesBack?: boolean;
}

/**
 * @param known orders, each with the version that is known there: of those only what came after it
 * @param told `channel`: whose orders the system sells itself; `wants`: what is told beside lines, read for those who show it only
 */
export async function orderStates(
  db: Database,
  directory: Directory,
  known: readonly { orderId: number; version: number }[],
  { channel: own, wants }: { channel: ChannelEntry | null; wants: readonly OrderStatusPart[] },
): Promise<Map<number, Said>> {
  // The documents come after the orders: what comes in between is newer than what is said here, and is said again with the next state.
  const orders = await readToldOrders(db, known);
  const documents = await readToldDocuments(db, known, wants);
  const promising = [...orders.values()].filter(
    (order) => directory.channelById.get(order.channelId)!.promisedBy !== null,
  );
  const promises = await readToldPromises(
    db,
    promising.map((order) => order.orderId),
  );
  const all = [...orders.values()];
  const charges = await readToldCharges(
    db,
    all.filter((order) => order.isCharged).map((order) => order.orderId),
  );
  const returned = all.filter((order) => order.lines.some((line) => line.returned > 0));
  const inspections = await readToldInspections(
    db,
    returned.map((order) => order.orderId),
  );
  const degraded =
    directory.rules.degradedModes?.erp === undefined ? undefined : await readUnconfirmed(db, [...orders.keys()]);
  const skuIds = new Set<number>();
  for (const order of orders.values()) for (const line of order.lines) skuIds.add(line.skuId);
  await directory.loadSkuCodes(skuIds);
  await directory.loadAccountCodes([...orders.values()].map((order) => order.accountId));
  const states = new Map<number, Said>();
  for (const order of orders.values()) {
    const channel = directory.channelById.get(order.channelId)!;
    const state: OrderStatusState = {
      channel: channel.code,
      externalNo: order.externalNo,
      status: order.state,
      account: directory.accountCode(order.accountId),
      currency: order.currency,
      totalMinor: order.totalMinor,
      ...((order.chargesMinor !== 0 || order.taxMinor !== 0) && {
        chargesMinor: order.chargesMinor,
        taxMinor: order.taxMinor,
      }),
      ...chargesOf(charges.get(order.orderId)),
      ...(degraded?.has(order.orderId) === true && { degraded: 'erp' as const }),
      lines: order.lines.map(({ skuId, ...line }) => ({
        ...line,
        sku: directory.skuCode(skuId),
        ...promisedOf(directory, promises.get(order.orderId), line.lineNo),
        ...inspectedOf(inspections.get(order.orderId)?.get(line.lineNo)),
      })),
      ...partsOf(directory, order.orderId, documents.get(order.orderId), wants),
    };
    states.set(order.orderId, {
      key: orderReference(channel.code, order.externalNo),
      version: order.version,
      takesBack:
        own?.numberMeans === 'net_available' &&
        order.channelId === own.channelId &&
        order.lines.some(({ cancelled, refused }) => cancelled + refused > 0),
      state,
    });
  }
  return states;
}

function chargesOf(charges: readonly ChargeProgress[] = []): Pick<OrderStatusState, 'charges'> {
  if (charges.length === 0) return {};
  return {
    charges: charges.map(({ chargeNo, kind, code, amountMinor, taxMinor, ...so }) => ({
      ...{ chargeNo, kind, code, amountMinor, taxMinor },
      ...{ dueMinor: so.due.amountMinor, cancelledMinor: so.cancelled.amountMinor },
      ...{ refundedMinor: so.refunded.amountMinor, invoicedMinor: so.invoiced.amountMinor },
      creditedMinor: so.credited.amountMinor,
    })),
  };
}

function inspectedOf(inspected: ToldInspection | undefined): { inspected?: ToldInspection } {
  return inspected === undefined ? {} : { inspected };
}

function promisedOf(
  directory: Directory,
  promises: ReadonlyMap<number, ToldPromise> | undefined,
  lineNo: number,
): Pick<OrderStatusState['lines'][number], 'promised' | 'promisedUpon'> {
  if (promises === undefined) return {};
  const { upon, parts } = promises.get(lineNo) ?? { upon: undefined, parts: [] };
  return {
    promised: parts.map(({ locationId, ...part }) => ({
      ...part,
      location: locationId === null ? null : directory.locationById.get(locationId)!.code,
    })),
    ...(upon !== undefined && { promisedUpon: upon }),
  };
}

function partsOf(
  directory: Directory,
  orderId: number,
  told: ToldDocuments | undefined,
  wants: readonly OrderStatusPart[],
): Pick<OrderStatusState, OrderStatusPart> {
  if (told === undefined) return {};
  return {
    ...(wants.includes('shipments') && {
      shipments: told.shipments.map(({ shipment, source, locationId, lines, ...travels }) => ({
        ...travels,
        shipment: documentReference(source, shipment),
        location: directory.locationById.get(locationId)!.code,
        lines: lines.map(({ lineNo, quantity }) => ({ lineNo, quantity })),
      })),
    }),
    ...(wants.includes('invoices') && {
      invoices: told.invoices.map(({ source, ...invoice }) => ({
        ...invoice,
        reference: documentReference(source, invoice.number),
      })),
    }),
    ...(wants.includes('returns') && {
      returns: told.returns.map(({ returnId, version, ...received }) => ({
        ...received,
        reference: directory.documentReference('R', orderId, version),
        return: directory.returnReference(returnId),
      })),
    }),
  };
}

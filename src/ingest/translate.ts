/** Outside codes to our ids, and inbound commands to order work and stock movements. What doesn't resolve says why and where. */
import {
  CrossdockError,
  type ErrorCode,
  type InboundCommand,
  type InboundItem,
  quantityOf,
} from '../canonical/index.ts';
import type { ChannelEntry, Directory } from '../master/index.ts';
import { chargedOf } from './order-charges.ts';
import { termsOf } from './order-terms.ts';
import { translateChange, translateOrderCancel } from './translate-changes.ts';
import { translateCredit } from './translate-credit.ts';
import { baseLine, baseQuantity, soldIn } from './translate-quantities.ts';
import { translateRecord } from './translate-records.ts';
import { translateReturn } from './translate-returns.ts';
import { translateAnnouncement, translateMovement, translateOutside } from './translate-stock.ts';
import {
  businessTimeOf,
  channelOf,
  type Fault,
  fault,
  NOTHING,
  skuOf,
  type Translated,
  unmappedAccount,
} from './translated.ts';

export const ORDER_LINES_MAX = 5_000;
const VALUE_SHOWN_MAX = 60;

/** Loads all codes that the items name, a query a kind. */
export async function loadCodes(
  directory: Directory,
  items: readonly { system: string; item: InboundItem }[],
): Promise<void> {
  const named = items.flatMap(({ system, item: { command } }) =>
    command === undefined ? [] : [{ system, command, at: businessTimeOf(command) }],
  );
  const bySystem = new Map<string, Map<string, Set<string>>>();
  for (const { system, command } of named) {
    if (system === 'api') continue;
    let own = bySystem.get(system);
    if (own === undefined) {
      own = new Map([...['sku', 'account', 'location']].map((kind) => [kind, new Set<string>()]));
      bySystem.set(system, own);
    }
    for (const code of skusIn(command)) own.get('sku')!.add(code);
    for (const code of accountsIn(command)) own.get('account')!.add(code);
    if ('location' in command) own.get('location')!.add(command.location);
  }
  for (const [system, own] of bySystem) await directory.loadCrosswalk(system, own);
  const skus = new Set<string>();
  const accounts: { companyId: number; code: string }[] = [];
  const inUnits: string[] = [];
  for (const { system, command, at } of named) {
    for (const code of skusIn(command)) skus.add(directory.ourCode(system, 'sku', code, at));
    for (const code of inOtherUnits(directory, command)) inUnits.push(directory.ourCode(system, 'sku', code, at));
    if (!NAMING_ACCOUNTS.has(command.kind) || !('company' in command)) continue;
    const company = directory.companies.get(command.company);
    if (company === undefined) continue;
    for (const code of accountsIn(command))
      accounts.push({ companyId: company.companyId, code: directory.ourCode(system, 'account', code, at) });
  }
  await directory.loadSkus(skus);
  await directory.loadAccounts(accounts);
  const idsOf = (codes: Iterable<string>) => [...codes].flatMap((code) => directory.findSkuId(code) ?? []);
  const asks = items.some(
    ({ item: { command } }) =>
      command?.kind === 'order.submitted' && asksOrHolds(directory.channels.get(command.channel)),
  );
  await Promise.all([
    directory.loadMerged(accounts),
    // Of few products not everything may be ordered, and of few anything is said in another unit.
    asks && directory.loadOrderRules(idsOf(skus)),
    inUnits.length > 0 && directory.loadUnits(idsOf(inUnits)),
  ]);
}

/** Kinds of which the accounts are looked up; of others they are written, or not needed. */
const NAMING_ACCOUNTS: ReadonlySet<InboundCommand['kind']> = new Set([
  'order.submitted',
  'account.merged',
  'contract.changed',
  'credit.reported',
]);

function asksOrHolds(channel: ChannelEntry | undefined): boolean {
  return channel !== undefined && (!channel.sellsByItself || channel.holdsQuantities);
}

function skusIn(command: InboundCommand): string[] {
  const { kit = [], substitutes = [] } = command.kind === 'product.changed' ? command : {};
  return [
    ...kit.map(({ sku }) => sku),
    ...substitutes,
    ...(command.kind === 'contract.changed' ? (command.prices ?? []).map(({ sku }) => sku) : []),
    ...('sku' in command ? [command.sku] : []),
    ...('lines' in command
      ? command.lines.flatMap((line) => ('sku' in line && line.sku !== undefined ? [line.sku] : []))
      : []),
  ];
}

/** SKUs of which something is said in a unit, by the line or because its channel sells them so. */
function inOtherUnits(directory: Directory, command: InboundCommand): string[] {
  const isListed = 'channel' in command && (directory.channels.get(command.channel ?? '')?.soldIn.size ?? 0) > 0;
  if (command.kind === 'order.submitted')
    return command.lines.flatMap(({ sku, unit, priceUnit, packLevel }) =>
      isListed || (unit ?? priceUnit ?? packLevel) !== undefined ? [sku] : [],
    );
  if (command.kind === 'order.cancel_requested' && isListed) return [command.sku];
  if (command.kind === 'contract.changed')
    return (command.prices ?? []).flatMap(({ sku, unit }) => (unit === undefined ? [] : [sku]));
  return 'unit' in command && command.kind !== 'product.changed' ? [command.sku] : [];
}

function accountsIn(command: InboundCommand): string[] {
  switch (command.kind) {
    case 'account.merged':
      return [command.account, command.into];
    case 'account.changed':
      return typeof command.parent === 'string' ? [command.account, command.parent] : [command.account];
    case 'order.submitted':
    case 'contract.changed':
    case 'credit.reported':
      return [command.account];
    case 'return.received':
      return command.account === undefined ? [] : [command.account];
    default:
      return [];
  }
}

/** Pure but for `takeOrderId`. All codes were loaded before. */
export function translate(
  directory: Directory,
  system: string,
  item: InboundItem,
  takeOrderId: () => number,
): Translated | Fault {
  if (item.unreadable !== undefined)
    return fault(
      item.unreadable.class ?? 'unreadable',
      'XD_BODY_INVALID',
      reasonOf(item.unreadable),
      item.unreadable.place,
    );
  try {
    return translateCommand(directory, system, item, takeOrderId);
  } catch (error) {
    if (error instanceof CrossdockError)
      return {
        ...fault(
          unitFaults[error.code] ?? 'value_invalid',
          error.code,
          error.message,
          typeof error.details.place === 'string' ? error.details.place : null,
        ),
        ...(unitFaults[error.code] !== undefined && { byRule: true }),
      };
    throw error;
  }
}

/** What they are set aside as. Units may be added and changed. */
const unitFaults: Partial<Record<ErrorCode, string>> = {
  XD_UNKNOWN_UNIT: 'unknown_unit',
  XD_UNIT_INEXACT: 'unit_inexact',
};

/** With the value that was found: whoever reads a list of reasons has not seen the message. */
function reasonOf({ reason, value }: NonNullable<InboundItem['unreadable']>): string {
  if (value === null || value === undefined || value === '') return reason;
  const text = JSON.stringify(value);
  return `${reason}, found ${text.length > VALUE_SHOWN_MAX ? `${text.slice(0, VALUE_SHOWN_MAX)}…` : text}`;
}

function translateCommand(
  directory: Directory,
  system: string,
  item: InboundItem,
  takeOrderId: () => number,
): Translated | Fault {
  const command = item.command!;
  const correlationId = `${item.scope}/${item.key}`;
  switch (command.kind) {
    case 'order.submitted': {
      const channel = channelOf(directory, command.channel);
      if ('class' in channel) return channel;
      const company = directory.companies.get(command.company);
      if (company === undefined)
        return fault(
          'unknown_company',
          'XD_UNKNOWN_COMPANY',
          `no company ${JSON.stringify(command.company.slice(0, 60))}`,
          'company',
        );
      if (company.companyId !== channel.companyId)
        return fault(
          'value_invalid',
          'XD_VALUE_INVALID',
          `channel ${command.channel} does not belong to company ${command.company}`,
          'company',
        );
      if (command.currency !== company.currency)
        return fault(
          'value_invalid',
          'XD_VALUE_INVALID',
          `currency ${JSON.stringify(command.currency.slice(0, 10))}; company ${company.code} sells in ${company.currency}`,
          'currency',
        );
      const at = businessTimeOf(command);
      const unmapped = unmappedAccount(directory, system, command.account, at, 'account');
      if (unmapped !== undefined) return unmapped;
      const account = directory.ourCode(system, 'account', command.account, at);
      const accountId = directory.findAccountId(company.companyId, account);
      if (accountId === undefined)
        return {
          ...fault(
            'unknown_account',
            'XD_UNKNOWN_ACCOUNT',
            `no account ${JSON.stringify(command.account.slice(0, 60))} in company ${company.code}`,
            'account',
          ),
          waitKey: `account/${company.companyId} ${account}`,
        };
      if (command.lines.length === 0 || command.lines.length > ORDER_LINES_MAX)
        return fault(
          'value_invalid',
          'XD_VALUE_INVALID',
          `an order has 1 to ${ORDER_LINES_MAX} lines, not ${command.lines.length}`,
          'lines',
        );
      const lines = [];
      for (let i = 0; i < command.lines.length; i++) {
        const line = command.lines[i]!;
        const skuId = skuOf(directory, system, line.sku, `lines[${i}].sku`, at);
        if (typeof skuId !== 'number') return skuId;
        const lineNo = quantityOf(line.lineNo, `lines[${i}].lineNo`);
        const based = baseLine(directory, channel, skuId, line, `lines[${i}]`);
        if ('class' in based) return based;
        lines.push({ lineNo, skuId, ...based });
      }
      const reservationIds = (command.reservations ?? []).map((id, i) => {
        const value = Number(id);
        return quantityOf(value, `reservations[${i}]`);
      });
      const terms = termsOf(directory, channel, accountId, command);
      const { substitutes: consent = channel.substitutes } = command;
      const charged = chargedOf(channel, command);
      const orderId = takeOrderId();
      return {
        ...NOTHING,
        orderId,
        works: [
          {
            command: {
              kind: 'submit',
              orderId,
              companyId: company.companyId,
              channelId: channel.channelId,
              // Of an account that was merged into another: the other's order.
              accountId: directory.followAccount(accountId),
              externalNo: command.externalNo,
              currency: command.currency,
              orderedAt: command.orderedAt,
              lines,
              ...(terms !== undefined && { terms }),
              ...(consent !== 'never' && { consent }),
              ...(charged !== undefined && { charged }),
            },
            occurredAt: command.orderedAt,
            correlationId,
            reservationIds,
          },
        ],
      };
    }
    case 'order.cancel_requested': {
      const channel = channelOf(directory, command.channel);
      if ('class' in channel) return channel;
      if (command.order === null || command.lineNo === null)
        return fault(
          'no_original',
          'XD_UNKNOWN_ORDER',
          `${command.quantity} of ${command.sku.slice(0, 60)} given back by account ${command.account.slice(0, 60)}, and no earlier order line they belong to`,
          'order',
        );
      let taken = command.quantity;
      if (command.unit === undefined && channel.soldIn.size === 0) quantityOf(taken, 'quantity');
      else {
        const skuId = skuOf(directory, system, command.sku, 'sku');
        if (typeof skuId !== 'number') return skuId;
        const unit = command.unit ?? soldIn(directory, channel, skuId);
        taken = baseQuantity(directory, skuId, { quantity: taken, unit }, 'quantity');
      }
      return {
        ...NOTHING,
        waitKey: `order/${command.channel} ${command.order}`,
        works: [
          {
            reference: { channelId: channel.channelId, externalNo: command.order },
            command: {
              kind: 'cancel',
              reference: command.reference,
              lineNo: command.lineNo,
              quantity: taken,
            },
            occurredAt: command.occurredAt,
            correlationId,
          },
        ],
      };
    }
    case 'order.change_requested':
      return translateChange(directory, system, command, correlationId);
    case 'order.whole_cancel_requested':
      return translateOrderCancel(directory, command, correlationId);
    case 'stock.moved':
      return translateMovement(directory, system, item, command);
    case 'supply.announced':
      return translateAnnouncement(directory, system, item, command);
    case 'stock.allocated_outside':
      return translateOutside(directory, system, item, command);
    case 'fulfilment.short_picked':
    case 'fulfilment.picked':
    case 'fulfilment.shipped': {
      const fulfilmentId = directory.fulfilmentIdOf(command.fulfilment);
      if (fulfilmentId === null)
        return fault(
          'unknown_fulfilment',
          'XD_NOT_FOUND',
          `${JSON.stringify(command.fulfilment.slice(0, 60))} is not a fulfilment of ours`,
          'fulfilment',
        );
      const lines = command.lines.map(({ lineNo, quantity }, i) => ({
        lineNo,
        quantity: quantityOf(quantity, `lines[${i}].quantity`),
      }));
      return {
        ...NOTHING,
        works: [
          {
            reference: { fulfilmentId },
            command:
              command.kind === 'fulfilment.short_picked'
                ? {
                    ...{ kind: 'short_pick', fulfilmentId, source: system, sourceId: item.key, lines },
                    ...{ reason: command.reason ?? null, occurredAt: command.occurredAt },
                  }
                : command.kind === 'fulfilment.picked'
                  ? {
                      kind: 'pick',
                      fulfilmentId,
                      source: system,
                      sourceId: item.key,
                      sequence: command.sequence ?? null,
                      lines,
                    }
                  : {
                      kind: 'ship',
                      fulfilmentId,
                      source: system,
                      shipment: command.shipment,
                      tracking: command.tracking,
                      ...(command.carrier !== undefined && { carrier: command.carrier }),
                      ...(command.parcels !== undefined && { parcels: command.parcels }),
                      lines,
                    },
            occurredAt: command.occurredAt,
            correlationId,
          },
        ],
      };
    }
    case 'return.requested':
    case 'return.received':
    case 'return.inspected':
      return translateReturn(directory, system, item, command);
    case 'document.posted': {
      const cut = command.order.indexOf('/');
      const channel = channelOf(directory, command.order.slice(0, Math.max(0, cut)));
      if ('class' in channel) return channel;
      const externalNo = command.order.slice(cut + 1);
      const { kind: _, occurredAt: __, order: ___, ...posted } = command;
      return {
        ...NOTHING,
        waitKey: `order/${channel.code} ${externalNo}`,
        works: [
          {
            reference: { channelId: channel.channelId, externalNo },
            command: { kind: 'post_document', source: system, ...posted },
            occurredAt: command.occurredAt,
            correlationId,
          },
        ],
      };
    }
    case 'product.changed':
    case 'account.changed':
    case 'account.merged':
    case 'price.changed':
    case 'contract.changed':
      return translateRecord(directory, system, command);
    case 'credit.reported':
      return translateCredit(directory, system, command);
    case 'charge.recorded': {
      const { kind, occurredAt, ...data } = command;
      return {
        ...NOTHING,
        facts: [
          {
            type: kind,
            stream: `charge/${command.reference}`,
            version: 1,
            companyId: 0,
            occurredAt,
            correlationId,
            data,
          },
        ],
      };
    }
    default: {
      const never: never = command;
      throw new Error(`unknown command ${(never as { kind: string }).kind}`);
    }
  }
}

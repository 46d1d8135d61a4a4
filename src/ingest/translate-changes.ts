/** Changes and cancels of whole orders, as their channels ask for them, to order work. */
import { type OrderCancelRequested, type OrderChangeRequested, quantityOf, unitPriceOf } from '../canonical/index.ts';
import type { Directory } from '../master/index.ts';
import type { ChangeLine } from '../orders/index.ts';
import { businessTimeOf, channelOf, type Fault, fault, NOTHING, skuOf, type Translated } from './translated.ts';

export const CHANGED_LINES_MAX = 5_000;
const DAY = /^\d{4}-\d\d-\d\d$/;

export function translateChange(
  directory: Directory,
  system: string,
  command: OrderChangeRequested,
  correlationId: string,
): Translated | Fault {
  const channel = channelOf(directory, command.channel);
  if ('class' in channel) return channel;
  const { whole = false, partial = false, number } = command;
  if (command.lines.length > CHANGED_LINES_MAX || (command.lines.length === 0 && !whole))
    return fault(
      'value_invalid',
      'XD_VALUE_INVALID',
      `a change has 1 to ${CHANGED_LINES_MAX} lines, not ${command.lines.length}`,
      'lines',
    );
  const lines: ChangeLine[] = [];
  for (const [i, line] of command.lines.entries()) {
    const at = `lines[${i}]`;
    const skuId =
      line.sku === undefined ? null : skuOf(directory, system, line.sku, `${at}.sku`, businessTimeOf(command));
    if (skuId !== null && typeof skuId !== 'number') return skuId;
    if (line.requestedOn !== undefined && !isDay(line.requestedOn))
      return fault(
        'value_invalid',
        'XD_VALUE_INVALID',
        `${JSON.stringify(line.requestedOn.slice(0, 40))} is no day such as 2026-03-31`,
        `${at}.requestedOn`,
      );
    lines.push({
      lineNo: line.lineNo === undefined ? null : quantityOf(line.lineNo, `${at}.lineNo`),
      skuId,
      quantity: quantityOf(line.quantity, `${at}.quantity`, 0),
      unitPrice: line.unitPrice === undefined ? null : unitPriceOf(line.unitPrice, `${at}.unitPrice`),
      within: channel.sellsByItself ? (line.within ?? null) : 0,
      requestedOn: line.requestedOn ?? null,
    });
  }
  return {
    ...NOTHING,
    waitKey: `order/${channel.code} ${command.order}`,
    works: [
      {
        reference: { channelId: channel.channelId, externalNo: command.order },
        command: {
          ...{ kind: 'change', reference: command.reference, isWhole: whole, partial, lines },
          number: number === undefined ? null : quantityOf(number, 'number', 0),
        },
        occurredAt: command.occurredAt,
        correlationId,
      },
    ],
  };
}

export function translateOrderCancel(
  directory: Directory,
  command: OrderCancelRequested,
  correlationId: string,
): Translated | Fault {
  const channel = channelOf(directory, command.channel);
  if ('class' in channel) return channel;
  return {
    ...NOTHING,
    waitKey: `order/${channel.code} ${command.order}`,
    works: [
      {
        reference: { channelId: channel.channelId, externalNo: command.order },
        command: { kind: 'cancel_order', reference: command.reference },
        occurredAt: command.occurredAt,
        correlationId,
      },
    ],
  };
}

function isDay(text: string): boolean {
  return (
    DAY.test(text) &&
    !Number.isNaN(Date.parse(`${text}T00:00:00Z`)) &&
    new Date(`${text}T00:00:00Z`).toISOString().startsWith(text)
  );
}

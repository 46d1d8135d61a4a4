/** Returns: asked for, received, inspected. */
import {
  fail,
  type InboundItem,
  quantityOf,
  type ReturnInspected,
  type ReturnReceived,
  type ReturnRequested,
} from '../canonical/index.ts';
import type { Directory } from '../master/index.ts';
import type { OrderReference, ReturnName } from '../orders/index.ts';
import { channelOf, type Fault, fault, NOTHING, type Translated } from './translated.ts';

const LINES_MAX = 5_000;

export function translateReturn(
  directory: Directory,
  system: string,
  item: InboundItem,
  command: ReturnRequested | ReturnReceived | ReturnInspected,
): Translated | Fault {
  const { occurredAt } = command;
  const correlationId = `${item.scope}/${item.key}`;
  if (command.lines.length === 0 || command.lines.length > LINES_MAX)
    return fault(
      'value_invalid',
      'XD_VALUE_INVALID',
      `a return has 1 to ${LINES_MAX} lines, not ${command.lines.length}`,
      'lines',
    );
  if (command.kind === 'return.requested') {
    const channel = channelOf(directory, command.channel);
    if ('class' in channel) return channel;
    return {
      ...NOTHING,
      waitKey: `order/${channel.code} ${command.order}`,
      works: [
        {
          reference: { channelId: channel.channelId, externalNo: command.order },
          command: {
            kind: 'request_return',
            reference: command.reference,
            reason: command.reason ?? null,
            lines: command.lines.map(({ lineNo, quantity }, i) => ({
              lineNo: quantityOf(lineNo, `lines[${i}].lineNo`),
              quantity: quantityOf(quantity, `lines[${i}].quantity`),
            })),
          },
          occurredAt,
          correlationId,
        },
      ],
    };
  }
  const named = nameOf(directory, command);
  if ('class' in named) return named;
  const { name, reference, waitKey } = named;
  const told = { source: system, sourceId: item.key, sequence: command.sequence ?? null };
  return {
    ...NOTHING,
    ...(waitKey !== undefined && { waitKey }),
    works: [
      {
        reference,
        command:
          command.kind === 'return.received'
            ? {
                kind: 'receive_return',
                ...name,
                ...told,
                lines: command.lines.map(({ lineNo, quantity }, i) => ({
                  lineNo,
                  quantity: quantityOf(quantity, `lines[${i}].quantity`),
                })),
              }
            : {
                kind: 'inspect_return',
                ...name,
                ...told,
                by: command.by,
                reason: command.reason ?? null,
                lines: command.lines.map(inspectedLine),
              },
        occurredAt,
        correlationId,
      },
    ],
  };
}

function inspectedLine(line: ReturnInspected['lines'][number], i: number) {
  const { lineNo, from = 'receipt', credited = true } = line;
  const restock = quantityOf(line.restock, `lines[${i}].restock`, 0);
  const scrap = quantityOf(line.scrap, `lines[${i}].scrap`, 0);
  const quarantine = quantityOf(line.quarantine, `lines[${i}].quarantine`, 0);
  if (restock + scrap + quarantine === 0)
    fail('XD_VALUE_INVALID', `lines[${i}] says nothing: restock, scrap and quarantine are all 0`, {
      place: `lines[${i}]`,
    });
  if (from === 'quarantine' && quarantine > 0)
    fail('XD_VALUE_INVALID', `lines[${i}].quarantine: its units are set apart already`, {
      place: `lines[${i}].quarantine`,
    });
  return { lineNo, restock, scrap, quarantine, from, credited };
}

type Named = { name: ReturnName; reference: OrderReference; waitKey?: string };

/** Which return is meant. Goods of which nobody says so are looked at by a person. */
function nameOf(directory: Directory, command: ReturnReceived | ReturnInspected): Named | Fault {
  const { returnReference, requestedAs } = command;
  const returnId = directory.returnIdOf(returnReference);
  if (returnId !== null) return { name: { returnId }, reference: { returnId } };
  if (requestedAs !== undefined) {
    const channel = channelOf(directory, requestedAs.channel);
    if ('class' in channel) return { ...channel, place: 'requestedAs.channel' };
    return {
      name: { returnId: null, reference: requestedAs.reference },
      reference: { channelId: channel.channelId, externalNo: requestedAs.order },
      waitKey: `order/${channel.code} ${requestedAs.order}`,
    };
  }
  if (command.kind === 'return.received' && command.account !== undefined) {
    const goods = command.lines.map(({ quantity, sku }) => `${quantity} of ${sku.slice(0, 60)}`).join(', ');
    return fault(
      'blind_return',
      'XD_NOT_FOUND',
      `account ${command.account.slice(0, 60)} sent back ${goods}, and no return says so`,
      'returnReference',
    );
  }
  return fault(
    'unknown_return',
    'XD_NOT_FOUND',
    `${JSON.stringify(returnReference.slice(0, 60))} is not a return of ours`,
    'reference',
  );
}

import { fail, type ReturnInspected } from '../../canonical/index.ts';
import { inspectionItem } from '../../connectors/kit/index.ts';
import { Receiver } from '../../ingest/index.ts';
import {
  getReturn,
  listReturnedStock,
  listReturns,
  type ReturnedStock,
  type ReturnFilter,
  type ReturnRecord,
} from '../../orders/index.ts';
import { databaseNow, Ids } from '../../store/index.ts';
import type { Opened } from '../open.ts';
import { table } from '../table.ts';
import { whoAmI } from '../who.ts';

export async function list(
  { db, directory }: Opened,
  {
    state,
    channel,
    order,
    before,
    limit,
  }: { state: string; channel?: string; order?: number; before?: number; limit: number },
): Promise<ReturnRecord[]> {
  return listReturns(db, directory, {
    state: state === 'all' ? undefined : (state as ReturnFilter['state']),
    channelId: channel === undefined ? undefined : directory.channels.get(channel)!.channelId,
    ...{ orderId: order, before, limit },
  });
}

export function listed(found: readonly ReturnRecord[]): string {
  if (found.length === 0) return 'no returns';
  const rows = found.map((one) => [
    one.returnId,
    one.state,
    one.order,
    one.reference,
    one.location,
    one.lines.map((line) => `${line.quantity} of ${line.sku}: ${becameOf(line)}`).join('; '),
    one.recordedAt.toISOString(),
  ]);
  return table(['id', 'state', 'order', 'reference', 'location', 'goods', 'since'], rows);
}

export async function show({ db, directory }: Opened, returnId: number): Promise<ReturnRecord> {
  return getReturn(db, directory, returnId);
}

export function shown(one: ReturnRecord): string {
  const waits = one.inspection !== null && one.lines.some((line) => line.inInspection > 0);
  return [
    `return ${one.returnId} (${one.return}): ${one.state}`,
    `  order    ${one.order} (${one.orderId}), asked for as ${one.reference}${one.reason === null ? '' : `: ${one.reason}`}`,
    `  to       ${one.location}, ${one.inspection === null ? 'on hand as it comes in' : one.inspection === 'before_credit' ? 'inspected, then credited' : 'credited, then inspected'}`,
    ...one.lines.map((line) => `  line ${line.lineNo}   ${line.quantity} of ${line.sku}: ${becameOf(line)}`),
    ...one.inspections.map(({ at, by, reason }) => `  looked   ${at} by ${by}${reason === null ? '' : `: ${reason}`}`),
    `  since    ${one.recordedAt.toISOString()}`,
    ...(waits
      ? [`  next     crossdock returns inspect ${one.returnId} --line N:restock=…,scrap=…,quarantine=… --reference …`]
      : []),
  ].join('\n');
}

function becameOf(line: ReturnRecord['lines'][number]): string {
  const parts = [
    [line.quantity - line.received, 'to come'],
    [line.inInspection, 'in inspection'],
    [line.restocked, 'restocked'],
    [line.scrapped, 'scrapped'],
    [line.quarantined, 'in quarantine'],
  ] as const;
  return parts
    .filter(([units]) => units > 0)
    .map(([units, what]) => `${units} ${what}`)
    .join(', ');
}

export async function stock({ db, directory }: Opened, limit: number): Promise<ReturnedStock[]> {
  return listReturnedStock(db, directory, limit);
}

export function stockListed(found: readonly ReturnedStock[]): string {
  if (found.length === 0) return 'nothing';
  const rows = found.map((one) => [one.sku, one.location, one.inInspection, one.quarantined]);
  return table(['SKU', 'location', 'in inspection', 'in quarantine'], rows);
}

/** Through the lane of everything inbound: what it does to stock has its key. */
export async function inspect(
  { db, directory }: Opened,
  returnId: number,
  {
    line,
    fromQuarantine,
    reason,
    reference,
  }: {
    line: { lineNo: number; restock: number; scrap: number; quarantine: number; credited: boolean }[];
    fromQuarantine?: boolean;
    reason?: string;
    reference: string;
  },
): Promise<ReturnRecord> {
  await getReturn(db, directory, returnId);
  const receiver = new Receiver({ db, ids: new Ids(), directory });
  const command: ReturnInspected = {
    kind: 'return.inspected',
    returnReference: directory.returnReference(returnId),
    occurredAt: (await databaseNow(db)).toISOString(),
    by: whoAmI(),
    ...(reason !== undefined && { reason }),
    lines: line.map((one) => ({ ...one, from: fromQuarantine === true ? 'quarantine' : 'receipt' })),
  };
  const { occurredAt: _, ...said } = command;
  const draft = inspectionItem('api', `R${returnId}/${reference}`, command);
  // Without the time: the same said again is the same.
  const { fingerprint } = inspectionItem('api', '', { ...said, occurredAt: '' });
  const [result] = await receiver.receive({
    ...{ system: 'api', source: 'api', contentType: 'application/json', onFault: 'refuse' },
    body: Buffer.from(JSON.stringify(command)),
    items: [{ ...draft, fingerprint, itemNo: 0 }],
  });
  await receiver.drained();
  if (result?.status === 'refused') fail(result.code, result.reason, { refused: result.class });
  if (result?.status === 'conflict')
    fail('XD_KEY_CONFLICT', `inspection ${reference} of return ${returnId} came before with other content`, {
      place: 'reference',
    });
  return getReturn(db, directory, returnId);
}

/**
 * Orders into LedgerSMB's own tables, as its order screen (`OE.pm`, `save`) writes them: number from `setting_increment`, amounts rounded as
 * there, lines in the part's own unit. What that screen does in Perl and not in SQL is refused, never left out: taxes, other currencies
 * (which need a rate), templates in numbers, the audit trail.
 */
import { CrossdockError } from '../../canonical/index.ts';
import {
  batchMaxOf,
  type ConnectorContext,
  type DeliveryKind,
  type Outcome,
  type SalesOrderPayload,
  type SqlClient,
  SqlRefused,
  type SqlRow,
  type SqlRun,
} from '../kit/index.ts';
import { type LedgerSettings, mapLines, noteOf } from './map.ts';
import * as statements from './statements.sql.ts';

const BATCH_MAX = 20;
const VERSIONS = /^1\.6(\.|$)/;

export function salesOrders(
  client: SqlClient,
  settings: LedgerSettings,
  limits: ConnectorContext['limits'],
): DeliveryKind {
  return {
    batchMax: batchMaxOf(limits, BATCH_MAX),
    async write(items, signal) {
      const outcomes: Outcome[] = [];
      for (const { reference, payload } of items) {
        const order = { ...(payload as SalesOrderPayload), reference };
        const written = await client.writing(signal, (run) => writeOrder(run, order, settings));
        outcomes.push(
          written.done
            ? { outcome: 'confirmed', answer: written.value }
            : { outcome: written.outcome, error: written.error },
        );
      }
      return outcomes;
    },
    locate: (references, signal) =>
      client.reading(signal, async (run) => {
        const wanted = [...new Set(references)];
        const held = await heldOf(run, wanted);
        return new Map(wanted.flatMap((reference) => (held.has(reference) ? [[reference, held.get(reference)]] : [])));
      }),
  };
}

async function heldOf(
  run: SqlRun,
  references: readonly string[],
): Promise<Map<string, { number: string; numbers?: string[] }>> {
  const { rows } = await run(statements.ordersBy, [references.map(noteOf)]);
  const held = new Map<string, { number: string; numbers?: string[] }>();
  for (const reference of references) {
    const numbers = rows.filter(({ intnotes }) => intnotes === noteOf(reference)).map((row) => row.ordnumber!);
    if (numbers.length > 0) held.set(reference, { number: numbers[0]!, ...(numbers.length > 1 && { numbers }) });
  }
  return held;
}

async function writeOrder(
  run: SqlRun,
  order: SalesOrderPayload,
  settings: LedgerSettings,
): Promise<{ number: string }> {
  await run(statements.lockReference, [noteOf(order.reference)]);
  const before = (await heldOf(run, [order.reference])).get(order.reference);
  if (before !== undefined) return before;
  const day = order.orderedAt.slice(0, 10);
  const [rules] = (await run(statements.rules, [])).rows;
  refuseUnknownRules(rules!, order);
  const [account, second] = (await run(statements.account, [order.account, day])).rows;
  refuseAccount(account, second, order);
  const skus = [...new Set(order.lines.map(({ sku }) => sku.toUpperCase()))];
  const parts = new Map<string, SqlRow[]>();
  for (const part of (await run(statements.parts, [skus])).rows) {
    const sku = part.partnumber!.toUpperCase();
    parts.set(sku, [...(parts.get(sku) ?? []), part]);
  }
  const lines = linesOf(order, parts, settings);
  const [{ number }] = (await run(statements.nextNumber, [])).rows as [{ number: string | null }];
  if (number === null) throw new SqlRefused('the ledger has no number for a sales order (setting sonumber)');
  const amount = `${Math.trunc(order.totalMinor / 100)}.${String(order.totalMinor % 100).padStart(2, '0')}`;
  const values = [
    number,
    day,
    amount,
    order.currency,
    account!.terms,
    order.reference,
    noteOf(order.reference),
    account!.id,
  ];
  const [{ id }] = (await run(statements.insertOrder, values)).rows as [{ id: string }];
  for (const { part, count, price } of lines)
    await run(statements.insertLine, [id, part.id, part.description, count, price, part.unit]);
  return { number };
}

function linesOf(order: SalesOrderPayload, parts: ReadonlyMap<string, SqlRow[]>, settings: LedgerSettings) {
  try {
    return mapLines(order, parts, settings);
  } catch (error) {
    if (error instanceof CrossdockError) throw new SqlRefused(error.message);
    throw error;
  }
}

function refuseUnknownRules({ version, currencies, sonumber, audittrail }: SqlRow, order: SalesOrderPayload): void {
  if (!VERSIONS.test(version ?? ''))
    throw new SqlRefused(`LedgerSMB ${version} is none of 1.6: its rules are not known here`);
  const own = (currencies ?? '').split(':')[0];
  if (order.currency !== own)
    throw new SqlRefused(`${order.currency} needs an exchange rate to ${own}, which is decided on the ledger's screen`);
  if ((sonumber ?? '').includes('<?lsmb'))
    throw new SqlRefused('numbers of sales orders have a template, which only the application fills in');
  if (!['', '0'].includes(audittrail ?? ''))
    throw new SqlRefused('the audit trail is on, which only the application writes');
}

function refuseAccount(account: SqlRow | undefined, second: SqlRow | undefined, order: SalesOrderPayload): void {
  if (account === undefined) throw new SqlRefused(`no customer has the number ${order.account}`);
  if (second !== undefined) throw new SqlRefused(`more than one customer has the number ${order.account}`);
  if (account.ended === 'true') throw new SqlRefused(`customer ${order.account} is not active on the day of the order`);
  if (account.taxes !== '0' || account.taxincluded === 'true')
    throw new SqlRefused(`customer ${order.account} has taxes, which only the application calculates`);
  if (account.curr !== null && account.curr?.trim() !== order.currency)
    throw new SqlRefused(
      `customer ${order.account} is kept in ${account.curr?.trim()}, the order is in ${order.currency}`,
    );
}

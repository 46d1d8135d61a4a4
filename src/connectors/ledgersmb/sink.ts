/**
 * Orders into LedgerSMB's own tables, as its order screen (`OE.pm`, `save`) writes them: number from `setting_increment`, amounts rounded as
 * there, lines in the part's own unit. What that screen does in Perl and not in SQL is refused, never left out: taxes, other currencies
 * (which need a rate), templates in numbers, the audit trail.
 */
import {
  type ConnectorContext,
  type DeliveryKind,
  type SalesOrderPayload,
  type SqlClient,
  SqlRefused,
  type SqlRow,
  type SqlRun,
} from '../kit/index.ts';
import { ordersByNote } from './documents.sql.ts';
import { ledgerKind, orRefused, VERSIONS } from './kind.ts';
import { type LedgerSettings, mapLines } from './map.ts';
import { moneyText } from './map-documents.ts';
import { linesNoteOf, noteOf } from './notes.ts';
import * as statements from './statements.sql.ts';

export function salesOrders(
  client: SqlClient,
  settings: LedgerSettings,
  limits: ConnectorContext['limits'],
): DeliveryKind {
  return ledgerKind<SalesOrderPayload>(client, limits, {
    noteOf,
    find: ordersByNote,
    write: (run, order) => writeOrder(run, order, settings),
  });
}

async function writeOrder(
  run: SqlRun,
  order: SalesOrderPayload,
  settings: LedgerSettings,
): Promise<{ number: string }> {
  const day = order.orderedAt.slice(0, 10);
  const [rules] = (await run(statements.rules, [])).rows;
  refuseUnknownRules(rules!, order.currency);
  // The ledger's order would lack them, and its invoice another total than the order's.
  if ((order.charges ?? []).length > 0)
    throw new SqlRefused(`${order.reference} has charges, which this connector does not carry into the ledger`);
  if ((rules!.sonumber ?? '').includes('<?lsmb'))
    throw new SqlRefused('numbers of sales orders have a template, which only the application fills in');
  const [account, second] = (await run(statements.account, [order.account, day])).rows;
  refuseAccount(account, second, order);
  const parts = await partsBy(run, order.lines);
  const lines = orRefused(() => mapLines(order, parts, settings));
  const [{ number }] = (await run(statements.nextNumber, [])).rows as [{ number: string | null }];
  if (number === null) throw new SqlRefused('the ledger has no number for a sales order (setting sonumber)');
  const amount = moneyText(order.totalMinor);
  const values = [
    number,
    day,
    amount,
    order.currency,
    account!.terms,
    order.reference,
    `${noteOf(order.reference)}\n${linesNoteOf(order.lines.map(({ lineNo }) => lineNo))}`,
    account!.id,
  ];
  const [{ id }] = (await run(statements.insertOrder, values)).rows as [{ id: string }];
  for (const { part, count, price } of lines)
    await run(statements.insertLine, [id, part.id, part.description, count, price, part.unit]);
  return { number };
}

/** By SKU. Codes that differ only by case are one here, and may be more than one row there. */
export async function partsBy(run: SqlRun, lines: SalesOrderPayload['lines']): Promise<Map<string, SqlRow[]>> {
  const skus = [...new Set(lines.map(({ sku }) => sku.toUpperCase()))];
  const parts = new Map<string, SqlRow[]>();
  for (const part of (await run(statements.parts, [skus])).rows) {
    const sku = part.partnumber!.toUpperCase();
    parts.set(sku, [...(parts.get(sku) ?? []), part]);
  }
  return parts;
}

export function refuseUnknownRules({ version, currencies, audittrail }: SqlRow, currency: string): void {
  if (!VERSIONS.test(version ?? ''))
    throw new SqlRefused(`LedgerSMB ${version} is none of 1.6: its rules are not known here`);
  const own = (currencies ?? '').split(':')[0];
  if (currency !== own)
    throw new SqlRefused(`${currency} needs an exchange rate to ${own}, which is decided on the ledger's screen`);
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

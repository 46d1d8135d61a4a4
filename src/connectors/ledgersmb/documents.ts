/**
 * Invoices into LedgerSMB's own tables, as `post_invoice` of its application (`IS.pm`) writes them: a shipment is an invoice, goods that
 * came back are an invoice that is reversed, a charge is an invoice of a service. A live test posts the same with that Perl code and compares
 * every row. What it decides by what only its screens know is refused, with the reason, and uses up no number: taxes, rates, templates in
 * numbers, numbers without gaps, closed periods.
 *
 * Where the ledger separates duties the invoice is a draft until a person there approves it. That is the ledger's rule and none of ours to
 * pass by: the hub has written it, and hears of it as posted afterwards.
 */
import type { ChargePayload, ConnectorContext, DeliveryKind, OrderDocumentPayload, SqlClient } from '../kit/index.ts';
import { SqlRefused, type SqlRow, type SqlRun } from '../kit/index.ts';
import * as sql from './documents.sql.ts';
import { ledgerKind, orRefused, VERSIONS } from './kind.ts';
import type { LedgerSettings } from './map.ts';
import { type DocumentLine, mapDocumentLines, moneyText, numbered } from './map-documents.ts';
import { documentNoteOf, linesNoteOf, noteOf, readNote } from './notes.ts';

export interface DocumentSettings extends LedgerSettings {
  /** Codes of charges → numbers of parts that are services. */
  charges?: Readonly<Record<string, string>>;
}

export function invoices(
  client: SqlClient,
  settings: DocumentSettings,
  { channel, limits }: ConnectorContext,
): Record<string, DeliveryKind> {
  const kindOf = <Payload>(
    kind: string,
    write: (run: SqlRun, payload: Payload & { reference: string }) => Promise<Posted>,
  ) =>
    ledgerKind(client, limits, {
      noteOf: (reference) => documentNoteOf(kind, reference),
      find: sql.documentsBy,
      write,
    });
  const orderKind = (kind: 'shipment_posting' | 'return_posting') =>
    kindOf<OrderDocumentPayload>(kind, (run, payload) => postForOrder(run, kind, payload, channel, settings));
  return {
    shipment_posting: orderKind('shipment_posting'),
    return_posting: orderKind('return_posting'),
    ...(settings.charges !== undefined && {
      charge: kindOf<ChargePayload>('charge', (run, payload) => postCharge(run, payload, settings.charges!)),
    }),
  };
}

interface Posted {
  number: string;
  /** A person there has to approve it. */
  isDraft?: true;
}

async function postForOrder(
  run: SqlRun,
  kind: 'shipment_posting' | 'return_posting',
  payload: OrderDocumentPayload,
  channel: string | null,
  settings: DocumentSettings,
): Promise<Posted> {
  const rules = await rulesOf(run);
  const isReturn = kind === 'return_posting';
  const day = payload.shippedAt?.slice(0, 10) ?? rules.today!;
  const order = await findOrder(run, payload.order, channel);
  refuseOf(rules, order, order.curr?.trim() ?? '', day);
  const rows = orRefused(() => numbered(order.rows, readNote(order.intnotes), order.ordnumber!));
  const lines = orRefused(() => mapDocumentLines(payload.lines, rows, settings));
  const isOurs = readNote(order.intnotes).reference !== undefined;
  const note = [
    documentNoteOf(kind, payload.reference),
    `order ${payload.order}`,
    linesNoteOf(payload.lines.map(({ lineNo }) => lineNo)),
  ];
  const posted = await post(run, rules, {
    account: order,
    terms: order.terms ?? order.account_terms ?? '0',
    orderNumber: order.ordnumber!,
    customerReference: payload.order,
    currency: order.curr!.trim(),
    note: note.join('\n'),
    day,
    isReversed: isReturn,
    lines,
  });
  // What of it left. One that was read from here is told again when its rest changes, and to nobody's use: it stays as it is.
  if (isOurs && !isReturn) {
    await run(sql.shipLines, [lines.map(({ row }) => row.id), lines.map(({ count }) => count)]);
    await run(sql.closeShipped, [order.id]);
  }
  return posted;
}

async function postCharge(
  run: SqlRun,
  { reference, account: number, code, quantity, amountMinor, currency, at }: ChargePayload,
  charges: Readonly<Record<string, string>>,
): Promise<Posted> {
  const rules = await rulesOf(run);
  const day = at.slice(0, 10);
  const partnumber = Object.hasOwn(charges, code) ? charges[code]! : undefined;
  if (partnumber === undefined) throw new SqlRefused(`nobody mapped the charge ${code} (settings.charges)`);
  const [account, other] = (await run(sql.accountFor, [number])).rows;
  if (account === undefined) throw new SqlRefused(`no customer has the number ${number}`);
  if (other !== undefined) throw new SqlRefused(`more than one customer has the number ${number}`);
  refuseOf(rules, account, currency, day);
  const [part, second] = (await run(sql.servicePart, [partnumber])).rows;
  if (part === undefined || second !== undefined || part.obsolete === 'true')
    throw new SqlRefused(
      `${part === undefined ? 'no' : second === undefined ? 'only an obsolete' : 'more than one'} part is ${partnumber}`,
    );
  if (part.service !== 'true')
    throw new SqlRefused(`part ${partnumber} is goods: a charge would take it off the shelf`);
  const row = { ...part, lineNo: '1', price: null };
  const own = { lineNo: 1, quantity, amountMinor: Math.abs(amountMinor) };
  const lines = orRefused(() =>
    mapDocumentLines([own], [row], { company: '', location: '', units: { [part.unit ?? '']: 1 } }),
  );
  return post(run, rules, {
    account,
    terms: account.account_terms ?? '0',
    orderNumber: null,
    customerReference: reference,
    currency,
    note: documentNoteOf('charge', reference),
    day,
    isReversed: amountMinor < 0,
    lines,
  });
}

interface Invoice {
  account: SqlRow;
  terms: string;
  orderNumber: string | null;
  customerReference: string;
  currency: string;
  note: string;
  day: string;
  isReversed: boolean;
  lines: readonly DocumentLine[];
}

async function post(run: SqlRun, rules: SqlRow, invoice: Invoice): Promise<Posted> {
  const { account, lines, day, isReversed } = invoice;
  const isDraft = !['', '0'].includes(rules.separate_duties ?? '');
  for (const { row } of lines)
    if (row.income_accno_id == null) throw new SqlRefused(`part ${row.partnumber} has no account for its income`);
  const sign = isReversed ? -1 : 1;
  const [{ number }] = (await run(sql.nextInvoiceNumber, [])).rows as [{ number: string | null }];
  if (number === null) throw new SqlRefused('the ledger has no number for an invoice (setting sinumber)');
  const totalMinor = lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0) * sign;
  const head = [
    number,
    invoice.orderNumber,
    day,
    invoice.terms,
    account.account_id,
    moneyText(totalMinor),
    invoice.note,
  ];
  const rest = [invoice.currency, invoice.customerReference, !isDraft, isReversed];
  const [{ id }] = (await run(sql.insertInvoice, [...head, ...rest])).rows as [{ id: string }];
  const ids = (await run(sql.nextLineIds, [lines.length])).rows.map((row) => row.id!);
  const column = (of: (line: DocumentLine) => unknown) => lines.map(of);
  const parts = column(({ row }) => row.parts_id);
  const counts = column(({ count }) => String(count * sign));
  const texts = [
    column(({ row }) => row.description),
    counts,
    column(({ price }) => price),
    column(({ row }) => row.unit),
  ];
  await run(sql.insertLines, [id, ids, parts, ...texts]);
  await run(sql.insertTaxForms, [ids]);
  const accounts = [...column(({ row }) => row.income_accno_id), account.ar_ap_account_id];
  const amounts = [...column(({ amountMinor }) => moneyText(amountMinor * sign)), moneyText(-totalMinor)];
  await run(sql.insertAmounts, [id, day, accounts, amounts, [...ids, null]]);
  await run(sql.lockParts, [parts]);
  await run(sql.takeOnHand, [parts, counts]);
  if (!isDraft) await run(sql.addCostOfGoods, [id]);
  return { number, ...(isDraft && { isDraft }) };
}

async function rulesOf(run: SqlRun): Promise<SqlRow> {
  const [rules] = (await run(sql.invoiceRules, [])).rows as [SqlRow];
  const { version, sinumber, gapless } = rules;
  if (!VERSIONS.test(version ?? ''))
    throw new SqlRefused(`LedgerSMB ${version} is none of 1.6: its rules are not known here`);
  if ((sinumber ?? '').includes('<?lsmb'))
    throw new SqlRefused('numbers of invoices have a template, which only the application fills in');
  if (!['', '0'].includes(gapless ?? ''))
    throw new SqlRefused('numbers of invoices have no gaps, and only the application gives them when one is posted');
  return rules;
}

/** @throws SqlRefused unless there is one of it */
export async function findOrder(
  run: SqlRun,
  reference: string,
  channel: string | null,
): Promise<SqlRow & { rows: SqlRow[] }> {
  const isOfChannel = channel !== null && reference.startsWith(`${channel}/`);
  const number = isOfChannel ? reference.slice(channel.length + 1) : null;
  const { rows: found } = await run(sql.orderFor, [noteOf(reference), number]);
  if (found.length !== 1) throw new SqlRefused(`${found.length === 0 ? 'no' : 'more than one'} order is ${reference}`);
  const { rows } = await run(sql.orderLines, [found[0]!.id]);
  return { ...found[0]!, rows } as unknown as SqlRow & { rows: SqlRow[] };
}

function refuseOf(rules: SqlRow, account: SqlRow, currency: string, day: string): void {
  const refuse = (why: string): never => {
    throw new SqlRefused(why);
  };
  const who = `customer ${account.meta_number}`;
  const own = (rules.currencies ?? '').split(':')[0];
  if (rules.closed_to != null && day <= rules.closed_to)
    refuse(`${day} is in a closed period (until ${rules.closed_to}): somebody there has to say when it counts`);
  if (currency !== own) refuse(`${currency} needs an exchange rate to ${own}, which is decided on the ledger's screen`);
  if (account.taxes !== '0' || account.taxincluded === 'true')
    refuse(`${who} has taxes, which only the application calculates`);
  if (account.account_curr != null && account.account_curr.trim() !== currency)
    refuse(`${who} is kept in ${account.account_curr.trim()}, this is in ${currency}`);
  if ((account.enddate ?? '9999') < day || (account.startdate ?? '0000') > day)
    refuse(`${who} is not active on ${day}`);
}

/** Invoices and credit notes: what they say of lines, charges and tax, set beside what was agreed. Pure, as `decide`. */
import { apportion, nearest } from '../canonical/index.ts';
import type { ChargeProgress, DocumentCharge, DocumentLine, Taxed } from './billing-types.ts';
import { events, refused } from './decision.ts';
import { shippedTax } from './tax-parts.ts';
import type { Decision, Order, OrderCommand } from './types.ts';

type Post = Extract<OrderCommand, { kind: 'post_document' }>;

/** A document stands as whoever posted it says; what is wrong with it is found by `verify`, not undone here. */
export function postDocument(order: Order, command: Post): Decision {
  for (const { lineNo } of command.lines)
    if (!order.lines.has(lineNo)) return refused('unknown_line', `line ${lineNo}`);
  if (command.currency !== order.currency)
    return refused(
      'other_currency',
      `${command.document} ${command.number} is in ${command.currency}, the order in ${order.currency}`,
    );
  const { document, source, number, totalMinor, currency } = command;
  const charges: DocumentCharge[] | undefined = command.charges?.map((said) => {
    const known = chargeOf(order, said);
    const { kind = null, code = null, amountMinor, taxMinor } = said;
    return {
      ...{ chargeNo: known?.chargeNo ?? null, kind: known?.kind ?? kind, code: known?.code ?? code, amountMinor },
      ...(taxMinor !== undefined && { taxMinor }),
    };
  });
  const parts = [...command.lines, ...(charges ?? [])];
  const isSaid = parts.some((part) => part.taxMinor !== undefined);
  const sum = parts.reduce((all, part) => all + (part.taxMinor ?? 0), 0);
  const taxMinor = command.taxMinor ?? (isSaid ? sum : undefined);
  const taxed = taxMinor === undefined || isSaid ? undefined : splitTax(order, command, charges ?? [], taxMinor);
  const { length } = command.lines;
  return events([
    {
      ...{ type: 'document.posted', document, source, number, totalMinor, currency },
      lines: taxed === undefined ? command.lines : command.lines.map((line, i) => ({ ...line, taxMinor: taxed[i]! })),
      ...(charges !== undefined && {
        charges: taxed === undefined ? charges : charges.map((part, i) => ({ ...part, taxMinor: taxed[length + i]! })),
      }),
      ...(taxMinor !== undefined && { taxMinor }),
    },
  ]);
}

/** By its number in the order, else by its code, else by its kind where the order has one of it. */
function chargeOf(order: Order, said: NonNullable<Post['charges']>[number]): ChargeProgress | undefined {
  const { charges } = order.billing ?? {};
  if (charges === undefined) return undefined;
  if (said.charge !== undefined) return charges.get(said.charge);
  const all = [...charges.values()].filter(({ kind }) => said.kind === undefined || said.kind === kind);
  const named = said.code === undefined ? [] : all.filter(({ code }) => code === said.code);
  if (named.length > 0) return named.length === 1 ? named[0] : undefined;
  return said.kind !== undefined && all.length === 1 ? all[0] : undefined;
}

/** The tax of a whole document by what each part of it is due; what it is beside that, by weight, the largest fractions first. */
function splitTax(
  order: Order,
  { document, lines }: Post,
  charges: readonly DocumentCharge[],
  taxMinor: number,
): number[] {
  const before = new Map<number, number>();
  const due = lines.map((line) => {
    const earlier = before.get(line.lineNo) ?? 0;
    before.set(line.lineNo, earlier + (document === 'invoice' ? line.quantity : line.amountMinor));
    return document === 'invoice' ? invoicedTax(order, line, earlier) : creditedTax(order, line, earlier);
  });
  for (const { chargeNo, amountMinor } of charges) {
    const charge = chargeNo === null ? undefined : order.billing?.charges.get(chargeNo);
    if (charge === undefined) due.push(0);
    else if (document === 'invoice') due.push(nextTax(charge.due, charge.invoiced, amountMinor, charge));
    else due.push(nextTax(charge.refunded, charge.credited, amountMinor, charge));
  }
  const sum = due.reduce((all, part) => all + part, 0);
  if (sum === taxMinor) return due;
  if (sum > 0) return apportion(taxMinor, due);
  return apportion(
    taxMinor,
    [...lines, ...charges].map(({ amountMinor }) => amountMinor),
  );
}

function invoicedTax(order: Order, { lineNo, quantity }: DocumentLine, earlier: number): number {
  const line = order.lines.get(lineNo)!;
  const most = line.quantity - line.refused;
  const from = Math.min(line.invoiced + earlier, most);
  return shippedTax(line, Math.min(from + quantity, most)) - shippedTax(line, from);
}

function creditedTax(order: Order, { lineNo, amountMinor }: DocumentLine, earlier: number): number {
  const line = order.lines.get(lineNo)!;
  const back = { amountMinor: line.returnedMinor, taxMinor: shippedTax(line, line.returned) };
  const taxSoFar = order.billing?.lines.get(lineNo)?.creditedTaxMinor ?? 0;
  const soFar = { amountMinor: line.creditedMinor + earlier, taxMinor: taxSoFar };
  if (earlier > 0) soFar.taxMinor += partOf(line.taxMinor, earlier, line.amountMinor);
  return nextTax(back, soFar, amountMinor, line);
}

/** With what brings it up to what was told, the rest of the tax of that; else by amount. */
function nextTax(told: Taxed, soFar: Taxed, amountMinor: number, of: Taxed): number {
  const upTo = soFar.amountMinor + amountMinor;
  return (upTo === told.amountMinor ? told.taxMinor : partOf(of.taxMinor, upTo, of.amountMinor)) - soFar.taxMinor;
}

function partOf(taxMinor: number, minor: number, ofMinor: number): number {
  if (ofMinor === 0) return 0;
  const sign = ofMinor < 0 ? -1n : 1n;
  return Number(nearest(BigInt(taxMinor) * BigInt(minor) * sign, BigInt(ofMinor) * sign));
}

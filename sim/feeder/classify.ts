/** One line of the file to its kind, or to what is wrong with it and where. Pure. */
import type { LineErrorCode } from './errors.ts';
import { londonToUtcSeconds } from './london.ts';
import { isDecimal, isZero } from './money.ts';
import { KIND, type Kind } from './table.ts';

export const COLUMNS = [
  'InvoiceNo',
  'StockCode',
  'Description',
  'Quantity',
  'InvoiceDate',
  'UnitPrice',
  'CustomerID',
  'Country',
] as const;

export const WALK_IN = 'WALKIN';
/** The largest real line is 80,995 units; more than this is a slip of the keyboard. */
export const QUANTITY_MAX = 10_000_000;
/** In whole pounds; the largest real price is 38,970. */
export const PRICE_DIGITS_MAX = 7;

const INVOICE = /^[AC]?\d{1,12}$/;
const PRODUCT = /^\d{5}[A-Z]*$/;
const INTEGER = /^-?\d+$/;
const CODE_CHARACTERS_MAX = 40;
const ACCOUNT = /^[A-Za-z0-9_-]{1,40}$/;
const TOO_MANY_DIGITS = new RegExp(`^-?\\d{${PRICE_DIGITS_MAX + 1}}`);

export interface Line {
  kind: number;
  invoice: string;
  code: string;
  isProduct: boolean;
  quantity: number;
  price: string;
  account: string;
  at: number;
}
export interface LineProblem {
  code: LineErrorCode;
  column: (typeof COLUMNS)[number] | null;
  value: string;
}

export function isProblem(result: Line | LineProblem): result is LineProblem {
  return !('kind' in result);
}

let lastDateText = '';
let lastDate: number | undefined;

/** Lines of one invoice share their time, so the last answer is nearly always the next one. */
function utcSeconds(text: string): number | undefined {
  if (text !== lastDateText) {
    lastDate = londonToUtcSeconds(text);
    lastDateText = text;
  }
  return lastDate;
}

export function hasInvoice(fields: readonly string[]): boolean {
  return fields.length === COLUMNS.length && INVOICE.test(fields[0]!);
}

/** @param fields as many as {@link COLUMNS} */
export function classify(fields: readonly string[]): Line | LineProblem {
  if (fields.length !== COLUMNS.length) {
    return { code: 'FEED_COLUMN_COUNT', column: null, value: `${fields.length} columns: ${fields.join(',')}` };
  }
  const [invoice, rawCode, , quantityText, dateText, price, accountText] = fields as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  if (!INVOICE.test(invoice)) return { code: 'FEED_BAD_INVOICE', column: 'InvoiceNo', value: invoice };
  const upper = rawCode.toUpperCase();
  const isProduct = PRODUCT.test(upper);
  if (rawCode === '' || rawCode.length > CODE_CHARACTERS_MAX || rawCode !== rawCode.trim()) {
    return { code: 'FEED_BAD_CODE', column: 'StockCode', value: rawCode };
  }
  if (!INTEGER.test(quantityText)) return { code: 'FEED_BAD_QUANTITY', column: 'Quantity', value: quantityText };
  const quantity = Number(quantityText);
  if (Math.abs(quantity) > QUANTITY_MAX) {
    return { code: 'FEED_QUANTITY_TOO_LARGE', column: 'Quantity', value: quantityText };
  }
  const at = utcSeconds(dateText);
  if (at === undefined) return { code: 'FEED_BAD_DATE', column: 'InvoiceDate', value: dateText };
  if (!isDecimal(price)) return { code: 'FEED_BAD_PRICE', column: 'UnitPrice', value: price };
  if (TOO_MANY_DIGITS.test(price)) return { code: 'FEED_PRICE_TOO_LARGE', column: 'UnitPrice', value: price };
  const isLedger = invoice.startsWith('A');
  // A ledger entry may take money away (a bad debt written off and back); nothing that is sold may.
  if (price.startsWith('-') && !isLedger) return { code: 'FEED_NEGATIVE_PRICE', column: 'UnitPrice', value: price };
  if (accountText !== '' && !ACCOUNT.test(accountText)) {
    return { code: 'FEED_BAD_ACCOUNT', column: 'CustomerID', value: accountText };
  }
  const kind = kindOf(invoice, isProduct, quantity, price);
  if (kind === undefined) {
    return { code: 'FEED_NO_KIND', column: 'Quantity', value: `${invoice} ${rawCode} × ${quantityText} at ${price}` };
  }
  return {
    kind: KIND[kind],
    invoice,
    code: isProduct ? upper : rawCode,
    isProduct,
    quantity,
    price,
    account: accountText === '' ? WALK_IN : accountText,
    at,
  };
}

export function kindOf(invoice: string, isProduct: boolean, quantity: number, price: string): Kind | undefined {
  if (invoice.startsWith('A')) return 'ledger_entry';
  const isCredit = invoice.startsWith('C');
  if (!isProduct) return isCredit ? 'charge_credit' : 'charge';
  if (isCredit) return quantity < 0 ? 'cancellation' : undefined;
  if (quantity < 0) return 'stock_adjustment';
  if (quantity === 0) return undefined;
  return isZero(price) ? 'zero_price_receipt' : 'order_line';
}

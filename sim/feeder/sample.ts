/**
 * A file of the same columns without a real one: for tests, and for a first look. Every kind of line is in it, exact
 * repeats, SKUs that differ by case, a split cancellation and one without an original; the same seed writes the same file.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { COLUMNS } from './classify.ts';
import { seeded } from './random.ts';

const ACCOUNTS = 60;
const SKUS = 120;
const WALK_IN_SHARE_PERCENT = 7;

interface Sold {
  account: string;
  sku: number;
  quantity: number;
}

/** @returns the text of the file; some lines belong to each kind from the tenth order on */
export function sampleCsv(seed: number, orders: number): string {
  const lines = [COLUMNS.map(quoted).join(',')];
  const sold: Sold[] = [];
  let minute = Date.UTC(2011, 2, 1, 8, 0) / 60_000;
  let invoice = 700_000;
  const at = (): string => new Date(minute * 60_000).toISOString().slice(0, 19);
  const add = (number: string, code: string, what: string, quantity: number, price: string, account: string): void => {
    lines.push(
      [
        quoted(number),
        quoted(code),
        quoted(what),
        quantity,
        quoted(at()),
        price,
        account,
        quoted('United Kingdom'),
      ].join(','),
    );
  };
  const pick = (name: string, below: number): number => seeded(seed, name, below);

  for (let order = 1; order <= orders; order += 1) {
    minute += 1 + pick(`gap/${order}`, 90);
    invoice += 1;
    const walksIn = pick(`walkin/${order}`, 100) < WALK_IN_SHARE_PERCENT;
    const account = walksIn ? '' : String(12_000 + pick(`account/${order}`, ACCOUNTS));
    const count = 1 + pick(`lines/${order}`, 9);
    for (let line = 1; line <= count; line += 1) {
      // A low number comes up more often than a high one, as best-sellers do.
      const sku = Math.min(pick(`sku/${order}/${line}`, SKUS), pick(`sku2/${order}/${line}`, SKUS));
      const quantity = 1 + pick(`quantity/${order}/${line}`, 24);
      const code = codeOf(sku, pick(`case/${order}/${line}`, 20) === 0);
      add(String(invoice), code, nameOf(sku), quantity, priceOf(sku, pick(`deal/${order}/${line}`, 10)), account);
      sold.push({ account, sku, quantity });
      if (pick(`repeat/${order}/${line}`, 40) === 0) {
        lines.push(lines.at(-1)!);
        sold.push({ account, sku, quantity });
      }
    }
    if (order % 10 === 3) add(String(invoice), 'POST', 'POSTAGE', 1, '18', account);
    if (order % 10 === 5) {
      invoice += 1;
      const back = sold[pick(`back/${order}`, sold.length)]!;
      add(`C${invoice}`, codeOf(back.sku, false), nameOf(back.sku), -back.quantity, priceOf(back.sku, 0), back.account);
      // More than was ever bought by most: splits over several originals or finds none.
      const other = sold[pick(`other/${order}`, sold.length)]!;
      add(`C${invoice}`, codeOf(other.sku, false), nameOf(other.sku), -40, priceOf(other.sku, 0), other.account);
      add(`C${invoice}`, 'M', 'Manual', -1, '4.95', back.account);
    }
    if (order % 10 === 7) {
      invoice += 1;
      const sku = pick(`off/${order}`, SKUS);
      add(String(invoice), codeOf(sku, false), 'damages', -1 - pick(`damage/${order}`, 6), '0', '');
    }
    if (order % 10 === 9) {
      invoice += 1;
      const sku = pick(`found/${order}`, SKUS);
      add(String(invoice), codeOf(sku, false), 'found', 1 + pick(`finds/${order}`, 12), '0', '');
    }
    if (order % 100 === 50) {
      invoice += 1;
      add(`A${invoice}`, 'B', 'Adjust bad debt', 1, order % 200 === 50 ? '-110.62' : '110.62', '');
    }
  }
  return `${lines.join('\n')}\n`;
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
function codeOf(sku: number, lower: boolean): string {
  const code = `${20_000 + sku}${sku % 7 === 0 ? 'B' : ''}`;
  return lower ? code.toLowerCase() : code;
}
function nameOf(sku: number): string {
  return sku % 11 === 0 ? `BOX, 6" SET NO ${sku}` : `SAMPLE ITEM ${sku}`;
}
/** A base price in pence, and now and then a deal, also one of a tenth of a penny. */
function priceOf(sku: number, deal: number): string {
  const pence = 25 + ((sku * 37) % 900);
  if (deal === 9) return `${(pence / 100).toFixed(2)}5`;
  return ((deal === 8 ? Math.ceil(pence * 0.9) : pence) / 100).toFixed(2);
}

export function writeSample(file: string, seed: number, orders: number): void {
  writeFileSync(file, gzipSync(sampleCsv(seed, orders)));
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      out: { type: 'string' },
      seed: { type: 'string', default: '1' },
      orders: { type: 'string', default: '500' },
    },
  });
  if (values.out === undefined || !/^\d{1,9}$/.test(values.seed) || !/^\d{1,6}$/.test(values.orders)) {
    console.error('usage: sample.ts --out FILE.csv.gz [--seed S] [--orders N]');
    process.exit(2);
  }
  writeSample(values.out, Number(values.seed), Number(values.orders));
}

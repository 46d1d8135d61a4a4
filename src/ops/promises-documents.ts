/** I10: what shipments, invoices and credit notes say, line by line, is what their orders' lines say. A page of orders at a time. */
import { numbers, type Queryable } from '../store/index.ts';
import * as statements from './promises-documents.sql.ts';
import { documentLines, shipmentLines } from './promises-money.sql.ts';

const ORDERS_PER_PAGE = 200;
/** More are counted as broken without a second look. */
const SUSPECTS_MAX = 1_000;

/** @returns lines and documents looked at, and those that differ */
export async function checkDocuments(
  db: Queryable,
): Promise<{ checked: number; violations: number; examples: string[] }> {
  let checked = 0;
  const suspects: number[] = [];
  let after = 0;
  for (;;) {
    const orders = await db.query(statements.readPage, [after, ORDERS_PER_PAGE]);
    const last = orders.at(-1);
    if (last === undefined) break;
    const documents = new Map<number, statements.DocumentRow[]>();
    for (const row of await db.query(statements.readDocuments, [orders[0]!.order_id, last.order_id])) {
      const list = documents.get(row.order_id);
      if (list === undefined) documents.set(row.order_id, [row]);
      else list.push(row);
    }
    for (const order of orders) {
      const own = documents.get(order.order_id) ?? [];
      checked += own.length;
      if (!agree(order.lines, own)) suspects.push(order.order_id);
    }
    after = last.order_id;
  }
  const strays = await db.query(statements.findStrayDocuments);
  const examples = strays.map(
    (row) => `${row.kind} ${row.number} belongs to order ${row.order_id}, which is not there`,
  );
  let violations = strays.length + Math.max(0, suspects.length - SUSPECTS_MAX);
  // On a living hub lines and documents were read at two moments: one statement sees one.
  for (const statement of suspects.length === 0 ? [] : [documentLines, shipmentLines]) {
    const [row] = await db.query(statement, [numbers(suspects.slice(0, SUSPECTS_MAX))]);
    violations += row!.violations;
    examples.push(...(row!.examples ?? []));
  }
  return { checked, violations, examples };
}

/** Sums per line: shipped, its amount, invoiced, its amount, credited amount. */
function agree(lines: string | null, documents: readonly statements.DocumentRow[]): boolean {
  const sums = new Map<number, [number, number, number, number, number]>();
  for (const { kind, lines: parts } of documents)
    for (const { lineNo, quantity, amountMinor } of parts) {
      let sum = sums.get(lineNo);
      if (sum === undefined) {
        sum = [0, 0, 0, 0, 0];
        sums.set(lineNo, sum);
      }
      if (kind === 'shipment') {
        sum[0] += quantity;
        sum[1] += amountMinor;
      } else if (kind === 'invoice') {
        sum[2] += quantity;
        sum[3] += amountMinor;
      } else sum[4] += amountMinor;
    }
  if (lines !== null)
    for (const line of lines.split(';')) {
      const [lineNo, ...told] = line.split(' ').map(Number);
      const sum = sums.get(lineNo!);
      if (sum === undefined || told.some((value, i) => value !== sum[i])) return false;
      sums.delete(lineNo!);
    }
  for (const sum of sums.values()) if (sum.some((value) => value !== 0)) return false;
  return true;
}

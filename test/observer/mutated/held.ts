/** What each system says it holds, by order and by the line of who ordered: the ERP's parts of a line belong to the line that they name. */
import { truth } from '../pages.ts';

export interface Part {
  lineNo: number;
  sku: string;
  quantity: number;
  amountMinor: number;
  cancelled: number;
  cancelledMinor: number;
  shipped: number;
  invoiced: number;
  invoicedMinor: number;
  returned: number;
  creditedMinor: number;
  root?: number;
}
export interface ErpOrder {
  key: string;
  count: number;
  account: string;
  currency: string;
  totalMinor: number;
  lines: Part[];
}
export interface ShownLine {
  lineNo: number;
  sku: string;
  quantity: number;
  amountMinor?: number;
  unitPrice?: string;
  within?: number;
  cancelled: number;
  backordered: number;
  refused: number;
  shipped: number;
  invoiced?: number;
  returned: number;
}
export interface ShownOrder {
  key: string;
  account: string;
  totalMinor: number;
  status: string;
  lines: ShownLine[];
}

/** The line that a part belongs to: what stands for an added line belongs to what that was added to. */
export function rootsOf(lines: readonly Part[]): Map<number, Part[]> {
  const own = new Map(lines.map((part) => [part.lineNo, part]));
  const roots = new Map<number, Part[]>();
  for (const part of lines) {
    let root = part.lineNo;
    // An added line whose root the ERP does not have was added to nothing that it was told of.
    for (let at: Part | undefined = part; at?.root !== undefined; at = own.get(at.root)) {
      root = at.root;
      if (own.get(root) === at) break;
    }
    roots.set(root, [...(roots.get(root) ?? []), part]);
  }
  return roots;
}

export async function readErp(url: string): Promise<Map<string, ErpOrder>> {
  const orders = new Map<string, ErpOrder>();
  for await (const order of truth<ErpOrder>(url, 'orders')) orders.set(order.key, order);
  return orders;
}

/** @param prefix what its own keys lack to be those of everybody else */
export async function readShown(url: string, prefix = ''): Promise<Map<string, ShownOrder>> {
  const orders = new Map<string, ShownOrder>();
  for await (const order of truth<ShownOrder>(url, 'orders')) orders.set(prefix + order.key, order);
  return orders;
}

export const sumOf = <K extends string>(lines: readonly Record<K, number>[], name: K): number =>
  lines.reduce((sum, line) => sum + line[name], 0);

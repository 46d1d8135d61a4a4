/** Changes that the hub set aside: each was asked too late, as it says, and nothing that was planned is forgotten. */
import type { Change } from '../../../sim/feeder/mutations.ts';
import type { Findings } from '../findings.ts';
import type { Source } from '../source.ts';
import type { ErpOrder } from './held.ts';
import type { MutatedWarehouse } from './warehouse.ts';
import type { Wishes } from './wishes.ts';

interface Known {
  wishes: Wishes;
  warehouse: MutatedWarehouse;
  erp: ReadonlyMap<string, ErpOrder>;
  source: Source;
  planned: ReadonlyMap<string, Change>;
}

export function judgeRefusals(findings: Findings, { wishes, warehouse, erp, source, planned }: Known): void {
  const refused = new Set<string>();
  for (const { order, reference, lines, reason } of wishes.refused) {
    refused.add(order);
    const add = (code: string) => findings.add(code, 'hub', `${order} ${reference}`, reason, null);
    if (reason === 'too_late') {
      // What can't be given back any more was picked: more of a line than is wanted of it.
      const late = lines.some(
        ({ lineNo, quantity }) => (warehouse.work.get(`${order}/${lineNo}`)?.picked ?? 0) > quantity,
      );
      if (!late) add('refused_in_time');
    } else if (reason === 'order_ended') {
      const open = erp.get(order)?.lines.some((line) => line.shipped + line.cancelled < line.quantity);
      if (open !== false) add('refused_and_open');
    } else add('refused_for_nothing');
  }
  for (const order of source.orders) {
    const reference = `${order.channel}/${order.number}`;
    const change = planned.get(order.number);
    // Callers of the API are refused to their face.
    if (change === undefined || order.channel === 'api' || refused.has(reference)) continue;
    if (wishes.changes.get(reference)?.reference !== change.reference)
      findings.add('change_lost', order.channel, reference, change.reference, null);
  }
}

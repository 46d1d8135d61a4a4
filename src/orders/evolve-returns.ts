/** What the events of returns do to them. Pure but for the order they are given. */
import type { Inspection, ReturnEvent, ReturnLine } from './return-types.ts';
import type { Order } from './types.ts';

type Inspected = Extract<ReturnEvent, { type: 'return.inspected' }>['lines'][number];

export function applyReturn(order: Order, event: ReturnEvent): void {
  if (event.type === 'return.authorised') {
    const { returnId, reference, locationId, reason = null, inspection = null } = event;
    const lines = new Map(event.lines.map(({ lineNo, skuId, quantity }) => [lineNo, newLine(lineNo, skuId, quantity)]));
    order.returns.set(returnId, { returnId, reference, reason, locationId, inspection, lines, state: 'expected' });
    return;
  }
  const one = order.returns.get(event.returnId)!;
  if (event.type === 'return.received') {
    for (const { lineNo, skuId, quantity, amountMinor, taxMinor = 0 } of event.lines) {
      let line = one.lines.get(lineNo);
      if (line === undefined) {
        line = newLine(lineNo, skuId, 0);
        one.lines.set(lineNo, line);
      }
      line.received += quantity;
      line.receivedMinor += amountMinor;
      line.receivedTaxMinor += taxMinor;
      if (event.inspection !== 'before_credit') {
        line.creditMinor += amountMinor;
        line.creditTaxMinor += taxMinor;
      }
      if (event.inspection !== undefined) continue;
      line.restocked += quantity;
      line.decidedMinor += amountMinor;
      line.decidedTaxMinor += taxMinor;
    }
    one.state = 'received';
    return;
  }
  for (const part of event.lines) inspectLine(one.lines.get(part.lineNo)!, part, event.inspection);
  one.state = [...one.lines.values()].every((line) => line.received === line.restocked + line.scrapped)
    ? 'inspected'
    : 'received';
}

function newLine(lineNo: number, skuId: number, quantity: number): ReturnLine {
  return {
    ...{ lineNo, skuId, quantity, received: 0, restocked: 0, scrapped: 0, quarantined: 0 },
    ...{ receivedMinor: 0, decidedMinor: 0, creditMinor: 0 },
    ...{ receivedTaxMinor: 0, decidedTaxMinor: 0, creditTaxMinor: 0 },
  };
}

export function inspectLine(
  line: ReturnLine,
  { restock, scrap, quarantine, from, amountMinor, creditMinor, taxMinor = 0, creditTaxMinor = 0 }: Inspected,
  inspection: Inspection,
): void {
  line.restocked += restock;
  line.scrapped += scrap;
  line.quarantined += quarantine - (from === 'quarantine' ? restock + scrap + quarantine : 0);
  line.decidedMinor += amountMinor;
  line.decidedTaxMinor += taxMinor;
  if (inspection !== 'before_credit') return;
  line.creditMinor += creditMinor;
  line.creditTaxMinor += creditTaxMinor;
}

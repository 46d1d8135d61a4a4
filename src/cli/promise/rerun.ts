import { fail } from '../../canonical/index.ts';
import {
  applyRerun,
  type LeftOut,
  planRerun,
  type RerunLine,
  type RerunPart,
  readLeftOut,
} from '../../orders/index.ts';
import { Ids } from '../../store/index.ts';
import type { Opened } from '../open.ts';
import { table } from '../table.ts';

interface Part {
  quantity: number;
  location: string;
  /** null: it is there. */
  dueAt: string | null;
}

export interface Rerun {
  isPreview: boolean;
  /** Lines and SKUs that were looked at. */
  lines: number;
  skus: number;
  gains: number;
  loses: number;
  moves: number;
  /** Orders of which something was changed, and those that were not as they were any more; null: it is a preview. */
  applied: number | null;
  stale: number | null;
  /** Lines that are left as they are, by why. */
  leftOut: LeftOut;
  /** Some of the lines, those who lose first. */
  changes: {
    order: string;
    lineNo: number;
    sku: string;
    account: string;
    priority: string;
    verdict: string;
    before: Part[];
    after: Part[];
  }[];
}

export async function rerun(
  { db, directory }: Opened,
  { preview = false, sku, limit }: { preview?: boolean; sku: readonly string[]; limit: number },
): Promise<Rerun> {
  await directory.loadSkus(sku);
  const skuIds = sku.map(
    (code) => directory.findSkuId(code) ?? fail('XD_UNKNOWN_SKU', `no SKU ${code}`, { place: 'sku' }),
  );
  const deps = { ids: new Ids(), directory };
  const of = skuIds.length === 0 ? null : skuIds;
  const leftOut = await readLeftOut(db, deps, of);
  const plan = await planRerun(db, deps, of);
  const result = preview ? null : await applyRerun(db, deps, plan);
  const order = { loses: 0, gains: 1, moves: 2 } as const;
  const some = plan.changes.toSorted((a, b) => order[a.verdict] - order[b.verdict]).slice(0, limit);
  await directory.loadSkuCodes(some.map((line) => line.skuId));
  await directory.loadAccountCodes(some.map((line) => line.accountId));
  const countOf = (verdict: RerunLine['verdict']) => plan.changes.filter((line) => line.verdict === verdict).length;
  const partsOf = (parts: readonly RerunPart[]): Part[] =>
    parts.map(({ quantity, locationId, dueAt }) => ({
      ...{ quantity, dueAt },
      location: directory.locationById.get(locationId)?.code ?? String(locationId),
    }));
  return {
    isPreview: preview,
    ...{ lines: plan.lines, skus: plan.skus },
    ...{ gains: countOf('gains'), loses: countOf('loses'), moves: countOf('moves') },
    ...{ applied: result?.applied ?? null, stale: result?.stale ?? null },
    leftOut,
    changes: some.map((line) => ({
      order: `${directory.channelById.get(line.channelId)?.code ?? '?'}/${line.externalNo}`,
      ...{ lineNo: line.lineNo, sku: directory.skuCode(line.skuId), account: directory.accountCode(line.accountId) },
      ...{ priority: line.priority, verdict: line.verdict },
      ...{ before: partsOf(line.before), after: partsOf(line.after) },
    })),
  };
}

export function shown(result: Rerun): string {
  const { lines, skus, gains, loses, moves, applied, stale } = result;
  const said = (parts: readonly Part[]) =>
    parts.length === 0
      ? 'nothing'
      : parts
          .map(({ quantity, location, dueAt }) =>
            dueAt === null ? `${quantity} at ${location}` : `${quantity} to ${location} on ${dueAt.slice(0, 10)}`,
          )
          .join(', ');
  const head = `${lines} lines of ${skus} SKUs looked at: ${gains} gain, ${loses} lose, ${moves} move`;
  const done =
    applied === null
      ? 'a preview: nothing was changed'
      : `${applied} orders changed${stale ? `, ${stale} were not as they were any more: run it again` : ''}`;
  const { onHold, atWms, soldByItself } = result.leftOut;
  const left = [
    ...(onHold > 0 ? [`${onHold} of orders on hold`] : []),
    ...(atWms > 0 ? [`${atWms} that the WMS was asked for`] : []),
    ...(soldByItself > 0 ? [`${soldByItself} of channels that sell by themselves`] : []),
  ];
  const out = left.length === 0 ? [] : [`lines left as they are: ${left.join(', ')}`];
  if (result.changes.length === 0) return [head, ...out, done].join('\n');
  const rows = result.changes.map((line) => [
    ...[line.verdict, `${line.order} line ${line.lineNo}`, line.sku, line.account, line.priority],
    ...[said(line.before), said(line.after)],
  ]);
  const more = gains + loses + moves - result.changes.length;
  return [
    head,
    table(['who', 'order', 'SKU', 'account', 'class', 'has', 'then'], rows),
    ...(more > 0 ? [`and ${more} more`] : []),
    ...out,
    done,
  ].join('\n');
}

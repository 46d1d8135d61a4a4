import { decideStewardship, getStewardship, listStewardship, type StewardshipItem } from '../../master/index.ts';
import type { Opened } from '../open.ts';
import { table } from '../table.ts';
import { whoAmI } from '../who.ts';

export interface Named extends Omit<StewardshipItem, 'companyId'> {
  company: string | null;
}

function named({ directory }: Opened, { companyId, ...item }: StewardshipItem): Named {
  return { ...item, company: directory.companyById.get(companyId ?? 0)?.code ?? null };
}

export async function list(
  opened: Opened,
  wanted: { state: string; domain?: string; system?: string; record?: string; before?: number; limit: number },
): Promise<Named[]> {
  const { state, domain, system, record, before, limit } = wanted;
  const only = state === 'all' ? undefined : (state as StewardshipItem['state']);
  const found = await listStewardship(opened.db, { state: only, domain, system, record, before, limit });
  return found.map((item) => named(opened, item));
}

export function listed(found: readonly Named[]): string {
  if (found.length === 0) return 'nothing waits for a steward';
  const rows = found.map((item) => [
    item.itemId,
    item.state,
    `${item.domain} ${item.record}`,
    item.field,
    short(item.held),
    short(item.said),
    `${item.system} (${item.owner} owns it)`,
    item.changedAt.toISOString(),
  ]);
  return table(['id', 'state', 'record', 'field', 'held', 'said', 'by', 'changed'], rows);
}

export async function show(opened: Opened, itemId: number): Promise<Named> {
  return named(opened, await getStewardship(opened.db, itemId));
}

export function shown(item: Named): string {
  const of = item.company === null ? '' : ` of ${item.company}`;
  return [
    `stewardship item ${item.itemId}: ${item.state}`,
    `  record   ${item.domain} ${item.record}${of}`,
    `  field    ${item.field}, owned by ${item.owner}`,
    `  held     ${JSON.stringify(item.held)}`,
    `  said     ${JSON.stringify(item.said)}, by ${item.system} at ${item.changedAt.toISOString()}`,
    ...(item.decidedBy === null
      ? [`  next     crossdock stewardship accept ${item.itemId}, or reject ${item.itemId}`]
      : [`  ${item.state} by ${item.decidedBy}${item.reason === null ? '' : `: ${item.reason}`}`]),
  ].join('\n');
}

export async function decide(
  opened: Opened,
  itemId: number,
  state: 'accepted' | 'rejected',
  reason: string | undefined,
): Promise<Named> {
  const { db, directory } = opened;
  return named(opened, await decideStewardship(db, directory, itemId, { state, by: whoAmI(), reason }));
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

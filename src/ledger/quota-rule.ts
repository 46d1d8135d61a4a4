/**
 * What quotas of one SKU leave to an order. Pure.
 *
 * A quota's node is a channel, the accounts of a region in it, or one account; each lies below the nearest that contains it. What is kept
 * for a node is the part of its ring fence that it has not used, or what is kept for those below it, if that is more.
 */

export interface QuotaNode {
  quotaId: number;
  channelId: number;
  region: string | null;
  accountId: number | null;
  ringFenced: number;
  cap: number | null;
  borrow: boolean;
  lend: boolean;
  /** Allocated, picked, and held of dated supply. */
  used: number;
  /** Of a channel that sells by itself: set aside for it, and so kept from everybody else already. */
  setAside: number;
  /** Its period runs now: only then is something kept for it. */
  isRunning: boolean;
}

/** Who asks. Neither region nor account: a channel's number, which anybody may buy of. */
export interface QuotaAsker {
  channelId: number;
  region: string | null;
  accountId: number | null;
}

/** Units kept for others, and for whom. */
export interface Kept {
  /** Of which channel: only where that one sells. */
  channelId: number;
  /** The node that they are kept for, or above. */
  quotaId: number;
  units: number;
}

export interface QuotaRoom {
  /** The quotas that count what is promised, the widest first. */
  path: number[];
  /** The least that a cap of them leaves; null: none of them has one. */
  capLeft: number | null;
  kept: Kept[];
}

export function contains(node: QuotaAsker, asker: QuotaAsker): boolean {
  return (
    node.channelId === asker.channelId &&
    (node.region === null || node.region === asker.region) &&
    (node.accountId === null || node.accountId === asker.accountId)
  );
}

interface Tree {
  node: QuotaNode;
  below: Tree[];
  /** Kept for it and all below it. */
  units: number;
}

function depth({ region, accountId }: QuotaAsker): number {
  return (region === null ? 0 : 1) + (accountId === null ? 0 : 2);
}

/** Running nodes as trees: each below the nearest that contains it. */
function treesOf(nodes: readonly QuotaNode[]): Tree[] {
  const all = nodes.filter(({ isRunning }) => isRunning).sort((a, b) => depth(a) - depth(b) || a.quotaId - b.quotaId);
  const tops: Tree[] = [];
  const placed: Tree[] = [];
  for (const node of all) {
    const tree: Tree = { node, below: [], units: 0 };
    const above = placed.findLast((one) => depth(one.node) < depth(node) && contains(one.node, node));
    (above?.below ?? tops).push(tree);
    placed.push(tree);
  }
  // Those below stand behind what they lie below.
  for (const tree of placed.reverse()) tree.units = Math.max(unusedOf(tree.node), sumOf(tree.below));
  return tops;
}

function unusedOf({ ringFenced, used, setAside }: QuotaNode): number {
  return Math.max(0, ringFenced - used - setAside);
}

function sumOf(trees: readonly Tree[]): number {
  return trees.reduce((sum, { units }) => sum + units, 0);
}

/** What of a tree is kept from who borrows beside it: what does not lend. */
function unlentOf({ node, below, units }: Tree): { quotaId: number; units: number }[] {
  if (!node.lend) return units > 0 ? [{ quotaId: node.quotaId, units }] : [];
  return below.flatMap(unlentOf);
}

/**
 * @param members which quotas count what the asker is promised; those of them that run are its path
 */
export function roomOf(nodes: readonly QuotaNode[], asker: QuotaAsker, members: ReadonlySet<number>): QuotaRoom {
  const path = nodes.filter(({ quotaId }) => members.has(quotaId)).sort((a, b) => depth(a) - depth(b));
  let capLeft: number | null = null;
  for (const { cap, used } of path)
    if (cap !== null) capLeft = Math.min(capLeft ?? Number.POSITIVE_INFINITY, Math.max(0, cap - used));
  const kept: Kept[] = [];
  const keep = (channelId: number, quotaId: number, units: number) => {
    if (units > 0) kept.push({ channelId, quotaId, units });
  };
  const levels: { beside: Tree[]; own: Tree | undefined }[] = [];
  for (let beside = treesOf(nodes); ; ) {
    const own = beside.find(({ node }) => members.has(node.quotaId));
    levels.push({ beside: beside.filter((tree) => tree !== own), own });
    if (own === undefined) break;
    beside = own.below;
  }
  // From the lowest up: who doesn't borrow, doesn't at any level above either.
  let borrows = true;
  for (const { beside, own } of levels.toReversed()) {
    // Who has no node at a level takes what is kept there for all of its parent, and nothing of those that have one.
    const mayBorrow: boolean = own !== undefined && borrows && own.node.borrow;
    for (const tree of beside) {
      const parts = mayBorrow ? unlentOf(tree) : [{ quotaId: tree.node.quotaId, units: tree.units }];
      for (const { quotaId, units } of parts) keep(tree.node.channelId, quotaId, units);
    }
    if (own === undefined) continue;
    borrows = mayBorrow;
    const parent = levels[levels.findIndex((level) => level.own === own) - 1]?.own;
    // What is kept for the parent beyond what is kept for those below it.
    if (parent !== undefined && !mayBorrow)
      keep(asker.channelId, parent.node.quotaId, parent.units - sumOf(parent.below));
  }
  return { path: path.map(({ quotaId }) => quotaId), capLeft, kept };
}

/**
 * What is left at each place once others have theirs: each channel's from places that it sells from too, those that the asker comes to
 * last first. Who shares fewest places is served first, because they have the least choice.
 */
export function withoutKept(
  places: readonly { locationId: number; units: number }[],
  kept: readonly Kept[],
  sellsFrom: (channelId: number) => readonly number[],
): { left: number[]; missing: Kept[] } {
  const left = places.map(({ units }) => Math.max(0, units));
  const missing: Kept[] = [];
  const shared = kept.map((one) => {
    const theirs = new Set(sellsFrom(one.channelId));
    return { one, at: places.flatMap(({ locationId }, i) => (theirs.has(locationId) ? [i] : [])) };
  });
  shared.sort((a, b) => a.at.length - b.at.length);
  for (const { one, at } of shared) {
    let units = one.units;
    for (const i of at.toReversed()) {
      const taken = Math.min(units, left[i]!);
      left[i]! -= taken;
      units -= taken;
    }
    if (units > 0 && at.length > 0) missing.push({ ...one, units });
  }
  return { left, missing };
}

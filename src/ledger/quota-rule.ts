/**
 * What quotas of one SKU leave to an order. Pure.
 *
 * A quota's node is a channel, the accounts of a region in it, or one account; an account lies below its region, and that below its channel.
 * What is kept for a node is the part of its ring fence that it has not used, or what is kept for those below it, if that is more.
 */

export interface QuotaNode {
  quotaId: number;
  channelId: number;
  /** Of an account, the region that it is in by now. */
  region: string | null;
  accountId: number | null;
  ringFenced: number;
  cap: number | null;
  borrow: boolean;
  lend: boolean;
  /** Allocated, picked, and held of dated supply. */
  used: number;
  /** Of a channel: soft holds that no order has claimed. */
  held: number;
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
  /** Of what is at these places. */
  keptOf(places: readonly Place[], sellsFrom: SellsFrom): Kept[];
}

export interface Place {
  locationId: number;
  units: number;
}

export type SellsFrom = (channelId: number) => readonly number[];

export function contains(node: QuotaAsker, asker: QuotaAsker): boolean {
  if (node.channelId !== asker.channelId) return false;
  if (node.accountId !== null) return node.accountId === asker.accountId;
  return node.region === null || node.region === asker.region;
}

interface Tree {
  node: QuotaNode;
  below: Tree[];
  /** Kept for it and all below it if nothing were used, and by now. */
  whole: number;
  units: number;
}

export function depthOf({ region, accountId }: QuotaAsker): number {
  return accountId !== null ? 2 : region !== null ? 1 : 0;
}

/** The nodes that a node may lie below, the nearest first. */
export function placesAbove({ channelId, region, accountId }: QuotaAsker): string[] {
  const above = [];
  if (accountId !== null && region !== null) above.push(`${channelId}/${region}`);
  if (accountId !== null || region !== null) above.push(`${channelId}`);
  return above;
}

export function placeOf({ channelId, region, accountId }: QuotaAsker): string {
  return accountId !== null
    ? `${channelId}//${accountId}`
    : region !== null
      ? `${channelId}/${region}`
      : `${channelId}`;
}

/** Running nodes as trees: each below the nearest that contains it. */
function treesOf(nodes: readonly QuotaNode[]): Tree[] {
  const trees = nodes
    .filter(({ isRunning }) => isRunning)
    .sort((a, b) => depthOf(a) - depthOf(b) || a.quotaId - b.quotaId)
    .map((node): Tree => ({ node, below: [], whole: 0, units: 0 }));
  const byPlace = new Map(trees.map((tree) => [placeOf(tree.node), tree]));
  const tops: Tree[] = [];
  for (const tree of trees) {
    const above = placesAbove(tree.node).find((place) => byPlace.has(place));
    (above === undefined ? tops : byPlace.get(above)!.below).push(tree);
  }
  // Those below stand behind what they lie below.
  for (const tree of trees.reverse()) {
    const { ringFenced, used, held, setAside } = tree.node;
    tree.whole = Math.max(ringFenced, sumOf(tree.below, 'whole'));
    tree.units = Math.max(0, ringFenced - used - held - setAside, sumOf(tree.below, 'units'));
  }
  return tops;
}

function sumOf(trees: readonly Tree[], of: 'whole' | 'units'): number {
  return trees.reduce((sum, tree) => sum + tree[of], 0);
}

/** What of a tree is kept from who borrows beside it: what does not lend. */
function unlentOf({ node, below, units }: Tree): { quotaId: number; units: number }[] {
  if (!node.lend) return units > 0 ? [{ quotaId: node.quotaId, units }] : [];
  return below.flatMap(unlentOf);
}

/** What a node of the asker's own keeps below a tree that is not: its account has moved since it ordered. */
function ownBelow({ below }: Tree, members: ReadonlySet<number>): number {
  let units = 0;
  for (const tree of below) units += members.has(tree.node.quotaId) ? tree.units : ownBelow(tree, members);
  return units;
}

/**
 * What others may count on of so many units, beside one who is kept some too; undefined: all that is kept for them. Where that is more in all
 * than there is, it is shared in proportion to what each would be kept if nothing were used, and what each has used of that counts: so it
 * doesn't matter who comes first. A unit that no share has whole is for who comes first of them.
 */
function sharesOf(units: number, own: Tree, others: readonly Tree[]): ReadonlyMap<Tree, number> | undefined {
  const trees = [own, ...others];
  if (own.units === 0 || sumOf(trees, 'units') <= units) return undefined;
  const takenOf = (tree: Tree) => tree.whole - tree.units;
  // Who has had its share leaves the rest to the others.
  let sharing = trees.filter((tree) => tree.units > 0);
  for (;;) {
    const whole = BigInt(sumOf(sharing, 'whole'));
    const all = BigInt(units + sharing.reduce((sum, tree) => sum + takenOf(tree), 0));
    const left = sharing.filter((tree) => all * BigInt(tree.whole) > BigInt(takenOf(tree)) * whole);
    if (!left.includes(own)) return undefined;
    if (left.length < sharing.length) {
      sharing = left;
      continue;
    }
    const shareOf = (tree: Tree) => Number((all * BigInt(tree.whole)) / whole) - takenOf(tree);
    const isSplit = (all * BigInt(own.whole)) % whole > 0n;
    let rest = units - shareOf(own) - (isSplit ? 1 : 0);
    const shares = new Map(others.map((tree) => [tree, 0]));
    for (const more of [Number.POSITIVE_INFINITY, 1])
      for (const tree of sharing) {
        if (tree === own) continue;
        const has = shares.get(tree)!;
        const most = more === 1 ? has + 1 : shareOf(tree);
        const share = Math.max(has, Math.min(tree.units, most, has + Math.max(0, rest)));
        rest -= share - has;
        shares.set(tree, share);
      }
    return shares;
  }
}

/** A level of the trees that the asker passes: its own node there, and what lies beside it. */
interface Level {
  own: Tree | undefined;
  beside: Tree[];
  mayBorrow: boolean;
}

function levelsOf(tops: Tree[], members: ReadonlySet<number>): Level[] {
  const levels: Level[] = [];
  for (let trees = tops; ; ) {
    const own = trees.find(({ node }) => members.has(node.quotaId));
    levels.push({ own, beside: trees.filter((tree) => tree !== own), mayBorrow: false });
    if (own === undefined) break;
    trees = own.below;
  }
  // From the lowest up: who doesn't borrow, doesn't at any level above either. Who has no node at a level takes what is kept there for all of
  // its parent, and nothing of those that have one.
  let borrows = true;
  for (const level of levels.toReversed()) {
    if (level.own === undefined) continue;
    borrows &&= level.own.node.borrow;
    level.mayBorrow = borrows;
  }
  return levels;
}

/**
 * @param members which quotas count what the asker is promised; those of them that run are its path
 */
export function roomOf(nodes: readonly QuotaNode[], asker: QuotaAsker, members: ReadonlySet<number>): QuotaRoom {
  const path = nodes.filter(({ quotaId }) => members.has(quotaId)).sort((a, b) => depthOf(a) - depthOf(b));
  let capLeft: number | null = null;
  for (const { cap, used, held } of path)
    if (cap !== null) capLeft = Math.min(capLeft ?? Number.POSITIVE_INFINITY, Math.max(0, cap - used - held));
  const levels = levelsOf(treesOf(nodes), members);
  const keptOf = (places: readonly Place[], sellsFrom: SellsFrom): Kept[] => {
    const kept: Kept[] = [];
    let left = unitsAt(places);
    const there = new Map([[asker.channelId, left]]);
    const unitsThere = (channelId: number): number => {
      let units = there.get(channelId);
      if (units === undefined) {
        const theirs = new Set(sellsFrom(channelId));
        units = unitsAt(places.filter(({ locationId }) => theirs.has(locationId)));
        there.set(channelId, units);
      }
      return units;
    };
    const keep = (channelId: number, quotaId: number, units: number) => {
      if (units <= 0) return;
      kept.push({ channelId, quotaId, units });
      left = Math.max(0, left - Math.min(units, unitsThere(channelId)));
    };
    levels.forEach(({ own, beside, mayBorrow }, i) => {
      const parent = levels[i - 1]?.own;
      // What is kept for the parent beyond what is kept for those below it.
      if (parent !== undefined && own !== undefined && !mayBorrow)
        keep(asker.channelId, parent.node.quotaId, Math.min(parent.units, left) - sumOf(parent.below, 'units'));
      // Who is kept nothing itself has no share in it; nor has who doesn't sell there.
      const near = beside.filter(({ node }) => node.channelId === asker.channelId || unitsThere(node.channelId) > 0);
      const shares = own === undefined ? undefined : sharesOf(left, own, near);
      for (const tree of beside) {
        let most = shares?.get(tree) ?? (shares === undefined || !near.includes(tree) ? tree.units : 0);
        most -= ownBelow(tree, members);
        const parts = mayBorrow ? unlentOf(tree) : [{ quotaId: tree.node.quotaId, units: tree.units }];
        for (const part of parts) {
          const units = Math.min(part.units, most);
          most -= units;
          keep(tree.node.channelId, part.quotaId, units);
        }
      }
    });
    return kept;
  };
  return { path: path.map(({ quotaId }) => quotaId), capLeft, keptOf };
}

/**
 * What is left at each place once others have theirs: each channel's from places that it sells from too, those that the asker comes to
 * last first. Who shares fewest places is served first, because they have the least choice.
 */
export function withoutKept(
  places: readonly Place[],
  kept: readonly Kept[],
  sellsFrom: SellsFrom,
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

function unitsAt(places: readonly Place[]): number {
  return places.reduce((sum, { units }) => sum + Math.max(0, units), 0);
}

/** What of these places a room leaves, place by place. */
export function leftWithin(room: QuotaRoom, places: readonly Place[], sellsFrom: SellsFrom): number[] {
  return withoutKept(places, room.keptOf(places, sellsFrom), sellsFrom).left;
}

/** What of dated supply a room leaves, in its order: it keeps for others what the places can't, and of that what comes last. */
export function supplyWithin(
  room: QuotaRoom,
  places: readonly Place[],
  supplies: readonly Place[],
  sellsFrom: SellsFrom,
): number[] {
  const keptThere = new Map<number, number>();
  const add = (quotaId: number, units: number) => keptThere.set(quotaId, (keptThere.get(quotaId) ?? 0) + units);
  const now = room.keptOf(places, sellsFrom);
  for (const { quotaId, units } of now) add(quotaId, units);
  for (const { quotaId, units } of withoutKept(places, now, sellsFrom).missing) add(quotaId, -units);
  const later = room.keptOf([...places, ...supplies], sellsFrom).map((one) => {
    const units = Math.min(one.units, keptThere.get(one.quotaId) ?? 0);
    add(one.quotaId, -units);
    return { ...one, units: one.units - units };
  });
  return withoutKept(supplies, later, sellsFrom).left;
}

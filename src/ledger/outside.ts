/**
 * What other systems have allocated, offset against ours. An ERP's or a WMS's allocation of an order line that we allocated, too, is the
 * same units: only what is beyond ours is deducted from what is free, per line and place. Systems that name the same line mean the
 * same units as well, so the largest of them holds.
 *
 * A report is true of its own moment. Units of its line that were picked later have left it already, whichever of the two is heard of
 * first; the source's own sequence beats its clock, as with counts.
 */
import { numbers, type Tx, texts } from '../store/index.ts';
import * as statements from './outside.sql.ts';
import { type Balance, isAfter, type LineRef, type Said } from './stock.ts';

/**
 * Whose "allocations" are units that a WMS was told to pick and did not find: they are promised to nobody until the place is corrected or
 * counted. No system has a code with a space.
 */
export const SHORT_PICKS = 'short pick';

/** Superseded versions kept of a report: a net count that comes late left out what held at its own moment. */
const EARLIER_MAX = 8;
/** The last moment that a date can be. */
const LATEST = 8.64e15;

export interface OutsideReport {
  source: string;
  sourceId: string;
  skuId: number;
  locationId: number;
  /** Whose it is, when they know one of our lines; null: their own matter. */
  line: LineRef | null;
  /** 0: ended. */
  quantity: number;
  occurredAt: string;
  sourceSequence: number | null;
}

interface Row extends OutsideReport {
  /** Of the quantity, what was not picked since. */
  open: number;
  earlier: (Said & { quantity: number })[];
}

interface Pick extends Said {
  quantity: number;
}

/** All that is said of one line at one place. */
interface Group {
  line: LineRef;
  skuId: number;
  locationId: number;
  rows: Set<Row>;
  /** Our open allocations of the line there. */
  ours: number;
  /** Known where somebody reports or counts; elsewhere what is open says enough. */
  picks: Pick[];
}

interface Place {
  groups: Set<Group>;
  /** Of no line. */
  alone: Set<Row>;
}

interface Counted extends Said {
  skuId: number;
  locationId: number;
}

export class OutsideAllocations {
  readonly #places = new Map<string, Place>();
  readonly #groups = new Map<string, Group>();
  readonly #rows = new Map<string, Row>();
  readonly #changed = new Set<Row>();

  /**
   * Reads what the locked balances say there is, what is reported on, and what net counts may have left out. Costs nothing where no
   * other system has allocated and none is heard of.
   */
  static async open(
    tx: Tx,
    balances: Iterable<Balance>,
    reports: readonly OutsideReport[],
    netCounts: readonly Counted[],
  ): Promise<OutsideAllocations> {
    const outside = new OutsideAllocations();
    const since = new Map<string, { skuId: number; locationId: number; at: string | null }>();
    for (const { skuId, locationId, outsideOpen } of balances)
      if (outsideOpen > 0) since.set(placeKey(skuId, locationId), { skuId, locationId, at: null });
    for (const { skuId, locationId } of reports) {
      const key = placeKey(skuId, locationId);
      if (!since.has(key)) since.set(key, { skuId, locationId, at: null });
    }
    for (const { skuId, locationId, occurredAt } of netCounts) {
      const at = since.get(placeKey(skuId, locationId))?.at ?? null;
      const first = at === null || Date.parse(occurredAt) < Date.parse(at) ? occurredAt : at;
      since.set(placeKey(skuId, locationId), { skuId, locationId, at: first });
    }
    if (since.size === 0) return outside;
    const places = [...since.values()];
    for (const { skuId, locationId } of places)
      outside.#places.set(placeKey(skuId, locationId), { groups: new Set(), alone: new Set() });
    const rows = await tx.query(statements.readOutside, [
      numbers(places.map((p) => p.skuId)),
      numbers(places.map((p) => p.locationId)),
      texts(places.map((p) => p.at)),
    ]);
    if (reports.length > 0)
      rows.push(
        ...(await tx.query(statements.readReported, [
          texts(reports.map((r) => r.source)),
          texts(reports.map((r) => r.sourceId)),
          numbers(reports.map((r) => r.skuId)),
          numbers(reports.map((r) => r.locationId)),
        ])),
      );
    for (const row of rows) outside.#add(rowOf(row));
    // A line that is heard of for the first time: what orders of this very transaction allocate of it counts.
    for (const { skuId, locationId, line } of reports) if (line !== null) outside.#group(skuId, locationId, line);
    await outside.#readOurs(tx, reports, reports.length > 0 || netCounts.length > 0);
    return outside;
  }

  async #readOurs(tx: Tx, reports: readonly OutsideReport[], withPicks: boolean): Promise<void> {
    const groups = [...this.#groups.values()];
    if (groups.length === 0) return;
    const named = [
      numbers(groups.map((_, n) => n)),
      numbers(groups.map((g) => g.line.channelId)),
      texts(groups.map((g) => g.line.externalNo)),
      numbers(groups.map((g) => g.line.lineNo)),
      numbers(groups.map((g) => g.skuId)),
      numbers(groups.map((g) => g.locationId)),
    ];
    for (const row of await tx.query(statements.readOwn, named)) groups[row.n]!.ours = row.quantity;
    if (!withPicks) return;
    const since = new Map(
      groups.map((group) => [group, firstMoment([...group.rows].flatMap((r) => [r, ...r.earlier]))]),
    );
    for (const report of reports) {
      if (report.line === null) continue;
      const group = this.#group(report.skuId, report.locationId, report.line);
      // One that is known may name another line from now on: all that it has been counts.
      const known = this.#rows.get(rowKey(report));
      since.set(group, Math.min(since.get(group)!, firstMoment([report, ...(known === undefined ? [] : [known])])));
    }
    const picks = await tx.query(statements.readPicks, [
      ...named,
      texts(groups.map((group) => new Date(since.get(group)!).toISOString())),
    ]);
    for (const row of picks)
      groups[row.n]!.picks.push({
        quantity: row.quantity,
        source: row.source,
        sourceSequence: row.source_sequence,
        occurredAt: row.occurred_at.toISOString(),
      });
  }

  get isEmpty(): boolean {
    return this.#places.size === 0;
  }

  /** What is deducted for this line there, and may therefore be allocated to it besides what is free. */
  keptFor(skuId: number, locationId: number, line: LineRef): number {
    const group = this.#groups.get(groupKey(skuId, locationId, line));
    return group === undefined ? 0 : deductedOf(group);
  }

  /** What stands in the balance; undefined where nothing is known to be said. */
  sums(skuId: number, locationId: number): { open: number; deducted: number } | undefined {
    const place = this.#places.get(placeKey(skuId, locationId));
    if (place === undefined) return undefined;
    const sums = { open: 0, deducted: 0 };
    for (const { open } of place.alone) {
      sums.open += open;
      sums.deducted += open;
    }
    for (const group of place.groups) {
      for (const { open } of group.rows) sums.open += open;
      sums.deducted += deductedOf(group);
    }
    return sums;
  }

  /** Our own allocation of a line grew, or fell. */
  allocated(skuId: number, locationId: number, line: LineRef, quantity: number): void {
    const group = this.#groups.get(groupKey(skuId, locationId, line));
    if (group !== undefined) group.ours += quantity;
  }

  /** Units of a line left: reports from before that moment are less by as many. */
  picked(skuId: number, locationId: number, line: LineRef, quantity: number, said: Said): void {
    const group = this.#groups.get(groupKey(skuId, locationId, line));
    if (group === undefined) return;
    const pick = { ...said, quantity };
    group.picks.push(pick);
    for (const rows of bySource(group.rows)) {
      const left = new Map(rows.map((row) => [row, row.open]));
      use(left, pick);
      this.#setOpen(left);
    }
  }

  /** @returns whether it holds now: one that is older than what holds changes nothing */
  report(report: OutsideReport): boolean {
    const key = rowKey(report);
    const known = this.#rows.get(key);
    const { source, sourceSequence, occurredAt, quantity } = report;
    if (known !== undefined && isAfter(known, report)) {
      known.earlier = earlierOf([...known.earlier, { source, sourceSequence, occurredAt, quantity }]);
      this.#changed.add(known);
      return false;
    }
    const row: Row = { ...report, open: quantity, earlier: [] };
    let before: Group | undefined;
    if (known !== undefined) {
      row.earlier = earlierOf([known, ...known.earlier]);
      before = this.#remove(known);
      this.#changed.delete(known);
    }
    this.#add(row);
    this.#changed.add(row);
    if (before !== undefined) this.#spread(before);
    if (row.line !== null) this.#spread(this.#group(row.skuId, row.locationId, row.line));
    return true;
  }

  /**
   * Ends what was set aside there as not found, before that moment: all of it where the place was counted, else as many units as were
   * written off, the oldest first. @returns units
   */
  found(skuId: number, locationId: number, at: string, units: number): number {
    const alone = this.#places.get(placeKey(skuId, locationId))?.alone ?? [];
    let found = 0;
    const rows = [...alone].filter((row) => row.source === SHORT_PICKS && row.open > 0);
    for (const row of rows.sort((a, b) => Date.parse(a.occurredAt) - Date.parse(b.occurredAt))) {
      if (found === units || Date.parse(row.occurredAt) > Date.parse(at)) break;
      const ended = Math.min(units - found, row.open);
      row.open -= ended;
      row.quantity = row.open;
      found += ended;
      this.#changed.add(row);
    }
    return found;
  }

  /** What this count's own source had allocated there at its moment, as far as it is known. */
  heldAt(count: Counted): number {
    const place = this.#places.get(placeKey(count.skuId, count.locationId));
    if (place === undefined) return 0;
    let held = 0;
    const versionAt = (row: Row) => [row, ...row.earlier].find((version) => !isAfter(version, count));
    for (const row of place.alone) if (row.source === count.source) held += versionAt(row)?.quantity ?? 0;
    for (const group of place.groups) {
      const left = new Map<Said, number>();
      for (const row of group.rows) {
        const version = row.source === count.source ? versionAt(row) : undefined;
        if (version !== undefined) left.set(version, version.quantity);
      }
      for (const pick of group.picks) if (!isAfter(pick, count)) use(left, pick);
      for (const quantity of left.values()) held += quantity;
    }
    return held;
  }

  async flush(tx: Tx): Promise<void> {
    const rows = [...this.#changed];
    if (rows.length === 0) return;
    tx.write(statements.writeOutside, [
      texts(rows.map((r) => r.source)),
      texts(rows.map((r) => r.sourceId)),
      numbers(rows.map((r) => r.skuId)),
      numbers(rows.map((r) => r.locationId)),
      numbers(rows.map((r) => r.line?.channelId ?? null)),
      texts(rows.map((r) => r.line?.externalNo ?? null)),
      numbers(rows.map((r) => r.line?.lineNo ?? null)),
      numbers(rows.map((r) => r.quantity)),
      numbers(rows.map((r) => r.open)),
      texts(rows.map((r) => r.occurredAt)),
      numbers(rows.map((r) => r.sourceSequence)),
      texts(
        rows.map((r) => JSON.stringify(r.earlier.map((v) => [v.occurredAt, v.sourceSequence ?? null, v.quantity]))),
      ),
    ]);
    this.#changed.clear();
  }

  #group(skuId: number, locationId: number, line: LineRef): Group {
    const key = groupKey(skuId, locationId, line);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { line, skuId, locationId, rows: new Set(), ours: 0, picks: [] };
      this.#groups.set(key, group);
      this.#places.get(placeKey(skuId, locationId))!.groups.add(group);
    }
    return group;
  }

  #add(row: Row): void {
    const key = rowKey(row);
    if (this.#rows.has(key)) return;
    this.#rows.set(key, row);
    if (row.line === null) this.#places.get(placeKey(row.skuId, row.locationId))!.alone.add(row);
    else this.#group(row.skuId, row.locationId, row.line).rows.add(row);
  }

  #remove(row: Row): Group | undefined {
    this.#rows.delete(rowKey(row));
    this.#places.get(placeKey(row.skuId, row.locationId))!.alone.delete(row);
    if (row.line === null) return undefined;
    const group = this.#group(row.skuId, row.locationId, row.line);
    group.rows.delete(row);
    return group;
  }

  #spread(group: Group): void {
    for (const rows of bySource(group.rows)) {
      const left = new Map(rows.map((row) => [row, row.quantity]));
      for (const pick of group.picks) use(left, pick);
      this.#setOpen(left);
    }
  }

  #setOpen(left: ReadonlyMap<Row, number>): void {
    for (const [row, open] of left) {
      if (row.open === open) continue;
      row.open = open;
      this.#changed.add(row);
    }
  }
}

/**
 * Takes a pick's units out of what was reported before it, of the newest report first: an older one may be what an older pick, not heard
 * of yet, has to be taken out of. So the sum is the same in whatever order picks come.
 */
function use<V extends Said>(left: Map<V, number>, pick: Pick): void {
  let units = pick.quantity;
  for (const version of [...left.keys()].sort(newestFirst)) {
    if (units === 0) return;
    if (!isAfter(pick, version)) continue;
    const used = Math.min(units, left.get(version)!);
    left.set(version, left.get(version)! - used);
    units -= used;
  }
}

function newestFirst(a: Said, b: Said): number {
  return isAfter(a, b) ? -1 : isAfter(b, a) ? 1 : 0;
}

function earlierOf(versions: readonly (Said & { quantity: number })[]): Row['earlier'] {
  return versions
    .map(({ source, sourceSequence, occurredAt, quantity }) => ({ source, sourceSequence, occurredAt, quantity }))
    .sort(newestFirst)
    .slice(0, EARLIER_MAX);
}

function deductedOf({ rows, ours }: Group): number {
  let theirs = 0;
  for (const own of bySource(rows))
    theirs = Math.max(
      theirs,
      own.reduce((sum, { open }) => sum + open, 0),
    );
  return Math.max(0, theirs - ours);
}

function bySource(rows: Iterable<Row>): Row[][] {
  const sources = new Map<string, Row[]>();
  for (const row of rows) {
    const list = sources.get(row.source);
    if (list === undefined) sources.set(row.source, [row]);
    else list.push(row);
  }
  return [...sources.values()];
}

function firstMoment(said: readonly Said[]): number {
  return said.reduce((first, { occurredAt }) => Math.min(first, Date.parse(occurredAt)), LATEST);
}

function rowOf(row: statements.OutsideRow): Row {
  const { source, channel_id: channelId, external_no: externalNo, line_no: lineNo } = row;
  return {
    source,
    sourceId: row.source_id,
    skuId: row.sku_id,
    locationId: row.location_id,
    line: channelId === null ? null : { channelId, externalNo: externalNo!, lineNo: lineNo! },
    quantity: row.quantity,
    open: row.open_quantity,
    occurredAt: row.occurred_at.toISOString(),
    sourceSequence: row.source_sequence,
    earlier: row.earlier.map(([occurredAt, sourceSequence, quantity]) => ({
      ...{ source, occurredAt, sourceSequence, quantity },
    })),
  };
}

function placeKey(skuId: number, locationId: number): string {
  return `${skuId}@${locationId}`;
}

function groupKey(skuId: number, locationId: number, { channelId, externalNo, lineNo }: LineRef): string {
  return `${placeKey(skuId, locationId)} ${channelId} ${lineNo} ${externalNo}`;
}

function rowKey({ source, sourceId, skuId, locationId }: OutsideReport): string {
  return JSON.stringify([source, sourceId, skuId, locationId]);
}

/**
 * Codes and ids. What the estate declares is read once at start; SKUs and accounts are cached as they are met.
 * Ids never change and codes are never reused, so a cached pair can't be wrong; only an absence is never cached.
 */
import { BASE_UNIT_DEFAULT, type OrderRule, type Units } from '../canonical/index.ts';
import { type Database, numbers, type Queryable, texts } from '../store/index.ts';
import { channelEntryOf } from './channel-entry.ts';
import { type CreditPolicy, creditPolicyOf } from './credit-policy.ts';
import { type DeclaredEstate, type DeclaredRules, ruleNames } from './declared-estate.ts';
import * as statements from './directory.sql.ts';
import type { ChannelEntry, CompanyEntry, DestinationEntry, HoldTerms, LocationEntry } from './entries.ts';
import type { MatchKind } from './match-rules.ts';
import { locationSourcing, PostalAreas } from './sourcing.ts';
import { readChangedBaseUnits } from './units.sql.ts';
import { readOrderRules, readUnits } from './units.ts';

/** How old a base unit may be that an answer names, and the longest a transaction that changes one takes. */
const UNITS_READ_MS = 5_000;
const UNITS_OVERLAP_SECONDS = 60;

export class Directory {
  readonly #db: Database;
  readonly companies = new Map<string, CompanyEntry>();
  readonly locations = new Map<string, LocationEntry>();
  readonly channels = new Map<string, ChannelEntry>();
  readonly destinations = new Map<string, DestinationEntry>();
  readonly locationById = new Map<number, LocationEntry>();
  readonly channelById = new Map<number, ChannelEntry>();
  readonly companyById = new Map<number, CompanyEntry>();
  readonly #skuIds = new Map<string, number>();
  readonly #skuCodes = new Map<number, string>();
  /** Those that aren't the usual one. */
  readonly #baseUnits = new Map<number, string>();
  /** Grows when a base unit that was told is another one. */
  unitsVersion = 0;
  #unitsReadAt = Number.NEGATIVE_INFINITY;
  readonly #units = new Map<number, Units>();
  readonly #orderRules = new Map<number, OrderRule>();
  readonly #accountIds = new Map<string, number>();
  readonly #accountCodes = new Map<number, string>();
  readonly #mergedAccounts = new Map<number, number>();
  readonly #completeAccounts = new Set<number>();
  readonly #countsNet = new Set<string>();
  #margin = { units: 0, percent: 0 };
  readonly #declaredLimits = new Map<number, { buffer: number; share: number }>();
  /** As declared. */
  readonly rules: DeclaredRules = {};
  readonly #crosswalks = new Map<string, readonly { from: number; to: number; code: string }[]>();
  postalAreas = new PostalAreas();
  /** Ends the names of what the hub numbers itself: another hub of the same systems has another. */
  #referenceEnding = '';

  private constructor(db: Database) {
    this.#db = db;
  }

  /** What the estate declares of credit. */
  get credit(): CreditPolicy {
    return creditPolicyOf(this.rules.credit);
  }

  get referenceEnding(): string {
    return this.#referenceEnding;
  }

  fulfilmentReference(fulfilmentId: number): string {
    return `F${fulfilmentId}${this.#referenceEnding}`;
  }

  returnReference(returnId: number): string {
    return `R${returnId}${this.#referenceEnding}`;
  }

  /** Of a cancellation (C) or of goods that came back (R). */
  documentReference(kind: 'A' | 'C' | 'R', orderId: number, version: number): string {
    return `${kind}/${orderId}${this.#referenceEnding}/${version}`;
  }

  /** null: it is none of ours. */
  fulfilmentIdOf(reference: string): number | null {
    return this.#numberOf('F', reference);
  }

  /** null: it is none of ours. */
  returnIdOf(reference: string): number | null {
    return this.#numberOf('R', reference);
  }

  #numberOf(kind: 'F' | 'R', reference: string): number | null {
    if (!reference.startsWith(kind) || !reference.endsWith(this.#referenceEnding)) return null;
    const value = Number(reference.slice(kind.length, reference.length - this.#referenceEnding.length));
    return Number.isSafeInteger(value) && value > 0 ? value : null;
  }

  /** Writes what the estate declares (added or changed, never removed) and reads the ids. Safe to run in many processes. */
  static async open(db: Database, estate: DeclaredEstate): Promise<Directory> {
    const directory = new Directory(db);
    directory.#referenceEnding = await readReferenceEnding(db);
    for (const code of Object.keys(estate.companies).sort()) {
      const { currency, timeZone } = estate.companies[code]!;
      const [row] = await db.query(statements.upsertCompany, [code, currency, timeZone]);
      const entry = { companyId: row!.company_id, code, currency, timeZone };
      directory.companies.set(code, entry);
      directory.companyById.set(entry.companyId, entry);
    }
    directory.postalAreas = new PostalAreas(estate.postalAreas);
    for (const code of Object.keys(estate.locations).sort()) {
      const { company, region, priority = 0, safetyStock = 0, returns = null, ...declared } = estate.locations[code]!;
      const companyId = directory.companies.get(company)!.companyId;
      const { settings, ...sourcing } = locationSourcing(declared, estate.calendars);
      const told = returns === null ? null : JSON.stringify(returns);
      const values = [code, companyId, region, priority, safetyStock, settings, told];
      const [row] = await db.query(statements.upsertLocation, values);
      const entry = { locationId: row!.location_id, code, companyId, region, priority, returns, ...sourcing };
      directory.locations.set(code, entry);
      directory.locationById.set(entry.locationId, entry);
    }
    for (const code of Object.keys(estate.channels).sort()) {
      const declared = estate.channels[code]!;
      const companyId = directory.companies.get(declared.company)!.companyId;
      const [row] = await db.query(statements.upsertChannel, [code, companyId, JSON.stringify(declared)]);
      const entry = channelEntryOf(
        { channelId: row!.channel_id, code, companyId },
        declared,
        estate,
        declared.locations.map((location) => directory.locations.get(location)!),
      );
      directory.channels.set(code, entry);
      directory.channelById.set(entry.channelId, entry);
    }
    for (const name of ruleNames) {
      const settings = estate[name] ?? {};
      await db.query(statements.upsertRule, [name, JSON.stringify(settings)]);
      Object.assign(directory.rules, { [name]: settings });
    }
    for (const code of Object.keys(estate.systems).sort()) {
      const { quantities = 'gross' } = estate.systems[code]!;
      const net = quantities === null ? null : quantities === 'net';
      const [row] = await db.query(statements.upsertDestination, [code, net]);
      directory.destinations.set(code, { destinationId: row!.destination_id, code });
      if (row!.counts_net) directory.#countsNet.add(code);
    }
    return directory;
  }

  /** Whether a system's counts leave out what it has allocated itself. */
  countsNet(system: string): boolean {
    return this.#countsNet.has(system);
  }

  holdTerms(kind: string): HoldTerms {
    const {
      owner = 'operations',
      dueMinutes = null,
      onDue = 'alert',
      onLift = 'release',
    } = this.rules.holds?.[kind] ?? {};
    return { owner, dueMinutes, onDue, onLift };
  }

  /** Whether goods that come back there are inspected before they are on hand, and when they are credited. The channel's word counts more. */
  inspectionOf(channel: ChannelEntry, locationId: number): 'before_credit' | 'after_credit' | undefined {
    const declared = channel.returns ?? this.locationById.get(locationId)?.returns ?? null;
    if (declared === null || !declared.inspect) return undefined;
    return declared.credit === 'receipt' ? 'after_credit' : 'before_credit';
  }

  /**
   * What is kept out of all numbers and promises on top of what channels declare, while the WMS is away: so many units a SKU and channel, and such a part of
   * what is free; null: nothing. @returns whether that changed
   */
  applyMargin(margin: { units: number; percent: number } | null): boolean {
    const { units = 0, percent = 0 } = margin ?? {};
    if (units === this.#margin.units && percent === this.#margin.percent) return false;
    this.#margin = { units, percent };
    for (const entry of this.channels.values()) {
      const declared = this.#declaredLimits.get(entry.channelId) ?? { buffer: entry.buffer, share: entry.share };
      this.#declaredLimits.set(entry.channelId, declared);
      entry.buffer = declared.buffer + units;
      entry.share = (declared.share * (100 - percent)) / 100;
    }
    return true;
  }

  /** Channels that sell by themselves: those that hold exposures. */
  get selfSelling(): ChannelEntry[] {
    return [...this.channels.values()].filter((channel) => channel.sellsByItself);
  }

  /** Makes sure that all codes that exist are known; afterwards {@link findSkuId} needs no wait. */
  async loadSkus(codes: Iterable<string>): Promise<void> {
    await this.readChangedUnits();
    const missing = new Set<string>();
    for (const code of codes) if (!this.#skuIds.has(code)) missing.add(code);
    if (missing.size === 0) return;
    for (const row of await this.#db.query(statements.findSkus, [texts([...missing])])) this.#rememberSku(row);
  }

  /**
   * Reads what a system's own ids mean, by kind. Business keys and times are what the caller has; entries are read whole, because each
   * item has its own time.
   */
  async loadCrosswalk(system: string, outsideIds: ReadonlyMap<string, ReadonlySet<string>>): Promise<void> {
    const ids = new Set([...outsideIds.values()].flatMap((some) => [...some]));
    if (ids.size === 0) return;
    const asked = [system, texts([...outsideIds.keys()]), texts([...ids])];
    const rows = await this.#db.query(statements.findCrosswalk, asked);
    // An entry may have been changed since it was read: unlike ids, it is not true for ever. In one go: others decide meanwhile.
    for (const [kind, some] of outsideIds) for (const id of some) this.#crosswalks.delete(`${system}/${kind}/${id}`);
    for (const row of rows) {
      if (outsideIds.get(row.kind)?.has(row.outside_id) !== true) continue;
      const key = `${system}/${row.kind}/${row.outside_id}`;
      const entry = { from: Number(row.valid_from), to: Number(row.valid_to), code: row.our_code };
      this.#crosswalks.set(key, [...(this.#crosswalks.get(key) ?? []), entry]);
    }
  }

  /** Records that were taken back are looked up again when they are named. Ids stay, so whoever has one may go on with it. */
  async forgetWithdrawn(): Promise<void> {
    for (const row of await this.#db.query(statements.findWithdrawn)) {
      if (row.sku_code !== null) this.#skuIds.delete(row.sku_code);
      else this.#accountIds.delete(`${row.company_id}/${row.account_code}`);
    }
  }

  /** What a system's id meant at that time (ms; null: now); an id without an entry that held then stands for itself. */
  ourCode(system: string, kind: string, outsideId: string, at: number | null): string {
    return this.mappedCode(system, kind, outsideId, at) ?? outsideId;
  }

  /** The same; undefined: no entry held then. */
  mappedCode(system: string, kind: string, outsideId: string, at: number | null): string | undefined {
    if (this.#crosswalks.size === 0) return undefined;
    const entries = this.#crosswalks.get(`${system}/${kind}/${outsideId}`);
    if (entries === undefined) return undefined;
    const time = at ?? Date.now();
    return entries.find(({ from, to }) => from <= time && time < to)?.code;
  }

  /** Whether a system's codes never are ours: one without an entry is matched before anything is done with it. */
  hasOwnCodes(system: string, kind: MatchKind): boolean {
    return this.rules.matching?.[kind]?.systems.includes(system) === true;
  }

  /** Units as they are now, of SKUs that something is said of in another unit. */
  async loadUnits(skuIds: readonly number[]): Promise<void> {
    for (const [skuId, units] of await readUnits(this.#db, skuIds)) this.#units.set(skuId, units);
  }

  /** Of a SKU whose units were loaded. */
  unitsOf(skuId: number): Units {
    return this.#units.get(skuId) ?? { sku: this.skuCode(skuId), base: this.skuUnit(skuId), others: new Map() };
  }

  /** What may be ordered of these, as it is now. */
  async loadOrderRules(skuIds: readonly number[]): Promise<void> {
    const rules = await readOrderRules(this.#db, skuIds);
    // In one go: others decide meanwhile by what is known.
    if (this.#orderRules.size > 0) for (const skuId of skuIds) this.#orderRules.delete(skuId);
    for (const [skuId, rule] of rules) this.#orderRules.set(skuId, rule);
  }

  orderRule(skuId: number): OrderRule | undefined {
    return this.#orderRules.get(skuId);
  }

  findSkuId(code: string): number | undefined {
    return this.#skuIds.get(code);
  }

  async loadSkuCodes(skuIds: Iterable<number>): Promise<void> {
    await this.readChangedUnits();
    const missing = new Set<number>();
    for (const id of skuIds) if (!this.#skuCodes.has(id)) missing.add(id);
    if (missing.size === 0) return;
    for (const row of await this.#db.query(statements.findSkuCodes, [numbers([...missing])])) this.#rememberSku(row);
  }

  skuCode(skuId: number): string {
    const code = this.#skuCodes.get(skuId);
    if (code === undefined) throw new Error(`SKU ${skuId} was not loaded`);
    return code;
  }

  async loadAccounts(accounts: Iterable<{ companyId: number; code: string }>): Promise<void> {
    const missing = new Map<string, { companyId: number; code: string }>();
    for (const account of accounts) {
      const key = `${account.companyId}/${account.code}`;
      if (!this.#accountIds.has(key)) missing.set(key, account);
    }
    if (missing.size === 0) return;
    const list = [...missing.values()];
    const rows = await this.#db.query(statements.findAccounts, [
      numbers(list.map((a) => a.companyId)),
      texts(list.map((a) => a.code)),
    ]);
    for (const row of rows) {
      this.#accountIds.set(`${row.company_id}/${row.code}`, row.account_id);
      this.#accountCodes.set(row.account_id, row.code);
    }
  }

  /** Which of them are merged into others, and whose orders leave only whole, as it is now: unlike ids, it is not true for ever. */
  async loadMerged(accounts: readonly { companyId: number; code: string }[]): Promise<void> {
    if (accounts.length === 0) return;
    const rows = await this.#db.query(statements.findMerged, [
      numbers(accounts.map((a) => a.companyId)),
      texts(accounts.map((a) => a.code)),
    ]);
    // In one go: others decide meanwhile by what is known.
    for (const { companyId, code } of accounts) {
      const id = this.findAccountId(companyId, code);
      if (id === undefined) continue;
      this.#mergedAccounts.delete(id);
      this.#completeAccounts.delete(id);
    }
    for (const { account_id: id, merged_into: other, ship_complete: isComplete } of rows) {
      if (other !== null) this.#mergedAccounts.set(id, other);
      if (isComplete) this.#completeAccounts.add(id);
    }
  }

  /** The account that it was merged into, else itself. */
  followAccount(accountId: number): number {
    return this.#mergedAccounts.get(accountId) ?? accountId;
  }

  /** Whether nothing of its orders leaves before all of it is there; as it was when {@link loadMerged} looked last. */
  shipsComplete(accountId: number): boolean {
    return this.#completeAccounts.has(accountId);
  }

  findAccountId(companyId: number, code: string): number | undefined {
    return this.#accountIds.get(`${companyId}/${code}`);
  }

  async loadAccountCodes(accountIds: Iterable<number>): Promise<void> {
    const missing = new Set<number>();
    for (const id of accountIds) if (!this.#accountCodes.has(id)) missing.add(id);
    if (missing.size === 0) return;
    for (const row of await this.#db.query(statements.findAccountCodes, [numbers([...missing])]))
      this.#accountCodes.set(row.account_id, row.code);
  }

  accountCode(accountId: number): string {
    const code = this.#accountCodes.get(accountId);
    if (code === undefined) throw new Error(`account ${accountId} was not loaded`);
    return code;
  }

  #rememberSku({ sku_id: skuId, code, unit }: { sku_id: number; code: string; unit: string }): void {
    this.#skuIds.set(code, skuId);
    this.#skuCodes.set(skuId, code);
    this.#rememberUnit(skuId, unit);
  }

  #rememberUnit(skuId: number, unit: string): void {
    if (unit === this.skuUnit(skuId)) return;
    this.unitsVersion++;
    if (unit === BASE_UNIT_DEFAULT) this.#baseUnits.delete(skuId);
    else this.#baseUnits.set(skuId, unit);
  }

  /** The base unit of a SKU that was loaded. */
  skuUnit(skuId: number): string {
    return this.#baseUnits.get(skuId) ?? BASE_UNIT_DEFAULT;
  }

  /**
   * A base unit changes where nothing is counted in it, so hardly ever: what answers say of it may be {@link UNITS_READ_MS} old. Whoever
   * converts reads it anew.
   */
  readChangedUnits(): Promise<void> | undefined {
    const now = performance.now();
    const sinceMs = now - this.#unitsReadAt;
    if (sinceMs < UNITS_READ_MS) return undefined;
    this.#unitsReadAt = now;
    if (!Number.isFinite(sinceMs)) return undefined;
    const seconds = Math.ceil(sinceMs / 1_000) + UNITS_OVERLAP_SECONDS;
    return this.#db.query(readChangedBaseUnits, [seconds]).then((rows) => {
      for (const row of rows) this.#rememberUnit(row.sku_id, row.unit);
    });
  }
}

/** How the names end that the hub gives by its own numbers. */
export async function readReferenceEnding(db: Queryable): Promise<string> {
  return (await db.query(statements.readReferenceEnding))[0]!.reference_ending;
}

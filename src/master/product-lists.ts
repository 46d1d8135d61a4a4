/** What products are made of and what may be sent instead of them, as far as a batch reaches: read under the writers' lock. */
import type { KitComponent } from '../canonical/index.ts';
import { numbers, type Tx, texts } from '../store/index.ts';
import { findSkus } from './directory.sql.ts';
import { type Finding, shown } from './findings.ts';
import { cycleThrough, longestThrough } from './graph.ts';
import * as statements from './product-lists.sql.ts';

/** Steps from a kit to what is no kit. */
export const KIT_DEPTH_MAX = 5;
/** Steps from a SKU over what may be sent instead of it, what instead of that, and so on. */
export const SUBSTITUTE_CHAIN_MAX = 5;

export class ProductLists {
  /** By kit and component: how many. */
  readonly #kits = new Map<string, Map<string, number>>();
  readonly #substitutes = new Map<string, string[]>();
  /** Of all that is named. */
  readonly ids = new Map<string, number>();

  /** Locks what it reads against other writers. @param named by SKU, the codes that its new list names */
  static async read(
    tx: Tx,
    kits: ReadonlyMap<string, ReadonlySet<string>>,
    substitutes: ReadonlyMap<string, ReadonlySet<string>>,
  ): Promise<ProductLists> {
    const lists = new ProductLists();
    const all = (named: ReadonlyMap<string, ReadonlySet<string>>) => [
      ...new Set([...named].flatMap(([sku, others]) => [sku, ...others])),
    ];
    // One writer at a time: two lists at once, each sound, could close a circle together.
    if (substitutes.size > 0) {
      await tx.query(statements.lockSubstitutes);
      for (const { sku, other } of await tx.query(statements.readSubstitutesAround, [texts(all(substitutes))])) {
        const list = lists.#substitutes.get(sku);
        if (list === undefined) lists.#substitutes.set(sku, [other]);
        else list.push(other);
      }
    }
    if (kits.size > 0) {
      await tx.query(statements.lockKits);
      for (const { sku, other, quantity } of await tx.query(statements.readKitsAround, [texts(all(kits))])) {
        const list = lists.#kits.get(sku) ?? new Map<string, number>();
        lists.#kits.set(sku, list.set(other, quantity));
      }
    }
    const codes = [...new Set([...all(kits), ...all(substitutes)])];
    if (codes.length > 0)
      for (const row of await tx.query(findSkus, [texts(codes)])) lists.ids.set(row.code, row.sku_id);
    return lists;
  }

  kitOf(sku: string): KitComponent[] {
    return [...(this.#kits.get(sku) ?? [])]
      .map(([component, quantity]) => ({ sku: component, quantity }))
      .sort((a, b) => (a.sku < b.sku ? -1 : 1));
  }

  substitutesOf(sku: string): string[] {
    return this.#substitutes.get(sku) ?? [];
  }

  /** Takes the list, so that those after it are judged with it, unless it can't be: then it stays as it was. */
  putKit(sku: string, kit: readonly KitComponent[]): Finding | undefined {
    const unknown = kit.find((one) => !this.ids.has(one.sku));
    if (unknown !== undefined) return unknownSku('kit', unknown.sku);
    const before = this.#kits.get(sku);
    this.#kits.set(sku, new Map(kit.map((one) => [one.sku, one.quantity])));
    const edges = new Map([...this.#kits].map(([code, list]) => [code, [...list.keys()]]));
    const cycle = cycleThrough(edges, sku);
    const steps = cycle === undefined ? longestThrough(edges, sku) : 0;
    if (cycle === undefined && steps <= KIT_DEPTH_MAX) return undefined;
    if (before === undefined) this.#kits.delete(sku);
    else this.#kits.set(sku, before);
    if (cycle !== undefined)
      return {
        ...{ class: 'kit_cycle', code: 'XD_KIT_CYCLE', field: 'kit' },
        reason: `${sku} would be made of itself: ${cycle.join(' > ')}`,
      };
    return {
      ...{ class: 'kit_depth', code: 'XD_VALUE_INVALID', field: 'kit' },
      reason: `kits through ${sku} are made of kits over ${steps} steps, at most ${KIT_DEPTH_MAX}`,
    };
  }

  putSubstitutes(sku: string, list: readonly string[]): Finding | undefined {
    const unknown = list.find((code) => !this.ids.has(code));
    if (unknown !== undefined) return unknownSku('substitutes', unknown);
    const before = this.#substitutes.get(sku);
    this.#substitutes.set(sku, [...list]);
    const cycle = cycleThrough(this.#substitutes, sku);
    const steps = cycle === undefined ? longestThrough(this.#substitutes, sku) : 0;
    if (cycle === undefined && steps <= SUBSTITUTE_CHAIN_MAX) return undefined;
    if (before === undefined) this.#substitutes.delete(sku);
    else this.#substitutes.set(sku, before);
    if (cycle !== undefined)
      return {
        ...{ class: 'substitute_cycle', code: 'XD_SUBSTITUTE_CYCLE', field: 'substitutes' },
        reason: `${sku} would stand for itself in the end: ${cycle.join(' > ')}`,
      };
    return {
      ...{ class: 'substitute_chain', code: 'XD_VALUE_INVALID', field: 'substitutes' },
      reason: `the chain through ${sku} has ${steps} steps, at most ${SUBSTITUTE_CHAIN_MAX}`,
    };
  }

  /** What was judged is not taken after all. */
  restore(sku: string, kit: readonly KitComponent[], substitutes: readonly string[]): void {
    if (this.#kits.has(sku)) this.#kits.set(sku, new Map(kit.map((one) => [one.sku, one.quantity])));
    if (this.#substitutes.has(sku)) this.#substitutes.set(sku, [...substitutes]);
  }

  /** Writes the lists of these SKUs as they are by now. */
  write(tx: Tx, kits: readonly string[], substitutes: readonly string[]): void {
    const idOf = (code: string) => this.ids.get(code)!;
    if (kits.length > 0) {
      const rows = kits.flatMap((sku) => this.kitOf(sku).map((one) => ({ kit: idOf(sku), ...one })));
      tx.write(statements.removeKits, [numbers(kits.map(idOf))]);
      tx.write(statements.insertKits, [
        numbers(rows.map((row) => row.kit)),
        numbers(rows.map((row) => idOf(row.sku))),
        numbers(rows.map((row) => row.quantity)),
      ]);
    }
    if (substitutes.length > 0) {
      const rows = substitutes.flatMap((sku) =>
        this.substitutesOf(sku).map((other, rank) => ({ sku: idOf(sku), rank: rank + 1, other: idOf(other) })),
      );
      tx.write(statements.removeSubstitutes, [numbers(substitutes.map(idOf))]);
      tx.write(statements.insertSubstitutes, [
        numbers(rows.map((row) => row.sku)),
        numbers(rows.map((row) => row.rank)),
        numbers(rows.map((row) => row.other)),
      ]);
    }
  }
}

function unknownSku(field: string, code: string): Finding {
  return {
    ...{ class: 'unknown_sku', code: 'XD_UNKNOWN_SKU', field },
    reason: `no SKU ${shown(code)}`,
    waitKey: `sku ${code}`,
  };
}

/** Units of products: what counts what, and how much of it may be ordered at once. */
import {
  type ErrorCode,
  fail,
  gtin14Of,
  isUnit,
  ORDER_ROUNDINGS,
  type OrderRule,
  PACK_LEVELS,
  type ProductUnit,
  quantityOf,
  type Unit,
  type Units,
} from '../canonical/index.ts';
import { numbers, type Queryable, type Tx, texts } from '../store/index.ts';
import { type ProductValues, unitsOf } from './product-values.ts';
import * as statements from './units.sql.ts';

export const UNITS_MAX = 50;

type UnitFields = { sku: string } & Pick<
  ProductValues,
  'unit' | 'units' | 'orderMultiple' | 'orderMinimum' | 'orderRounding'
>;

/** @throws XD_UNKNOWN_UNIT, XD_VALUE_INVALID naming place and value */
export function checkProductUnits(record: UnitFields, place: string): void {
  const wrong = (name: string, why: string): never =>
    fail('XD_VALUE_INVALID', `${place}.${name}: ${why}`, { place: `${place}.${name}` });
  const { unit, units = [], orderMultiple, orderMinimum, orderRounding } = record;
  if (unit !== undefined && !isUnit(unit)) wrong('unit', `${JSON.stringify(unit.slice(0, 40))} is no code of a unit`);
  if (units.length > UNITS_MAX) wrong('units', `${units.length} units; at most ${UNITS_MAX}`);
  const seen = new Set<string>();
  for (const [i, one] of units.entries()) {
    if (!isUnit(one.unit)) wrong(`units[${i}].unit`, `${JSON.stringify(one.unit.slice(0, 40))} is no code of a unit`);
    if (one.unit === unit || seen.has(one.unit)) wrong(`units[${i}].unit`, `${one.unit} is said twice`);
    seen.add(one.unit);
    if (!PACK_LEVELS.includes(one.packLevel))
      wrong(`units[${i}].packLevel`, `must be one of ${PACK_LEVELS.join(', ')}`);
    quantityOf(one.numerator, `${place}.units[${i}].numerator`);
    if (one.denominator !== undefined) quantityOf(one.denominator, `${place}.units[${i}].denominator`);
    if (one.gtin !== undefined && gtin14Of(one.gtin) === undefined)
      wrong(`units[${i}].gtin`, `${JSON.stringify(one.gtin.slice(0, 40))} is no GTIN: digits or check digit`);
  }
  if (orderMultiple !== undefined) quantityOf(orderMultiple, `${place}.orderMultiple`);
  if (orderMinimum !== undefined) quantityOf(orderMinimum, `${place}.orderMinimum`);
  if (orderRounding !== undefined && !ORDER_ROUNDINGS.includes(orderRounding))
    wrong('orderRounding', `must be one of ${ORDER_ROUNDINGS.join(', ')}`);
}

export interface RefusedUnits {
  /** As what it is set aside. */
  class: 'unit_in_use' | 'gtin_taken' | 'value_invalid';
  code: ErrorCode;
  field: 'unit' | 'units';
  reason: string;
}

/**
 * Records whose unit or units can't be taken as things are: a base unit that something is counted in (it would mean something else from
 * then on), a unit that is the base unit, a trade item number that is another's.
 */
export async function refusedUnits<R extends UnitFields>(
  db: Queryable,
  records: readonly R[],
): Promise<Map<R, RefusedUnits>> {
  const refused = new Map<R, RefusedUnits>();
  const naming = records.filter(({ unit, units }) => unit !== undefined || units !== undefined);
  if (naming.length === 0) return refused;
  const rows = await db.query(statements.readUnitsInUse, [
    texts(naming.map(({ sku }) => sku.toUpperCase())),
    texts(naming.map(({ unit }) => unit ?? null)),
    `{${naming.map(({ units }) => (units === undefined ? 'f' : 't')).join(',')}}`,
  ]);
  for (const { at, unit, used } of rows) {
    const record = naming[at]!;
    if (used !== null) {
      const reason = `${record.sku} is counted in ${unit}, not ${record.unit}, and there are ${used} in it`;
      refused.set(record, { class: 'unit_in_use', code: 'XD_UNIT_IN_USE', field: 'unit', reason });
    }
    const base = record.unit ?? unit;
    if (record.units?.some((one) => one.unit === base)) {
      const reason = `${base} is the base unit of ${record.sku}: it can be no multiple of itself`;
      refused.set(record, { class: 'value_invalid', code: 'XD_VALUE_INVALID', field: 'units', reason });
    }
  }
  const holders = new Map<string, string>();
  const gtins = naming.flatMap(({ units }) => units?.flatMap(({ gtin }) => (gtin ? [gtin14Of(gtin)!] : [])) ?? []);
  if (gtins.length > 0)
    for (const row of await db.query(statements.findUnitGtins, [texts(gtins)])) holders.set(row.gtin, row.sku);
  for (const record of naming)
    for (const { gtin, unit } of record.units ?? []) {
      if (!gtin) continue;
      const [number, sku] = [gtin14Of(gtin)!, record.sku.toUpperCase()];
      const holder = holders.get(number);
      if (holder !== undefined && holder !== sku) {
        const reason = `GTIN ${number} of ${sku} ${unit} is that of ${holder} already`;
        refused.set(record, { class: 'gtin_taken', code: 'XD_REFUSED', field: 'units', reason });
      } else holders.set(number, sku);
    }
  return refused;
}

/** Those of these products, by code, as they are compared. */
export async function readUnitLists(db: Queryable, codes: readonly string[]): Promise<(code: string) => ProductUnit[]> {
  const rows = codes.length === 0 ? [] : await db.query(statements.readUnitLists, [texts(codes)]);
  const by = Map.groupBy(rows, (row) => row.code);
  return (code) =>
    unitsOf(
      (by.get(code) ?? []).map(({ pack_level: packLevel, gtin, ...row }) => ({ ...row, packLevel, gtin: gtin ?? '' })),
    );
}

/** All units of each, in place of those that it had. The products' rows are locked. */
export function writeUnitLists(tx: Tx, lists: readonly { skuId: number; units: readonly ProductUnit[] }[]): void {
  if (lists.length === 0) return;
  tx.write(statements.deleteUnits, [numbers(lists.map(({ skuId }) => skuId))]);
  const all = lists.flatMap(({ skuId, units }) => units.map((unit) => ({ skuId, ...unit })));
  if (all.length > 0)
    tx.write(statements.insertUnits, [
      numbers(all.map(({ skuId }) => skuId)),
      texts(all.map(({ unit }) => unit)),
      texts(all.map(({ packLevel }) => packLevel)),
      numbers(all.map(({ numerator }) => numerator)),
      numbers(all.map(({ denominator = 1 }) => denominator)),
      texts(all.map(({ gtin }) => gtin ?? null)),
    ]);
}

/** As they are now: unlike ids, they are not true for ever. */
export async function readUnits(db: Queryable, skuIds: readonly number[]): Promise<Map<number, Units>> {
  const units = new Map<number, Units>();
  if (skuIds.length === 0) return units;
  for (const row of await db.query(statements.readUnits, [numbers(skuIds)])) {
    let entry = units.get(row.sku_id) as (Units & { others: Map<string, Unit> }) | undefined;
    if (entry === undefined) {
      entry = { sku: row.code, base: row.base, others: new Map() };
      units.set(row.sku_id, entry);
    }
    if (row.unit !== null)
      entry.others.set(row.unit, {
        ...{ unit: row.unit, packLevel: row.pack_level },
        ...{ numerator: row.numerator, denominator: row.denominator },
      });
  }
  return units;
}

/** What may be ordered, of SKUs of which not everything may. */
export async function readOrderRules(db: Queryable, skuIds: readonly number[]): Promise<Map<number, OrderRule>> {
  if (skuIds.length === 0) return new Map();
  const rows = await db.query(statements.readOrderRules, [numbers(skuIds)]);
  return new Map(
    rows.map(({ sku_id: skuId, multiple, minimum, rounding }) => [skuId, { multiple, minimum, rounding }]),
  );
}

/** Products: what systems and people say of them is weighed field by field under the lock of their rows, and written in sets. */
import { CrossdockError, type KitComponent, type ProductField, type ProductUnit } from '../canonical/index.ts';
import { type Database, numbers, type Tx, texts } from '../store/index.ts';
import type { Directory } from './directory.ts';
import { addFinding, type Finding, type Findings, failAtFirst } from './findings.ts';
import { claimGtins } from './gtins.ts';
import { mayCreate, type OwnerRules, readOwnerRules } from './owners.ts';
import { ProductLists } from './product-lists.ts';
import { NEW_PRODUCT, type ProductValues, productValues } from './product-values.ts';
import * as statements from './products.sql.ts';
import { momentOf, PERSON } from './provenance.ts';
import { endMoot, queueForSteward } from './stewardship.ts';
import { checkProductUnits, readUnitLists, refusedUnits, writeUnitLists } from './units.ts';
import { type ForSteward, WeighedRecord } from './weighed-record.ts';

/** What is absent is not said. */
export interface ProductRecord extends ProductValues {
  sku: string;
  /** When its system changed it; absent: it holds from now on. So with the others. */
  changedAt?: string;
  /** Who says it; absent: a person. */
  system?: string;
}

export interface WriteOptions {
  /** Nothing of a record is taken where something of it can't be. */
  whole?: boolean;
  /** Nothing is added. */
  mustExist?: boolean;
  /** Instead of those that were declared. */
  rules?: OwnerRules;
}

export interface Written<R> {
  /** Added or really changed. */
  written: number;
  /** What was not taken, by record. */
  findings: Findings<R>;
}

/**
 * Adds or changes products, all or none.
 * @throws XD_UNKNOWN_UNIT, XD_NOT_OWNER and others, naming place and value; nothing is written then
 */
export async function putProducts(db: Database | Tx, records: readonly ProductRecord[]): Promise<{ written: number }> {
  return putAll(db, records, 'products', {});
}

export interface SubstitutesRecord {
  sku: string;
  /** Best first; empty: nothing is sent instead of it any more. */
  substitutes: readonly string[];
  system?: string;
}

/** Puts the lists of these SKUs in place of what they had. @throws as {@link putProducts} */
export async function putSubstitutes(
  db: Database | Tx,
  _directory: Directory,
  records: readonly SubstitutesRecord[],
): Promise<{ written: number }> {
  const products = records.map(({ substitutes, ...rest }) => ({ ...rest, substitutes: [...substitutes] }));
  return putAll(db, products, 'substitutes', { mustExist: true });
}

export interface KitRecord {
  sku: string;
  /** None: it is no kit any more. */
  kit: readonly KitComponent[];
  system?: string;
}

/** Puts what these SKUs are made of in place of what they were. @throws as {@link putProducts} */
export async function putKits(db: Database | Tx, records: readonly KitRecord[]): Promise<{ written: number }> {
  const products = records.map(({ kit, ...rest }) => ({ ...rest, kit: [...kit] }));
  return putAll(db, products, 'kits', { mustExist: true });
}

export interface UnitsRecord {
  sku: string;
  /** None: it is counted in its base unit only. */
  units: readonly ProductUnit[];
  system?: string;
}

/** Puts the units of these SKUs in place of what they had. @throws as {@link putProducts} */
export async function putUnits(db: Database | Tx, records: readonly UnitsRecord[]): Promise<{ written: number }> {
  const products = records.map(({ units, ...rest }) => ({ ...rest, units: [...units] }));
  return putAll(db, products, 'units', { mustExist: true });
}

async function putAll(
  db: Database | Tx,
  records: readonly ProductRecord[],
  list: string,
  options: WriteOptions,
): Promise<{ written: number }> {
  const put = async (tx: Tx) => {
    const { written, findings } = await writeProducts(tx, records, { ...options, whole: true });
    failAtFirst(findings, records, list);
    return { written };
  };
  return 'transaction' in db ? db.transaction(put) : put(db);
}

/** Locks the products' rows in the order of their codes, then their numbers, then the lists of all. */
export async function writeProducts<R extends ProductRecord>(
  tx: Tx,
  records: readonly R[],
  options: WriteOptions = {},
): Promise<Written<R>> {
  const { whole = false, mustExist = false } = options;
  const findings: Findings<R> = new Map();
  const said: { record: R; code: string; system: string; values: Partial<Record<ProductField, unknown>> }[] = [];
  for (const record of records) {
    const code = record.sku.toUpperCase();
    const values = productValues(code, record);
    const wrongUnits = wrongUnitsOf(record);
    if (wrongUnits !== undefined) addFinding(findings, record, wrongUnits);
    else if ('reason' in values)
      addFinding(findings, record, {
        ...{ class: 'value_invalid', code: 'XD_VALUE_INVALID', field: values.place },
        reason: values.reason,
      });
    else said.push({ record, code, system: record.system ?? PERSON, values });
  }
  if (said.length === 0) return { written: 0, findings };
  const rules = options.rules ?? (await readOwnerRules(tx));
  const codes = [...new Set(said.map(({ code }) => code))];
  const mayAdd = said.filter(({ system }) => !mustExist && mayCreate(rules, 'product', system));
  const added = new Set(
    (await tx.query(statements.addProducts, [texts([...new Set(mayAdd.map(({ code }) => code))])])).map(
      (row) => row.code,
    ),
  );
  const rows = await tx.query(statements.lockProducts, [texts(codes)]);
  const refused = await refusedUnits(
    tx,
    said.map(({ record }) => record),
  );
  const gtins = new Map(
    said.some(({ values }) => values.gtin !== undefined)
      ? (await tx.query(statements.readGtins, [texts(codes)])).map((row) => [row.sku, row.gtin])
      : [],
  );
  const kits = named(said, 'kit', (value) => (value as KitComponent[]).map((one) => one.sku));
  const substitutes = named(said, 'substitutes', (value) => value as string[]);
  const lists = await ProductLists.read(tx, kits, substitutes);
  const unitsOf = await readUnitLists(
    tx,
    said.flatMap(({ code, values }) => (values.units === undefined ? [] : [code])),
  );
  const held = new Map(
    rows.map((row) => {
      const { description, unit, lifecycle } = row;
      const measures = {
        weightG: row.weight_g,
        lengthMm: row.length_mm,
        widthMm: row.width_mm,
        heightMm: row.height_mm,
      };
      const own = { kit: lists.kitOf(row.code), substitutes: lists.substitutesOf(row.code), units: unitsOf(row.code) };
      const rule = {
        orderMultiple: row.order_multiple,
        orderMinimum: row.order_minimum,
        orderRounding: row.order_rounding,
      };
      const values = {
        ...NEW_PRODUCT,
        description,
        unit,
        lifecycle,
        ...measures,
        gtin: gtins.get(row.code) ?? '',
        ...own,
        ...rule,
      };
      // What was taken back is as if it had never been.
      const record = row.is_withdrawn
        ? new WeighedRecord({ ...NEW_PRODUCT }, {}, {})
        : new WeighedRecord(values, row.said, row.set_by);
      return [row.code, { row, record }];
    }),
  );
  const steward: ForSteward = { queued: [], moot: [] };
  const taken = new Set<string>();
  /** Whose number a product would have: the record that said it last. */
  const numbered = new Map<string, R>();
  for (const { record, code, system, values } of said) {
    const found = held.get(code);
    const isGone = found?.row.is_withdrawn === true && !taken.has(code);
    if (found === undefined || (isGone && (mustExist || !mayCreate(rules, 'product', system)))) {
      addFinding(findings, record, unknownProduct(rules, mustExist, code));
      continue;
    }
    const counted = refused.get(record);
    if (counted !== undefined) {
      addFinding(findings, record, counted);
      if (whole) continue;
      delete values[counted.field];
    }
    const check = (field: string, value: unknown) => {
      if (field === 'kit') return lists.putKit(code, value as KitComponent[]);
      return field === 'substitutes' ? lists.putSubstitutes(code, value as string[]) : undefined;
    };
    const at = record.changedAt === undefined ? null : momentOf(record.changedAt);
    const id = { domain: 'product', companyId: null, record: code } as const;
    const own = found.record.weigh(id, { system, at, fields: values }, rules, { check, whole }, steward);
    for (const finding of own) addFinding(findings, record, finding);
    if (whole && own.length > 0) {
      const { kit, substitutes: instead } = found.record.values;
      lists.restore(code, kit as KitComponent[], instead as string[]);
      continue;
    }
    taken.add(code);
    if (isGone) {
      found.record.isNews = true;
      added.add(code);
    }
    if (values.gtin !== undefined && found.record.values.gtin === values.gtin) numbered.set(code, record);
  }
  const claims = new Map<R, string>();
  for (const [code, record] of numbered) if (held.get(code)!.record.changed.has('gtin')) claims.set(record, code);
  for (const [record, holder] of await claimGtins(tx, claims)) {
    const reason = `GTIN ${record.gtin} of ${record.sku} is that of ${holder} already`;
    addFinding(findings, record, { class: 'gtin_taken', code: 'XD_VALUE_INVALID', field: 'gtin', reason });
  }
  const unused = rows.filter((row) => added.has(row.code) && !taken.has(row.code));
  if (unused.length > 0) tx.write(statements.removeProducts, [numbers(unused.map((row) => row.sku_id))]);
  const changed = [...held.values()].filter(({ record }) => record.isChanged);
  writeRows(tx, changed);
  const listed = (field: string) =>
    changed.filter(({ record }) => record.changed.has(field)).map(({ row }) => row.code);
  lists.write(tx, listed('kit'), listed('substitutes'));
  writeUnitLists(
    tx,
    changed.flatMap(({ row, record }) =>
      record.changed.has('units') ? [{ skuId: row.sku_id, units: record.values.units as ProductUnit[] }] : [],
    ),
  );
  await queueForSteward(tx, steward.queued);
  await endMoot(tx, steward.moot);
  const written = [...held].filter(
    ([code, { record }]) => taken.has(code) && (added.has(code) || record.changed.size > 0),
  );
  return { written: written.length, findings };
}

function named(
  said: readonly { code: string; values: Partial<Record<ProductField, unknown>> }[],
  field: ProductField,
  codesOf: (value: unknown) => string[],
): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const { code, values } of said) {
    if (values[field] === undefined) continue;
    const codes = found.get(code) ?? new Set<string>();
    found.set(code, codes);
    for (const one of codesOf(values[field])) codes.add(one);
  }
  return found;
}

function wrongUnitsOf(record: ProductRecord): Finding | undefined {
  try {
    checkProductUnits(record, 'product');
    return undefined;
  } catch (error) {
    if (!(error instanceof CrossdockError)) throw error;
    const field = String(error.details.place).replace('product.', '');
    return { class: 'value_invalid', code: error.code, field, reason: error.message.replace(/^[^ ]*: /, '') };
  }
}

function unknownProduct({ owners }: OwnerRules, mustExist: boolean, code: string) {
  if (mustExist)
    return {
      ...({ class: 'unknown_sku', code: 'XD_UNKNOWN_SKU', field: 'sku' } as const),
      reason: `no SKU ${JSON.stringify(code.slice(0, 60))}`,
    };
  return {
    ...({ class: 'unknown_sku', code: 'XD_NOT_OWNER', field: 'sku' } as const),
    reason: `no SKU ${JSON.stringify(code.slice(0, 60))}; ${owners.product} owns products and has not told of it`,
    waitKey: `sku ${code}`,
  };
}

function writeRows(tx: Tx, changed: readonly { row: statements.ProductRow; record: WeighedRecord }[]): void {
  if (changed.length === 0) return;
  const column = (field: ProductField) => changed.map(({ record }) => record.values[field]);
  const measures = (['weightG', 'lengthMm', 'widthMm', 'heightMm'] as const).map((field) =>
    numbers(column(field) as (number | null)[]),
  );
  tx.write(statements.updateProducts, [
    numbers(changed.map(({ row }) => row.sku_id)),
    texts(column('description') as string[]),
    texts(column('unit') as string[]),
    texts(column('lifecycle') as string[]),
    ...measures,
    texts(changed.map(({ record }) => JSON.stringify(record.provenance.said))),
    texts(changed.map(({ record }) => JSON.stringify(record.provenance.setters))),
    texts(changed.map(({ record }) => record.at)),
    ...(['orderMultiple', 'orderMinimum'] as const).map((field) => numbers(column(field) as number[])),
    texts(column('orderRounding') as string[]),
  ]);
}

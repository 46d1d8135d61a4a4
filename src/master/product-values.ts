/** A product's values in one form, so that they can be compared; what is none of them is told with its place. Pure. */
import {
  gtin14Of,
  type KitComponent,
  LIFECYCLES,
  type ProductChanged,
  type ProductField,
  type ProductUnit,
  QUANTITY_MAX,
} from '../canonical/index.ts';

export const KIT_COMPONENTS_MAX = 100;
export const SUBSTITUTES_MAX = 10;
const MEASURE_MAX = 1_000_000_000_000;
const MEASURES = ['weightG', 'lengthMm', 'widthMm', 'heightMm'] as const;

export type ProductValues = Omit<Partial<ProductChanged>, 'kind' | 'changedAt' | 'sku'>;

export const NEW_PRODUCT: Readonly<Record<ProductField, unknown>> = {
  ...{ description: '', unit: 'each', gtin: '', lifecycle: 'active' },
  ...{ weightG: null, lengthMm: null, widthMm: null, heightMm: null },
  ...{ kit: [], substitutes: [] },
  ...{ units: [], orderMultiple: 1, orderMinimum: 1, orderRounding: 'refuse' },
};

export interface WrongValue {
  place: string;
  reason: string;
}

export function productValues(sku: string, said: ProductValues): Partial<Record<ProductField, unknown>> | WrongValue {
  const { description, unit, gtin, lifecycle, kit, substitutes } = said;
  if (lifecycle !== undefined && !LIFECYCLES.includes(lifecycle))
    return {
      place: 'lifecycle',
      reason: `must be one of ${LIFECYCLES.join(', ')}, not ${JSON.stringify(String(lifecycle).slice(0, 40))}`,
    };
  for (const name of MEASURES) {
    const value = said[name];
    if (value != null && !(Number.isSafeInteger(value) && value >= 0 && value <= MEASURE_MAX))
      return { place: name, reason: `must be a whole number from 0 to ${MEASURE_MAX}, not ${String(value)}` };
  }
  const [weightG, lengthMm, widthMm, heightMm] = MEASURES.map((name) => said[name]);
  const values = { description, unit, gtin, lifecycle, weightG, lengthMm, widthMm, heightMm };
  const list = kit === undefined ? undefined : kitOf(sku, kit);
  if (list !== undefined && 'reason' in list) return list;
  const instead = substitutes === undefined ? undefined : substitutesOf(sku, substitutes);
  if (instead !== undefined && 'reason' in instead) return instead;
  const { units, orderMultiple, orderMinimum, orderRounding } = said;
  const others = units === undefined ? undefined : unitsOf(units);
  return { ...values, kit: list, substitutes: instead, units: others, orderMultiple, orderMinimum, orderRounding };
}

/** One form for one list, in whatever order and however it was written. */
export function unitsOf(units: readonly ProductUnit[]): ProductUnit[] {
  return units
    .map(({ unit, packLevel, numerator, denominator = 1, gtin = '' }) => ({
      ...{ unit, packLevel, numerator, denominator },
      ...(gtin !== '' && { gtin: gtin14Of(gtin) ?? gtin }),
    }))
    .sort((a, b) => (a.unit < b.unit ? -1 : 1));
}

function kitOf(sku: string, kit: readonly KitComponent[]): KitComponent[] | WrongValue {
  const wrong = (at: string, reason: string) => ({ place: `kit${at}`, reason });
  if (kit.length > KIT_COMPONENTS_MAX)
    return wrong('', `${sku} has ${kit.length} components, at most ${KIT_COMPONENTS_MAX}`);
  const seen = new Set<string>();
  const components = kit.map((one) => ({ sku: one.sku.toUpperCase(), quantity: one.quantity }));
  for (const [i, { sku: component, quantity }] of components.entries()) {
    if (!(Number.isSafeInteger(quantity) && quantity >= 1 && quantity <= QUANTITY_MAX))
      return wrong(
        `[${i}].quantity`,
        `must be a whole number of base units from 1 to ${QUANTITY_MAX}, not ${String(quantity)}`,
      );
    if (seen.has(component)) return wrong(`[${i}].sku`, `${sku} has the component ${component} twice`);
    seen.add(component);
  }
  return components.sort((a, b) => (a.sku < b.sku ? -1 : 1));
}

function substitutesOf(sku: string, given: readonly string[]): string[] | WrongValue {
  const substitutes = given.map((code) => code.toUpperCase());
  const wrong = (reason: string) => ({ place: 'substitutes', reason });
  if (substitutes.length > SUBSTITUTES_MAX)
    return wrong(`${sku} has ${substitutes.length} substitutes, at most ${SUBSTITUTES_MAX}`);
  if (new Set(substitutes).size < substitutes.length) return wrong(`${sku} has the same substitute twice`);
  return substitutes;
}

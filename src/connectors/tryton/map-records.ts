/** Products with their list price, and parties, as they changed. Pure. */
import type { InboundItem } from '../../canonical/index.ts';
import { type Draft, Fields, mapRecords, readRecord, recordItem } from '../kit/index.ts';
import type { Raw } from './map.ts';
import type { Time } from './source.ts';
import { decimalText, momentOf } from './values.ts';

export interface ProductsPage {
  templates: Raw[];
  variants: Raw[];
  currency: unknown;
}

/** Templates with their variants: names, units and prices are the template's, codes the variant's. */
export function joinProducts({ templates, variants, currency }: ProductsPage): Raw[] {
  return templates.map((template) => ({
    ...template,
    currency,
    variants: variants.filter((variant) => variant.template === template.id),
  }));
}

export interface Of {
  system: string;
  /** Our code of the company. */
  code: string;
  time: Time;
  /** Our unit by Tryton's symbol; one that isn't named keeps its own. */
  units?: Readonly<Record<string, string>>;
}

/** One variant that can't be read holds up neither its siblings nor the price of others. */
export function mapProductChanges(
  rows: readonly Raw[],
  { system, code: company, time, units = {} }: Of,
): InboundItem[] {
  return mapRecords(rows, '/templates', (raw, place) =>
    readRecord(raw, place, system, (template) => {
      const variants = template.list('variants');
      return variants.flatMap((variant, index) =>
        readRecord(variant, `${place}/variants/${index}`, system, (fields): Draft[] => {
          // What has no code is nothing that anybody can order by it.
          if (fields.raw.code == null) return [];
          const sku = fields.sku('code');
          const changedAt = momentOf(template.raw[time], `${place}/${time}`);
          const symbol = new Fields(template.raw['default_uom.'], `${place}/default_uom.`).text('symbol');
          const unit = Object.hasOwn(units, symbol) ? units[symbol]! : symbol;
          const description = template.text('name');
          const product = recordItem(system, { kind: 'product.changed', sku, description, unit, changedAt });
          if (template.raw.list_price == null) return [product];
          const price = new Fields({ list_price: decimalText(template.raw.list_price, `${place}/list_price`) }, place);
          const unitPrice = price.unitPrice('list_price');
          const currency = template.currency('currency');
          return [product, recordItem(system, { kind: 'price.changed', sku, company, currency, unitPrice, changedAt })];
        }),
      );
    }),
  );
}

export function mapAccountChanges(
  rows: readonly Raw[],
  { system, code: company, time, accountOf }: Of & { accountOf: (code: string) => string },
): InboundItem[] {
  return mapRecords(rows, '', (raw, place) =>
    readRecord(raw, place, system, (party) => [
      recordItem(system, {
        kind: 'account.changed',
        account: accountOf(party.text('code')),
        company,
        ...(party.raw.name != null && { name: party.text('name') }),
        changedAt: momentOf(party.raw[time], `${place}/${time}`),
      }),
    ]),
  );
}

/** Shipments, invoices and returns of an order as records of the org, each under an external id of its own. Pure. */
import { factsOf, type OrderStatusState, type StateItem } from '../kit/index.ts';
import type { Salesforce } from './client.ts';
import { majorOf } from './values.ts';

const TEXT_MAX = 255;

/** A record told twice is the same record: the org finds it by its external id. */
export function documentsOf({ settings }: Salesforce, { key, state }: StateItem, reference: string) {
  const order = state as OrderStatusState;
  const texts = new Map(factsOf(order).map((fact) => [fact.key, fact.text]));
  const record = (name: string, kind: string, number: string, at: string, currency: string, more: object) => ({
    [reference]: `${key}/${name}`,
    Order__r: { [reference]: key },
    Kind__c: kind,
    Number__c: number,
    Date__c: at.slice(0, 10),
    Text__c: texts.get(name)!.slice(0, TEXT_MAX),
    ...(settings.currency === null && { CurrencyIsoCode: currency }),
    ...more,
  });
  return [
    ...(order.shipments ?? []).map(({ shipment, at, carrier, parcels }) => {
      const tracking = parcels.map((parcel) => parcel.tracking).join(', ');
      const more = { Tracking__c: tracking === '' ? null : tracking.slice(0, TEXT_MAX), Carrier__c: carrier };
      return record(`shipment ${shipment}`, 'shipment', shipment, at, order.currency, more);
    }),
    ...(order.invoices ?? []).map(({ document, reference: name, number, at, currency, amountMinor }) => {
      const kind = document === 'invoice' ? 'invoice' : 'credit note';
      return record(`${kind} ${name}`, kind, number, at, currency, { Amount__c: majorOf(amountMinor) });
    }),
    ...(order.returns ?? []).map(({ reference: name, return: announced, at, lines }) => {
      const amountMinor = lines.reduce((sum, line) => sum + line.amountMinor, 0);
      return record(`return ${name}`, 'return', announced, at, order.currency, { Amount__c: majorOf(amountMinor) });
    }),
  ];
}

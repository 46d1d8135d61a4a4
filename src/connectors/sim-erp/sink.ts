import {
  type ConnectorContext,
  type DeliveryKind,
  type DeliveryKindName,
  deliveryKind,
  type Fields,
  type HttpClient,
  type SalesOrderAnswer,
} from '../kit/index.ts';

type ErpKind = Extract<
  DeliveryKindName,
  'sales_order' | 'order_change' | 'order_cancellation' | 'shipment_posting' | 'return_posting' | 'charge'
>;

const DOCUMENTS_MAX = 100;
const CHARGES_MAX = 200;
const LOOKUP_MAX = 200;

/** What is found under a reference. More than one number: the ERP made the document more than once. */
interface Held extends SalesOrderAnswer {
  numbers?: string[];
}

/**
 * The ERP's creates are not idempotent: the same reference again makes a second document. So nothing here sends twice by
 * itself, and whatever may have had an effect is in doubt until it is looked up.
 */
export function deliveries(client: HttpClient, limits: ConnectorContext['limits']): Record<ErpKind, DeliveryKind> {
  const kind = (path: string, list: string, itemsMax = DOCUMENTS_MAX): DeliveryKind => {
    const paths = { write: `/${path}/batch`, lookup: `/${path}/lookup` };
    return deliveryKind(client, limits, { ...paths, list, itemsMax, lookupMax: LOOKUP_MAX }, numberOf, heldOf);
  };
  return {
    sales_order: kind('sales-orders', 'orders'),
    order_change: kind('order-changes', 'changes'),
    order_cancellation: kind('cancellations', 'cancellations'),
    shipment_posting: kind('shipments', 'shipments'),
    return_posting: kind('returns', 'returns'),
    charge: kind('charges', 'charges', CHARGES_MAX),
  };
}

function numberOf(fields: Fields): SalesOrderAnswer {
  return { number: fields.text('number') };
}

function heldOf(answers: unknown[]): Held {
  const held = answers as SalesOrderAnswer[];
  const first = held[0]!;
  return held.length === 1 ? first : { ...first, numbers: held.map(({ number }) => number) };
}

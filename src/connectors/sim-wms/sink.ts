import {
  type ConnectorContext,
  type DeliveryKind,
  type DeliveryKindName,
  deliveryKind,
  type Fields,
  type FulfilmentCancelAnswer,
  type HttpClient,
} from '../kit/index.ts';

const BATCH_MAX = 100;
const LOOKUP_MAX = 200;

type WmsKind = Extract<DeliveryKindName, 'fulfilment' | 'fulfilment_cancel' | 'return_announcement'>;

/** Writes are idempotent by reference: one that was sent twice has one effect, and the first answer is given again. */
export function deliveries(client: HttpClient, limits: ConnectorContext['limits']): Record<WmsKind, DeliveryKind> {
  const kind = (path: string, list: string, answerOf: (fields: Fields) => unknown): DeliveryKind => {
    const paths = { write: `/${path}/batch`, lookup: `/${path}/lookup` };
    return deliveryKind(client, limits, { ...paths, list, itemsMax: BATCH_MAX, lookupMax: LOOKUP_MAX }, answerOf);
  };
  return {
    fulfilment: kind('fulfilments', 'fulfilments', referenceOf),
    fulfilment_cancel: kind('fulfilment-cancels', 'cancels', cancelAnswerOf),
    return_announcement: kind('returns', 'returns', referenceOf),
  };
}

function referenceOf(fields: Fields): { reference: string } {
  return { reference: fields.text('reference') };
}

/** Decides what is still promised, so it is read strictly: an answer that is not understood is in doubt, never "all cancelled". */
function cancelAnswerOf(fields: Fields): FulfilmentCancelAnswer {
  return {
    lines: fields.lines('lines').map((line) => ({
      lineNo: line.lineNo('lineNo'),
      cancelled: line.quantity('cancelled', 0),
      tooLate: line.quantity('tooLate', 0),
    })),
  };
}

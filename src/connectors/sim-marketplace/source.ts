import { type HttpClient, keysetFeed, type Source, type Whose } from '../kit/index.ts';
import { mapOrders } from './map.ts';

const PAGE_RECORDS_MAX = 100;

export function orders(client: HttpClient, whose: Whose): Source {
  return keysetFeed({
    client,
    feed: 'orders',
    path: '/orders',
    limitMax: PAGE_RECORDS_MAX,
    map: (records) => mapOrders(records, whose),
  });
}

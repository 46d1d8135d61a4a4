import { type HttpClient, keysetFeed, type Source, type Whose } from '../kit/index.ts';
import { mapRequests } from './map.ts';

const PAGE_RECORDS_MAX = 100;

export function requests(client: HttpClient, whose: Whose): Source {
  return keysetFeed({
    client,
    feed: 'requests',
    path: '/requests',
    limitMax: PAGE_RECORDS_MAX,
    map: (records) => mapRequests(records, whose),
  });
}

import { type HttpClient, keysetFeed, type Source, type Whose } from '../kit/index.ts';
import { mapEvents } from './map.ts';

const PAGE_RECORDS_MAX = 100;

export function events(client: HttpClient, whose: Whose): Source {
  return keysetFeed({
    client,
    feed: 'events',
    path: '/events',
    limitMax: PAGE_RECORDS_MAX,
    map: (records) => mapEvents(records, whose),
  });
}

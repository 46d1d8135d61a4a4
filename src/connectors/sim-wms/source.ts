import { type HttpClient, keysetFeed, type Source } from '../kit/index.ts';
import { mapEvents } from './map.ts';

const PAGE_RECORDS_MAX = 500;

export function events(client: HttpClient, system: string): Source {
  return keysetFeed({
    client,
    feed: 'events',
    path: '/events',
    limitMax: PAGE_RECORDS_MAX,
    map: (records) => mapEvents(records, system),
  });
}

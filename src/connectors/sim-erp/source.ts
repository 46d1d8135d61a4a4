import { type HttpClient, keysetFeed, type Source } from '../kit/index.ts';
import { mapDocuments } from './map.ts';

const PAGE_RECORDS_MAX = 250;

export function documents(client: HttpClient, system: string): Source {
  return keysetFeed({
    client,
    feed: 'documents',
    path: '/documents',
    limitMax: PAGE_RECORDS_MAX,
    map: (records) => mapDocuments(records, system),
  });
}

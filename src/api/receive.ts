/** Hands a request over to ingest: its bytes as they came, and what was read from them. */
import type { FastifyRequest } from 'fastify';
import type { InboundItem } from '../canonical/index.ts';
import type { ItemResult, Message } from '../ingest/index.ts';
import { rawBodyOf } from './body.ts';
import type { ApiHub } from './hub.ts';

/**
 * @param system whom the items are known as from: the API itself, or what an API key stands for
 * @returns what became of each item, in the order given
 */
export function receive(
  hub: ApiHub,
  request: FastifyRequest,
  items: InboundItem[],
  {
    onFault = 'refuse',
    system = 'api',
    reread,
  }: { onFault?: Message['onFault']; system?: string; reread?: Message['reread'] } = {},
): Promise<ItemResult[]> {
  return hub.receiver.receive({
    system,
    source: 'api',
    contentType: 'application/json',
    body: rawBodyOf(request),
    items,
    onFault,
    reread,
  });
}

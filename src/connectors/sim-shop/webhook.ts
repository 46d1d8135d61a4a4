import { createHmac, timingSafeEqual } from 'node:crypto';
import { fail, type InboundItem } from '../../canonical/index.ts';
import { unreadableMessage, type Whose } from '../kit/index.ts';
import { mapEvents } from './map.ts';

const SIGNATURE = /^sha256=([0-9a-f]{64})$/;

/**
 * Takes what the shop posts: `{records: […]}`, the same records as in its feed. It comes twice, out of order or never; the
 * feed is what counts, this is only sooner. The signature is over the raw bytes, so it is checked before anything is parsed.
 */
export function webhook(secret: string, whose: Whose) {
  return (headers: Readonly<Record<string, string | undefined>>, body: Buffer): InboundItem[] => {
    const given = SIGNATURE.exec(headers['x-shop-signature'] ?? '')?.[1];
    const expected = createHmac('sha256', secret).update(body).digest();
    if (given === undefined || !timingSafeEqual(Buffer.from(given, 'hex'), expected))
      fail('XD_UNAUTHENTICATED', `the webhook of ${whose.system} carries no valid x-shop-signature`);
    const records = recordsOf(body);
    if (records === undefined) return unreadableMessage(whose.system, body, 'must be JSON {"records": […]}', '');
    return mapEvents(records, whose);
  };
}

function recordsOf(body: Buffer): unknown[] | undefined {
  try {
    const message = JSON.parse(body.toString('utf8')) as { records?: unknown } | null;
    return Array.isArray(message?.records) ? message.records : undefined;
  } catch {
    return undefined;
  }
}

import { Buffer } from 'node:buffer';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { fail } from '../../canonical/index.ts';

/**
 * Medusa has no webhooks of its own: a shop adds a subscriber that posts `{event, data, at}` with the hex HMAC-SHA256 of the body. It is
 * sent once, in no order, and may be sent again by anybody who saw it: it says that a feed is worth reading, and nothing more.
 */
export function hint(secret: string, system: string) {
  return (headers: Readonly<Record<string, string | undefined>>, body: Buffer): string[] => {
    const given = /^[0-9a-f]{64}$/.exec(headers['x-peer-signature'] ?? '')?.[0];
    const expected = createHmac('sha256', secret).update(body).digest();
    if (given === undefined || !timingSafeEqual(Buffer.from(given, 'hex'), expected))
      fail('XD_UNAUTHENTICATED', `the webhook of ${system} carries no valid x-peer-signature`);
    const event = eventOf(body);
    return event.startsWith('order.') || event.startsWith('order-edit.') ? ['orders'] : [];
  };
}

function eventOf(body: Buffer): string {
  try {
    const { event } = JSON.parse(body.toString('utf8')) as { event?: unknown };
    return typeof event === 'string' ? event : '';
  } catch {
    return '';
  }
}

import { createHmac, timingSafeEqual } from 'node:crypto';
import { fail } from '../../canonical/index.ts';

/**
 * Vendure has no webhooks of its own; a plugin posts what its event bus says, signed over the raw body. It comes once, twice or never, and
 * may be played again by anybody who saw it: so nothing in it counts, it only ends the pause before the next poll.
 */
export function hint(secret: string, system: string, header: string) {
  const name = header.toLowerCase();
  return (headers: Readonly<Record<string, string | undefined>>, body: Buffer): string[] => {
    const given = /^(?:sha256=)?([0-9a-f]{64})$/.exec(headers[name] ?? '')?.[1];
    const expected = createHmac('sha256', secret).update(body).digest();
    if (given === undefined || !timingSafeEqual(Buffer.from(given, 'hex'), expected))
      fail('XD_UNAUTHENTICATED', `the webhook of ${system} carries no valid ${name}`);
    return ['orders'];
  };
}

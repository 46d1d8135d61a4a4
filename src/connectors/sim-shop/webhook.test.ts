import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { contextFor } from '../kit/testing.ts';
import page from './fixtures/events.json' with { type: 'json' };
import { simShop } from './index.ts';
import { mapEvents } from './map.ts';
import { webhook } from './webhook.ts';

const secret = 'a-shared-secret';
const whose = { system: 'shop', channel: 'shop' };
const take = webhook(secret, whose);
const sign = (body: Buffer, key = secret) => `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;
const bodyOf = (value: unknown) => Buffer.from(JSON.stringify(value));

describe('a webhook', () => {
  it('gives the same items as the feed, under the same keys', () => {
    const body = bodyOf({ records: page.records });
    expect(take({ 'x-shop-signature': sign(body) }, body)).toEqual(mapEvents(page.records, whose));
  });

  it('is refused where the signature is missing, malformed, of another key or of another body', () => {
    const body = bodyOf({ records: page.records });
    const signature = sign(body);
    for (const given of [
      undefined,
      '',
      'sha256=',
      signature.slice(7),
      `${signature}00`,
      signature.replace('sha256', 'sha1'),
      sign(body, 'another-secret'),
      sign(Buffer.concat([body, Buffer.from(' ')])),
    ])
      expect(() => take({ 'x-shop-signature': given }, body)).toThrow(
        expect.objectContaining({ code: 'XD_UNAUTHENTICATED', message: expect.not.stringContaining(secret) }),
      );
  });

  it('that is signed and no message is one unreadable item', () => {
    for (const text of ['{"records":', '{}', 'null', '[]', '']) {
      const body = Buffer.from(text);
      const items = take({ 'x-shop-signature': sign(body) }, body);
      expect(items).toMatchObject([{ scope: 'unreadable/shop', itemNo: 0, unreadable: { value: text } }]);
    }
  });

  it('is not taken at all without a secret', async () => {
    for (const webhookSecret of [null, '']) {
      const shop = simShop(contextFor('http://127.0.0.1:1', { webhookSecret }));
      expect(shop.webhook).toBeUndefined();
      await shop.close();
    }
    const shop = simShop(contextFor('http://127.0.0.1:1', { webhookSecret: secret }));
    expect(shop.webhook).toBeTypeOf('function');
    await shop.close();
  });
});

// Medusa has events but no outgoing webhooks of its own: a shop adds a subscriber such as this.
// POSTs {event, id, at} to WEBHOOK_URL, signed with HMAC-SHA256 of the body (x-peer-signature).
// One try, no retry: a lost webhook is lost, as with many real shops.
const { createHmac } = require('node:crypto');

exports.default = async function webhook({ event }) {
  const url = process.env.WEBHOOK_URL;
  if (!url) return;
  const body = JSON.stringify({ event: event.name, data: event.data, at: new Date().toISOString() });
  const signature = createHmac('sha256', process.env.WEBHOOK_SECRET ?? 'peer-secret')
    .update(body)
    .digest('hex');
  await fetch(url, {
    method: 'POST',
    body,
    signal: AbortSignal.timeout(3000),
    headers: { 'content-type': 'application/json', 'x-peer-signature': signature, 'x-peer-source': 'medusa' },
  }).catch((e) => console.error('webhook lost:', event.name, e.message));
};
exports.config = {
  event: [
    'order.placed',
    'order.canceled',
    'order.fulfillment_created',
    'product.updated',
    'product-variant.updated',
    'reservation-item.created',
    'customer.created',
  ],
};

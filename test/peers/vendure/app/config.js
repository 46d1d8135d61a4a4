const { createHmac } = require('node:crypto');
const { Inject } = require('@nestjs/common');
const core = require('@vendure/core');

// Vendure has an event bus but no outgoing webhooks: a shop adds a plugin such as this one.
class WebhookPlugin {
  constructor(bus) {
    this.bus = bus;
  }
  onApplicationBootstrap() {
    const url = process.env.WEBHOOK_URL;
    if (!url) return;
    const send = async (event, data) => {
      const body = JSON.stringify({ event, data, at: new Date().toISOString() });
      const signature = createHmac('sha256', process.env.WEBHOOK_SECRET ?? 'peer-secret')
        .update(body)
        .digest('hex');
      await fetch(url, {
        method: 'POST',
        body,
        signal: AbortSignal.timeout(3000),
        headers: { 'content-type': 'application/json', 'x-peer-signature': signature, 'x-peer-source': 'vendure' },
      }).catch((e) => console.error('webhook lost:', event, e.message)); // one try, as with many real shops
    };
    this.bus
      .ofType(core.OrderPlacedEvent)
      .subscribe((e) => send('order.placed', { id: e.order.id, code: e.order.code }));
    this.bus
      .ofType(core.OrderStateTransitionEvent)
      .subscribe((e) => send('order.state', { code: e.order.code, from: e.fromState, to: e.toState }));
    this.bus
      .ofType(core.StockMovementEvent)
      .subscribe((e) => send('stock.movement', { type: e.type, n: e.stockMovements.length }));
  }
}
Inject(core.EventBus)(WebhookPlugin, undefined, 0);
core.VendurePlugin({ imports: [core.PluginCommonModule] })(WebhookPlugin);

// Further plugins: modules whose export `plugin` (or default) is one, separated by commas.
const plugins = (process.env.VENDURE_PLUGINS ?? '')
  .split(',')
  .filter(Boolean)
  .map((path) => {
    const found = require(path);
    return found.plugin ?? found.default ?? found;
  });

exports.config = {
  logger: new core.DefaultLogger({ level: core.LogLevel.Warn, timestamp: false }),
  apiOptions: {
    hostname: '127.0.0.1',
    port: Number(process.env.VENDURE_PORT),
    adminApiPath: 'admin-api',
    shopApiPath: 'shop-api',
  },
  authOptions: {
    tokenMethod: ['bearer', 'cookie'],
    cookieOptions: { secret: 'peer-cookie' },
    requireVerification: false,
    superadminCredentials: { identifier: 'superadmin', password: 'superadmin-pw' },
  },
  dbConnectionOptions: {
    type: 'postgres',
    url: process.env.VENDURE_DATABASE_URL,
    synchronize: process.env.VENDURE_SYNC === '1',
    logging: false,
  },
  paymentOptions: { paymentMethodHandlers: [core.dummyPaymentHandler] },
  importExportOptions: { importAssetsDir: __dirname },
  plugins: [
    core.DefaultJobQueuePlugin.init({}),
    core.DefaultSearchPlugin.init({ bufferUpdates: false }),
    WebhookPlugin,
    ...plugins,
  ],
};

const { bootstrap, bootstrapWorker } = require('@vendure/core');
const { populate } = require('@vendure/core/cli');
const { config } = require('./config');

const initial = {
  defaultLanguage: 'en',
  defaultZone: 'Americas',
  countries: [
    { name: 'United States', code: 'US', zone: 'Americas' },
    { name: 'Canada', code: 'CA', zone: 'Americas' },
  ],
  taxRates: [
    { name: 'Standard Tax', percentage: 8 },
    { name: 'Reduced Tax', percentage: 4 },
    { name: 'Zero Tax', percentage: 0 },
  ],
  shippingMethods: [
    { name: 'Ground', price: 900 },
    { name: 'Express', price: 2500 },
  ],
  paymentMethods: [
    {
      name: 'Standard Payment',
      handler: { code: 'dummy-payment-handler', arguments: [{ name: 'automaticSettle', value: 'false' }] },
    },
  ],
  collections: [],
};

(async () => {
  if (process.argv[2] === 'populate') {
    const app = await populate(() => bootstrap(config), initial);
    await app.close();
    process.exit(0);
  }
  await bootstrap(config);
  const worker = await bootstrapWorker(config); // search index jobs; in the same process
  await worker.startJobQueue();
})().catch((e) => {
  console.error(e);
  process.exit(1);
});

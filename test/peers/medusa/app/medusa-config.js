// Stock Medusa: in-memory cache, event bus and workflow engine (no Redis). The locking
// provider is chosen by MEDUSA_LOCKING=memory|postgres (in-memory is Medusa's own default).
const { defineConfig } = require('@medusajs/framework/utils');

const modules = [];
if (process.env.MEDUSA_LOCKING === 'postgres') {
  modules.push({
    resolve: '@medusajs/medusa/locking',
    options: {
      providers: [{ resolve: '@medusajs/medusa/locking-postgres', id: 'locking-postgres', is_default: true }],
    },
  });
}

module.exports = defineConfig({
  admin: { disable: true },
  projectConfig: {
    databaseUrl: process.env.DATABASE_URL,
    databaseDriverOptions: { connection: { ssl: false } },
    http: { storeCors: '*', adminCors: '*', authCors: '*', jwtSecret: 'peer-jwt', cookieSecret: 'peer-cookie' },
  },
  modules,
});

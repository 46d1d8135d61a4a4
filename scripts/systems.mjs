/**
 * The five simulated systems on ports that stay the same, and a file with what an estate needs to reach them. For running a
 * hub with `crossdock start` that may be killed and started again while they go on. Ctrl-C ends all five.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNode } from '../bin/find-node.mjs';
import { NODE_FLAGS } from '../bin/launch.mjs';

const PORTS = { erp: 8481, crm: 8482, wms: 8483, shop: 8484, marketplace: 8485 };
const HUB = `http://127.0.0.1:${process.env.PORT ?? 8480}`;
const TOKEN = 'simulated';
const WEBHOOK_SECRET = 'simulated-webhook';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(process.cwd(), '.crossdock', 'systems');
const node = findNode(root)?.path ?? process.execPath;
const env = [`SIM_TOKEN=${TOKEN}`, `SHOP_WEBHOOK_SECRET=${WEBHOOK_SECRET}`];
const children = [];
for (const [name, port] of Object.entries(PORTS)) {
  const data = join(folder, name);
  mkdirSync(data, { recursive: true });
  const args = [name, '--port', String(port), '--data', data, '--token', TOKEN];
  if (name === 'shop') args.push('--webhook-url', `${HUB}/ingest/shop`, '--webhook-secret', WEBHOOK_SECRET);
  // Their stdin is our pipe: they end with us, however we end.
  children.push(
    spawn(node, [...NODE_FLAGS, join(root, 'sim', 'main.ts'), ...args, ...process.argv.slice(2)], {
      stdio: ['pipe', 'inherit', 'inherit'],
    }),
  );
  env.push(`${name.toUpperCase()}_URL=http://127.0.0.1:${port}`);
}
writeFileSync(join(folder, 'env'), `${env.join('\n')}\n`);
process.stderr.write(`what crossdock start needs is in ${join(folder, 'env')}\n`);
const stop = () => {
  for (const child of children) child.kill('SIGTERM');
};
process.on('SIGINT', stop);
process.on('SIGTERM', stop);
for (const child of children) child.on('exit', stop);

/** Files as partners send them, with what an estate says of them and what they become. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { InboundItem } from '../../canonical/index.ts';
import { fileSource } from './source.ts';
import { localStore } from './store.ts';

const fixtures = join(import.meta.dirname, 'fixtures');
const told = ({ scope, key, command, unreadable }: InboundItem): string => {
  if (unreadable !== undefined) return `${scope} ${key}: ${unreadable.place} ${unreadable.reason}`;
  if (command?.kind === 'order.submitted')
    return `${scope} ${key}: ${command.lines.map((line) => `${line.sku} ${line.quantity} ${line.unitPrice}`).join(', ')}`;
  if (command?.kind === 'fulfilment.shipped')
    return `${scope} ${key}: ${command.lines.map((line) => `${line.sku} ${line.quantity} ${command.fulfilment}`).join(', ')}`;
  return `${scope} ${key}: ${command?.kind}`;
};

it.each(readdirSync(fixtures).filter((name) => name.endsWith('.json')))('%s', async (name) => {
  const { inbound, items } = JSON.parse(readFileSync(join(fixtures, name), 'utf8'));
  const file = readdirSync(fixtures).find((other) => other !== name && other.startsWith(name.slice(0, -4)))!;
  const root = mkdtempSync(join(tmpdir(), 'crossdock-files-'));
  mkdirSync(join(root, 'in'));
  copyFileSync(join(fixtures, file), join(root, 'in', file));
  writeFileSync(join(root, 'in', `${file}.done`), '');
  let nowMs = 0;
  const clock = { now: () => nowMs, after: () => () => {} };
  const source = fileSource(localStore(root), inbound, { system: 'box', channel: 'shop', clock, at: 'inbound' });
  const first = await source.poll('', AbortSignal.timeout(5_000));
  nowMs = 10_000;
  const page = first.items.length > 0 ? first : await source.poll('', AbortSignal.timeout(5_000));
  expect(page.items.map(told)).toEqual(items);
  await source.close();
  rmSync(root, { recursive: true });
});

/** Against a real OpenSSH server. */

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { files } from '../../src/connectors/files/index.ts';
import type { Connector } from '../../src/connectors/kit/index.ts';
import { contextFor } from '../../src/connectors/kit/testing.ts';
import { live } from './live.ts';

live('OpenSSH', ['sftp'], (peers) => {
  const { keys } = peers.sftp;
  const privateKeyFile = String(keys.privateKeyFile);
  const folder = `test-${process.pid}`;
  const own = join(String(keys.files), folder);
  const signal = new AbortController().signal;
  const at = '2026-03-01T09:00:00Z';
  const boxes: Connector[] = [];
  const line = (n: number) => `${n},sku-${n},1,${at}\n`;
  const inbound = (more: object = {}) => ({
    ...{
      feed: 'stock',
      folder: 'in',
      match: '*.csv',
      format: { kind: 'csv' },
      settle: { by: 'unchanged', seconds: 3 },
    },
    map: {
      as: 'adjusted',
      fields: { id: 'Id', sku: 'Sku', location: { value: 'DC' }, quantity: 'Qty', occurredAt: 'At' },
    },
    ...more,
  });
  function boxOf(
    settings: object,
    hostKey = readFileSync(String(keys.hostKeyFile), 'utf8').split(' ').slice(0, 2).join(' '),
  ): Connector {
    const url = `${peers.sftp.url}/${folder}`;
    const limits = { callsPerSecond: 500, concurrency: 4, timeoutMs: 15_000, batchMax: null };
    const box = files(
      contextFor(url, {
        system: 'box',
        channel: null,
        limits,
        settings: { privateKeyFile, hostKey, ...settings },
      }),
    );
    boxes.push(box);
    return box;
  }
  beforeAll(() => {
    mkdirSync(join(own, 'in'), { recursive: true });
    mkdirSync(join(own, 'out'));
  });
  afterAll(async () => {
    for (const box of boxes) await box.close();
    rmSync(own, { recursive: true, force: true });
  });

  it('a file still being written is not taken; when it rests it is read whole, archived, and not read again', {
    timeout: 60_000,
  }, async () => {
    const source = boxOf({ inbound: [inbound()] }).sources[0]!;
    const path = join(own, 'in/a.csv');
    writeFileSync(path, 'Id,Sku,Qty,At\n');
    let written = 0;
    const writer = (async () => {
      // Grows every second and a half, in the middle of lines, too.
      for (let n = 0; n < 5; n++) {
        const text = line(n);
        await appendFile(path, text.slice(0, 9));
        await sleep(750);
        await appendFile(path, text.slice(9));
        written += 1;
        await sleep(750);
      }
    })();
    let cursor = '';
    const keys: string[] = [];
    let whenFirst: number | undefined;
    const until = Date.now() + 40_000;
    while (Date.now() < until) {
      const page = await source.poll(cursor, signal);
      ({ cursor } = page);
      if (page.items.length > 0) whenFirst ??= written;
      keys.push(...page.items.map(({ key }) => key));
      if (keys.length > 0 && page.drained) break;
      if (page.drained) await sleep(200);
    }
    await writer;
    expect(whenFirst).toBe(5);
    expect(keys).toEqual(['0', '1', '2', '3', '4']);
    expect([readdirSync(join(own, 'in')).sort(), readdirSync(join(own, 'in/archive'))]).toEqual([
      ['archive'],
      ['a.csv'],
    ]);
    expect((await source.poll(cursor, signal)).items).toEqual([]);
  });

  it('20 MB come whole, in the right order', { timeout: 120_000 }, async () => {
    const rows = Array.from({ length: 200_000 }, (_, n) => `${n},${'s'.repeat(70)},1,${at}\n`);
    writeFileSync(join(own, 'in/big.csv'), `Id,Sku,Qty,At\n${rows.join('')}`);
    const source = boxOf({ inbound: [inbound({ settle: { by: 'rename' }, pageRecords: 2_000 })] }).sources[0]!;
    const began = performance.now();
    let [cursor, count] = ['', 0];
    for (;;) {
      const page = await source.poll(cursor, signal);
      for (const { key } of page.items) expect(key).toBe(String(count++));
      ({ cursor } = page);
      if (page.drained) break;
    }
    expect(count).toBe(200_000);
    console.info(`20 MB, 200,000 records: ${Math.round(performance.now() - began)} ms`);
  });

  it('a file with other columns goes to the reject folder with its reason, and the next is read', {
    timeout: 60_000,
  }, async () => {
    writeFileSync(join(own, 'in/x1.csv'), `Id,Sku,Amount,At\n${line(1)}`);
    writeFileSync(join(own, 'in/x2.csv'), `Id,Sku,Qty,At\n${line(2)}`);
    const source = boxOf({ inbound: [inbound({ settle: { by: 'rename' } })] }).sources[0]!;
    let cursor = '';
    const told: unknown[] = [];
    for (let drained = false; !drained; ) {
      const page = await source.poll(cursor, signal);
      ({ cursor, drained } = page);
      told.push(...page.items.map(({ key, unreadable }) => unreadable?.reason ?? key));
    }
    expect(told).toEqual([
      expect.stringMatching(
        /^x1\.csv has other columns than agreed; missing: Qty; instead there: Amount: change the map/,
      ),
      '2',
    ]);
    expect(readdirSync(join(own, 'in/reject')).sort()).toEqual(['x1.csv', 'x1.csv.reason.json']);
  });

  it('an order is there whole under its name, once, and is known after the partner took it', {
    timeout: 60_000,
  }, async () => {
    const orders = boxOf({ outbound: { sales_order: { folder: 'out', format: 'json' } } }).deliveries.sales_order!;
    const items = [{ reference: 'shop/1', payload: { account: 'C1', lines: [] } }];
    const [first] = await orders.write(items, signal);
    expect(first).toMatchObject({ outcome: 'confirmed' });
    const there = () => readdirSync(join(own, 'out')).filter((name) => name !== '.sent');
    expect(there()).toHaveLength(1);
    rmSync(join(own, 'out', there()[0]!));
    expect(await orders.write(items, signal)).toEqual([first]);
    expect(there()).toEqual([]);
    expect((await orders.locate(['shop/1', 'shop/2'], signal)).size).toBe(1);
  });

  it('another host key than the one given is refused, before anything is told', { timeout: 60_000 }, async () => {
    const wrong = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ';
    const probe = await boxOf({ inbound: [inbound()] }, wrong).probe(signal);
    expect(probe).toMatchObject({ ok: false, detail: expect.stringMatching(/host key|identification/i) });
  });
});

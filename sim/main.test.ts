import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { channelOrder } from './lib/testing.ts';

let data: string;
let children: ChildProcess[] = [];
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'sim-main-'));
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
  rmSync(data, { recursive: true, force: true });
});

const MAIN = join(import.meta.dirname, 'main.ts');

async function start(...args: string[]) {
  const child = spawn(process.execPath, [MAIN, ...args, '--data', data], { stdio: ['pipe', 'pipe', 'pipe'] });
  children.push(child);
  let said = '';
  child.stderr!.on('data', (chunk) => {
    said += chunk;
  });
  const ended = once(child, 'close') as Promise<[code: number | null, signal: string | null]>;
  const [line] = await Promise.race([once(createInterface(child.stdout!), 'line'), ended]);
  return { child, ended, line, said: () => said };
}

test('it says on one line where it listens, and keeps what it answered when it is killed', async () => {
  const first = await start('crm', '--port', '0', '--token', 't');
  const ready = JSON.parse(first.line as string);
  expect(ready).toEqual({ ready: true, system: 'crm', url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) });
  const orders = [channelOrder('1', ['S', 1])];
  const answer = await fetch(`${ready.url}/_drive/orders`, { method: 'POST', body: JSON.stringify({ orders }) });
  first.child.kill('SIGKILL');
  expect(await answer.json()).toEqual({ results: [{ number: '1', status: 201 }] });
  await first.ended;
  const second = await start('crm', '--token', 't');
  const { url } = JSON.parse(second.line as string);
  const feed = await fetch(`${url}/requests`, { headers: { authorization: 'Bearer t' } });
  expect(await feed.json()).toMatchObject({ records: [{ seq: 1, number: '1' }] });
});

test.each(['the pipe from its parent closes', 'SIGTERM comes'])('it ends within a second when %s', async (reason) => {
  const { child, ended, line } = await start('shop', '--faults', 'storm', '--speed', '2');
  await fetch(`${JSON.parse(line as string).url}/health`);
  const began = performance.now();
  if (reason === 'SIGTERM comes') child.kill('SIGTERM');
  else child.stdin!.end();
  expect(await ended).toEqual([0, null]);
  expect(performance.now() - began).toBeLessThan(1000);
});

test('a wrong call is told how it is used', async () => {
  const { ended, said } = await start('tms');
  expect((await ended)[0]).toBe(2);
  expect(said()).toContain('unknown system tms');
});

/** The scenario in the small, with its faults: what `npm run peers:scenario` shows with 300 orders. */
import { expect, it } from 'vitest';
import { live } from '../live.ts';
import { freePort } from './free-port.ts';
import { runScenario } from './run.ts';

const ORDERS = 30;

live('Tryton, Medusa and Vendure with Crossdock between them', ['tryton', 'medusa', 'vendure'], () => {
  it('come out alike', { timeout: 900_000 }, async () => {
    const said: string[] = [];
    const report = await runScenario(
      { orders: ORDERS, cover: 0.6, seed: 1, faults: false, port: await freePort() },
      (line) => said.push(line),
    ).catch((error) => {
      throw new Error(said.slice(-40).join('\n'), { cause: error });
    });
    console.info(JSON.stringify({ ...report, problems: undefined }));
    expect(report.problems).toEqual([]);
    expect(report.orders.medusa + report.orders.vendure + report.orders.crm).toBeGreaterThan(ORDERS / 4);
    expect(report.units.shipped).toBeGreaterThan(0);
  });
});

/** What `crossdock prices prove` does: a sample of prices beside what everybody else says. */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { decimalOf, fail } from '../../canonical/index.ts';
import type { Connector } from '../../connectors/kit/index.ts';
import { type PriceFinding, type PriceProof, provePrices } from '../../reconcile/index.ts';
import type { Opened } from '../open.ts';
import type { ProveOptions } from '../prices.ts';
import { table } from '../table.ts';
import { findOwner } from './show.ts';

const CONFIG = 'crossdock.config.ts';
const ROWS_SHOWN_MAX = 50;

export async function prove(opened: Opened, options: ProveOptions, signal: AbortSignal): Promise<PriceProof> {
  const { db, directory } = opened;
  const { sample, seed, tolerancePercent, toleranceMinor } = options;
  const owner = options.account === undefined ? undefined : await findOwner(opened, options.account, options.company);
  const sku = options.sku?.toUpperCase();
  if (sku !== undefined) await directory.loadSkus([sku]);
  const skuId =
    sku === undefined
      ? undefined
      : (directory.findSkuId(sku) ?? fail('XD_UNKNOWN_SKU', `no SKU ${sku}`, { place: 'sku' }));
  const { connectors, faults } = await connectorsOf(directory.referenceEnding, options.config);
  try {
    const proof = await provePrices(db, directory, connectors, {
      ...{ sample, seed, tolerancePercent, toleranceMinor, accountId: owner?.accountId, skuId, signal },
    });
    proof.notLookedAt.push(...faults);
    return proof;
  } finally {
    for (const connector of connectors.values()) await connector.close();
  }
}

/** Those of the estate file that can be asked; the others each with its reason. */
async function connectorsOf(
  referenceEnding: string,
  given: string | undefined,
): Promise<{ connectors: Map<string, Connector>; faults: PriceProof['notLookedAt'] }> {
  const built = new Map<string, Connector>();
  const faults: PriceProof['notLookedAt'] = [];
  const config = given ?? (existsSync(CONFIG) ? CONFIG : undefined);
  if (config === undefined)
    return {
      connectors: built,
      faults: [{ where: 'systems', why: `there is no ${CONFIG} here: name the estate file (--config)` }],
    };
  const { connectorContext, connectorFactory, loadEstate, secretSources } = await import('../../estate/index.ts');
  const { connectors } = await import('../../connectors/index.ts');
  const estate = await loadEstate(config, { connectors: connectors.keys() });
  const secrets = secretSources(dirname(resolve(config)));
  for (const code of Object.keys(estate.systems))
    try {
      const context = { ...connectorContext(estate, code, secrets), referenceEnding };
      built.set(code, connectorFactory(estate, code, connectors)(context));
    } catch (error) {
      faults.push({ where: code, why: error instanceof Error ? error.message : String(error) });
    }
  return { connectors: built, faults };
}

export function proved({ sample, compared, differences, notLookedAt }: PriceProof): string {
  const money = (minor: number | null, price: { currency: string } | null) =>
    minor === null ? null : price === null ? String(minor) : `${decimalOf(minor, price.currency)} ${price.currency}`;
  const rows = differences
    .slice(0, ROWS_SHOWN_MAX)
    .map((one: PriceFinding) => [
      one.where,
      one.kind,
      one.account,
      one.sku,
      one.quantity,
      one.date,
      money(one.decidedMinor, one.decided),
      money(one.foundMinor, one.found ?? one.decided),
      money(one.differenceMinor, one.decided),
      one.percent === null ? null : `${one.percent} %`,
      [one.decided === null ? null : `${one.decided.source} ${one.decided.name}`, one.line, one.note]
        .filter(Boolean)
        .join(', '),
    ]);
  const more = differences.length - rows.length;
  return [
    `${sample.prices} prices and ${sample.lines} lines of orders drawn with seed ${sample.seed}: ${differences.length} differences`,
    ...Object.entries(compared).map(([where, n]) => `  ${where}: ${n.compared} compared, ${n.differences} different`),
    ...notLookedAt.map(({ where, why }) => `  ${where}: not looked at: ${why}`),
    ...(rows.length === 0
      ? []
      : [
          '',
          table(
            ['where', 'what', 'account', 'sku', 'quantity', 'date', 'decided', 'found', 'by', 'percent', 'from'],
            rows,
          ),
        ]),
    ...(more > 0 ? [`and ${more} more (--json shows all)`] : []),
  ].join('\n');
}

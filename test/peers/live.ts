/**
 * For tests against real systems. The global set-up starts what the chosen files name; where a system can't be installed on this
 * machine its tests are skipped, and say why. Where it could be and did not start, they fail.
 */
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { kindsOf, Peers, readUp, stateFolder, type UpPeer } from './lib/manager.ts';
import { MedusaRefusal, medusaAdmin, medusaStore } from './medusa/client.ts';
import { TrytonSession } from './tryton/client.ts';
import { VendureSession, vendureAdmin } from './vendure/client.ts';

export type PeerName =
  | 'tryton'
  | 'medusa'
  | 'vendure'
  | 'ledgersmb'
  | 'mariadb'
  | 'sftp'
  | 'oidc'
  | 'nats'
  | 'prometheus'
  | 'smtp';

/** What the global set-up found out about a peer. */
export type PeerOutcome = { readonly up: string } | { readonly skipped: string } | { readonly failed: string };

declare module 'vitest' {
  interface ProvidedContext {
    peers: Record<string, PeerOutcome>;
  }
}

/** A peer that is up: how to reach it, and the keys that its seed made. */
export class Peer {
  readonly name: PeerName;
  readonly url: string;
  readonly keys: UpPeer;

  constructor(name: PeerName, keys: UpPeer) {
    this.name = name;
    this.url = keys.url;
    this.keys = keys;
  }

  /** Back to what was seeded. */
  async reset(): Promise<void> {
    const [kind] = kindsOf([this.name]);
    await new Peers((line) => console.info(line), { shift: shiftOf(this.keys) }).reset(kind!);
  }

  tryton(): Promise<TrytonSession> {
    return new TrytonSession(this.url, String(this.keys.database)).login();
  }

  vendureAdmin(channel?: string): Promise<VendureSession> {
    return vendureAdmin(this.url, channel);
  }

  vendureShop(channel?: string): VendureSession {
    return new VendureSession(this.url, 'shop-api', channel);
  }

  medusaAdmin() {
    return medusaAdmin(this.url, String(this.keys.secretKey));
  }

  medusaStore() {
    return medusaStore(this.url, String(this.keys.publishableKey));
  }
}

/** Its ports may have been moved when it was started; what acts on it later must move them alike. */
const shiftOf = (keys: UpPeer) => Number(keys.portShift ?? 0);

/** @returns the peer, or why it isn't there */
export function peer(name: PeerName): Peer | { skipped: string } | { failed: string } {
  const outcome = inject('peers')?.[name];
  if (outcome && !('up' in outcome)) return outcome;
  const keys = readUp(outcome?.up ?? join(stateFolder(), name));
  return keys ? new Peer(name, keys) : { skipped: `it is not up; run: npm run peers -- up ${name}` };
}

/** `describe` for tests that need these peers. */
export function live<N extends PeerName>(
  title: string,
  names: readonly N[],
  body: (peers: { readonly [K in N]: Peer }) => void,
): void {
  const found = names.map((name) => [name, peer(name)] as const);
  const missing = found.flatMap(([name, one]) => (one instanceof Peer ? [] : [{ name, ...one }]));
  const failed = missing.filter((one) => 'failed' in one);
  if (missing.length === 0) {
    describe(title, () => body(Object.fromEntries(found) as { [K in N]: Peer }));
  } else if (failed.length > 0) {
    // It could be here and isn't: that is no reason to be content.
    describe(title, () => it.each(failed)('$name is up', ({ failed: why }) => expect.fail(String(why))));
  } else {
    const why = missing.map((one) => `${one.name}: ${'skipped' in one ? one.skipped : ''}`).join('; ');
    console.warn(`\nSKIPPED ${title}\n${why}\n`);
    describe(title, () => it.skip(`needs ${names.join(' and ')} (${why.split('\n')[0]})`, () => {}));
  }
}

export { MedusaRefusal };

/** Codes that a caller names, or the error that says which one there isn't. */
import { fail } from '../canonical/index.ts';
import type { ChannelEntry, CompanyEntry, LocationEntry } from '../master/index.ts';
import type { ApiHub } from './hub.ts';
import { listAccounts } from './pages.sql.ts';

function shown(code: string): string {
  return JSON.stringify(code.slice(0, 60));
}

export function channelOf(hub: ApiHub, code: string, place = 'channel'): ChannelEntry {
  return hub.directory.channels.get(code) ?? fail('XD_UNKNOWN_CHANNEL', `no channel ${shown(code)}`, { place });
}

export function locationOf(hub: ApiHub, code: string, place = 'location'): LocationEntry {
  return hub.directory.locations.get(code) ?? fail('XD_UNKNOWN_LOCATION', `no location ${shown(code)}`, { place });
}

/** @param codes in upper case */
export async function skuIdsOf(
  hub: ApiHub,
  codes: readonly string[],
  place: (index: number) => string,
): Promise<number[]> {
  await hub.directory.loadSkus(codes);
  return codes.map(
    (code, i) => hub.directory.findSkuId(code) ?? fail('XD_UNKNOWN_SKU', `no SKU ${shown(code)}`, { place: place(i) }),
  );
}

export async function skuIdOf(hub: ApiHub, code: string, place: string): Promise<number> {
  return (await skuIdsOf(hub, [code], () => place))[0]!;
}

export function companyOf(hub: ApiHub, code: string, place = 'company'): CompanyEntry {
  return hub.directory.companies.get(code) ?? fail('XD_UNKNOWN_COMPANY', `no company ${shown(code)}`, { place });
}

export async function accountIdOf(hub: ApiHub, companyId: number, code: string, place = 'account'): Promise<number> {
  await hub.directory.loadAccounts([{ companyId, code }]);
  return (
    hub.directory.findAccountId(companyId, code) ?? fail('XD_UNKNOWN_ACCOUNT', `no account ${shown(code)}`, { place })
  );
}

/** The one account of this code, of this company where one is named. */
export async function accountOf(hub: ApiHub, account: string, company: string | undefined, place: string) {
  const companyId = company === undefined ? null : companyOf(hub, company).companyId;
  const [found, other] = await hub.db.query(listAccounts, [null, null, account, companyId, 2]);
  if (found === undefined) fail('XD_UNKNOWN_ACCOUNT', `no account ${shown(account)}`, { place });
  if (other !== undefined)
    fail('XD_VALUE_INVALID', `account ${account} exists in several companies; name one`, { place: 'company' });
  return found;
}

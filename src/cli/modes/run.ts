/** Degraded modes, for people. */
import { decimalOf, fail } from '../../canonical/index.ts';
import { type ModeDomain, modeSystemsOf } from '../../master/index.ts';
import {
  beginDrill,
  type DegradedOrder,
  type Drill,
  endDrill,
  listDegradedOrders,
  listModes,
  type ModeRecord,
} from '../../modes/index.ts';
import type { Opened } from '../open.ts';
import { whoAmI } from '../who.ts';

const SHOWN_MAX = 1_000;

export function list({ db }: Opened, all: boolean): Promise<ModeRecord[]> {
  return listModes(db, { all, limit: SHOWN_MAX });
}

export function listed(modes: readonly ModeRecord[]): string {
  if (modes.length === 0) return 'no degraded mode holds';
  return modes
    .map(({ modeId, domain, system, cause, detail, enteredAt, endsAt, leftAt, orders, held }) => {
      const until = leftAt !== null ? `left ${leftAt}` : endsAt !== null ? `ends ${endsAt}` : 'holds';
      return `${modeId}  ${domain} (${system}) ${cause}  since ${enteredAt}, ${until}  ${orders} orders, ${held} held  ${detail}`;
    })
    .join('\n');
}

export type ShownOrder = Omit<DegradedOrder, 'channelId' | 'externalNo'> & { order: string };

export async function orders({ db, directory }: Opened, modeId: number): Promise<ShownOrder[]> {
  return (await listDegradedOrders(db, modeId, SHOWN_MAX)).map(({ channelId, externalNo, ...rest }) => ({
    ...rest,
    order: `${directory.channelById.get(channelId)?.code ?? channelId}/${externalNo}`,
  }));
}

export function ordersShown(found: readonly ShownOrder[]): string {
  if (found.length === 0) return 'nothing was accepted in it';
  return found
    .map(({ orderId, order, account, totalMinor, currency, isHeld, checkedAt, overByMinor }) => {
      const credit =
        checkedAt === null
          ? 'not looked at again yet'
          : overByMinor === null
            ? 'its credit is not known'
            : overByMinor === 0
              ? 'within its limit'
              : `its account is over by ${decimalOf(overByMinor, currency)}`;
      return `${orderId}  ${order}  account ${account}  ${decimalOf(totalMinor, currency)} ${currency}${isHeld ? '  was held' : ''}  ${credit}`;
    })
    .join('\n');
}

/** @throws XD_ESTATE_INVALID when the estate declares nothing for it */
export async function begin({ db, directory }: Opened, domain: ModeDomain, minutes: number): Promise<Drill> {
  const system = modeSystemsOf(directory.rules.routing)[domain];
  if (system === undefined || directory.rules.degradedModes?.[domain] === undefined)
    fail(
      'XD_ESTATE_INVALID',
      `degradedModes.${domain} is not declared, or no system is routed to: nothing would follow`,
      {
        place: `degradedModes.${domain}`,
      },
    );
  return beginDrill(db, { domain, system, minutes, by: whoAmI() });
}

export function end({ db }: Opened, domain: ModeDomain): Promise<void> {
  return endDrill(db, domain);
}

/**
 * Where each key of the estate file is applied. A key that nothing applies stands here with what that means, and whoever declares it is
 * told so at every start and by `crossdock doctor`: what is written down and does nothing would be believed.
 */
import { type Path, pathText } from './faults.ts';
import type { Estate } from './schema.ts';

/** Source files that apply it; or what it means that none does. */
export type Application =
  | readonly string[]
  | { notApplied: string /** The value that asks for nothing. */; unless?: string };

const directory = 'src/master/directory.ts';
const channelEntry = 'src/master/channel-entry.ts';
const declaredEstate = 'src/master/declared-estate.ts';
const entries = 'src/master/entries.ts';
const app = 'src/app.ts';
const degradedPolicy = 'src/master/degraded-policy.ts';
const creditPolicy = 'src/master/credit-policy.ts';
const systems = 'src/estate/systems.ts';
const numbers = 'src/ledger/numbers.ts';
const retention = 'src/ops/retention.ts';
const availability = 'src/ledger/availability.ts';
const backorders = 'src/orders/backorders.ts';
const sourcing = 'src/master/sourcing.ts';

/** By path in the schema. A key that is not applied stands for all that it holds. */
export const applications: Readonly<Record<string, Application>> = {
  name: ['src/cli/start/run.ts'],
  'companies.<code>.currency': [directory, 'src/ingest/translate.ts'],
  'calendars.<code>.timeZone': ['src/promise/calendar.ts'],
  'calendars.<code>.workingDays': ['src/promise/calendar.ts'],
  'calendars.<code>.closed': ['src/promise/calendar.ts'],
  'calendars.<code>.cutOff': ['src/promise/calendar.ts'],
  postalAreas: [directory, 'src/ingest/order-terms.ts'],
  'companies.<code>.timeZone': [directory, 'src/api/prices.ts'],
  'locations.<code>.company': [directory],
  'locations.<code>.calendar': [sourcing],
  'locations.<code>.position.latitude': ['src/promise/sourcing.ts'],
  'locations.<code>.position.longitude': ['src/promise/sourcing.ts'],
  'locations.<code>.costMinor': [sourcing, 'src/orders/sourcing.ts'],
  'locations.<code>.receivingDays': [sourcing],
  'locations.<code>.region': [directory],
  'locations.<code>.priority': [directory],
  'locations.<code>.safetyStock': [directory, 'src/ledger/safety-stock.ts'],
  connectors: [systems],
  'locations.<code>.returns.inspect': [directory],
  'locations.<code>.returns.credit': [directory],
  'systems.<code>.connector': [systems],
  'systems.<code>.url': [systems],
  'systems.<code>.token': [systems],
  'systems.<code>.webhookSecret': [systems],
  'systems.<code>.settings': [systems],
  'systems.<code>.limits.callsPerSecond': [systems, 'src/connectors/kit/budget.ts'],
  'systems.<code>.limits.concurrency': [systems, app, 'src/outbound/deliver.ts'],
  'systems.<code>.limits.timeoutMs': [systems, 'src/connectors/kit/http.ts'],
  'systems.<code>.limits.batchMax': [systems, 'src/connectors/kit/batch.ts'],
  'systems.<code>.effectHorizonMs': [app, 'src/outbound/deliver.ts'],
  'systems.<code>.quantities': [directory],
  'systems.<code>.pollMs': [app, 'src/ingest/poll.ts'],
  'systems.<code>.pollMsMax': [app, 'src/ingest/poll.ts'],
  'systems.<code>.attemptsMax': [app, 'src/outbound/deliver.ts'],
  'channels.<code>.company': [directory],
  'channels.<code>.system': [app, directory],
  'channels.<code>.sells': [channelEntry],
  'channels.<code>.numberMeans': [channelEntry, numbers],
  'channels.<code>.locations': [channelEntry],
  'channels.<code>.share': [availability, numbers, backorders],
  'channels.<code>.cap': [availability, numbers, backorders],
  'channels.<code>.buffer': [availability, numbers, backorders],
  'channels.<code>.horizonDays': [availability, 'src/ledger/commitments.ts'],
  'channels.<code>.tolerance': [channelEntry, numbers],
  'channels.<code>.onShort': [channelEntry, 'src/orders/process.ts'],
  'channels.<code>.onShortPick.policy': [channelEntry, 'src/orders/short-picks.ts'],
  'channels.<code>.onShortPick.otherwise': [channelEntry, 'src/orders/short-picks.ts'],
  'channels.<code>.onOversold.policy': [channelEntry, 'src/orders/exceptions.ts'],
  'channels.<code>.onOversold.otherwise': [channelEntry, 'src/orders/exceptions.ts'],
  'channels.<code>.substitutes': [channelEntry, 'src/ingest/translate.ts'],
  'channels.<code>.sourcing.rank': [sourcing, 'src/orders/sourcing.ts'],
  'channels.<code>.sourcing.splitMax': [sourcing, backorders],
  'channels.<code>.sourcing.lineSplitMax': [sourcing, backorders],
  'channels.<code>.sourcing.shipComplete': [sourcing, 'src/ingest/order-terms.ts', 'src/orders/complete.ts'],
  'channels.<code>.sourcing.version': [sourcing],
  'channels.<code>.onOrderRule': [channelEntry],
  'channels.<code>.soldIn': [channelEntry, 'src/ingest/translate-quantities.ts'],
  'channels.<code>.risk': {
    notApplied: 'shares may add up to more than 1, and numbers are still set aside one by one: shelves are no fuller',
    unless: 'none',
  },
  'channels.<code>.reservationMaxSeconds': [channelEntry, 'src/api/reservations.ts'],
  'channels.<code>.prices.check': [channelEntry],
  'channels.<code>.prices.tolerancePercent': [channelEntry, 'src/pricing/check.ts'],
  'channels.<code>.prices.toleranceMinor': [channelEntry, 'src/pricing/check.ts'],
  'channels.<code>.prices.list': [channelEntry, 'src/pricing/read.ts'],
  'channels.<code>.credit': [channelEntry, 'src/orders/credit-gate.ts'],
  'credit.onOver': [creditPolicy, 'src/orders/credit-gate.ts'],
  'credit.freshMs': [creditPolicy, 'src/credit/decide-credit.ts', 'src/ingest/credit-asks.ts'],
  'credit.liveTimeoutMs': [creditPolicy, 'src/ingest/credit-asks.ts'],
  'credit.releaseWhenFree': [creditPolicy, 'src/orders/credit-releases.ts'],
  'credit.groupReports': [creditPolicy, 'src/credit/session.ts', 'src/credit/reports.ts'],
  'credit.cached.orderMinorMax': [creditPolicy, 'src/credit/decide-credit.ts'],
  'credit.cached.totalMinorMax': [creditPolicy, 'src/credit/decide-credit.ts'],
  'credit.cached.ageMinutesMax': [creditPolicy, 'src/credit/decide-credit.ts'],
  'channels.<code>.tax.rounding': [entries, 'src/ingest/order-charges.ts'],
  'channels.<code>.tax.toleranceMinor': [channelEntry, 'src/ingest/order-charges.ts'],
  'channels.<code>.charges.freight.onCancel': [channelEntry, 'src/orders/billing.ts'],
  'channels.<code>.charges.freight.onReturn': [channelEntry, 'src/orders/billing.ts'],
  'channels.<code>.charges.other.onCancel': [channelEntry, 'src/orders/billing.ts'],
  'channels.<code>.charges.other.onReturn': [channelEntry, 'src/orders/billing.ts'],
  'channels.<code>.charges.restockingFee.percent': ['src/orders/billing.ts'],
  'channels.<code>.charges.restockingFee.code': [channelEntry, 'src/orders/billing.ts'],
  'channels.<code>.charges.restockingFee.exceptReasons': [channelEntry, 'src/orders/billing.ts'],
  'channels.<code>.returns.inspect': [directory],
  'channels.<code>.returns.credit': [directory],
  'routing.orders': [app, 'src/outbound/plan.ts'],
  'routing.fulfilment': [app, 'src/outbound/plan.ts'],
  'routing.accounts': [app, 'src/outbound/plan.ts'],
  owners: [declaredEstate, 'src/master/owners.ts'],
  ownership: [declaredEstate, 'src/master/owners.ts'],
  partners: { notApplied: 'no message is exchanged with a partner' },
  'freshness.<code>.targetMs': ['src/server.ts', 'src/api/status.ts'],
  'matching.account.systems': [directory],
  'matching.account.rules': ['src/master/matches.ts'],
  'matching.product.systems': [directory],
  'matching.product.rules': ['src/master/matches.ts'],
  'holds.<code>.owner': [directory, 'src/orders/holds.ts'],
  'holds.<code>.dueMinutes': [directory, 'src/orders/holds.ts'],
  'holds.<code>.onLift': [directory, 'src/orders/account-holds.ts'],
  'holds.<code>.onDue': [directory, 'src/orders/hold-records.ts'],
  'repromise.auto': [app],
  'stages.<code>.targetMinutes': ['src/ops/alerts.ts'],
  'stages.<code>.owner': ['src/ops/alerts.ts'],
  'degradedModes.erp.afterSeconds': [degradedPolicy],
  'degradedModes.erp.acceptOrderMinorMax': ['src/orders/degraded-gate.ts'],
  'degradedModes.erp.byClass': ['src/orders/degraded-gate.ts'],
  'degradedModes.wms.afterSeconds': [degradedPolicy],
  'degradedModes.wms.marginUnits': [app],
  'degradedModes.wms.marginPercent': [app],
  'degradedModes.crm.afterSeconds': [degradedPolicy],
  'retention.raw_record': [app, retention],
  'retention.fact': [app, retention],
  'retention.stock_movement': [app, retention],
  'retention.freshness': [app, retention],
  'retention.delivery': [app, retention],
  'retention.publication': [app, retention],
  'retention.reservation': [app, retention],
  'retention.parked_record': [app, retention],
  'retention.promise': [app, retention],
  'retention.shortage': [app, retention],
  'retention.stage_alert': [app, retention],
  'retention.load_plan': [app, retention],
  'retention.credit_claim': [app, retention],
  'intake.inFlightMax': [app, 'src/ops/pressure.ts'],
  'intake.ageMaxMs': [app, 'src/ops/pressure.ts'],
};

export interface Unapplied {
  /** As it would be written: `partners["acme.uk"]`. */
  path: string;
  /** What follows from declaring it: nothing, and what happens instead. */
  meaning: string;
}

/** What this estate declares and this version does not apply, each by its path. */
export function listUnapplied(estate: Estate): Unapplied[] {
  const found: Unapplied[] = [];
  for (const [key, application] of Object.entries(applications)) {
    if (!('notApplied' in application)) continue;
    for (const { path, value } of valuesAt(estate, key.split('.'))) {
      if (value === application.unless) continue;
      const paths: Path[] = isRecord(value) ? Object.keys(value).map((name) => [...path, name]) : [path];
      for (const one of paths) found.push({ path: pathText(one), meaning: application.notApplied });
    }
  }
  return found;
}

function valuesAt(value: unknown, [part, ...rest]: string[], path: Path = []): { path: Path; value: unknown }[] {
  if (part === undefined) return value === undefined ? [] : [{ path, value }];
  if (!isRecord(value)) return [];
  const names = part === '<code>' ? Object.keys(value) : [part];
  return names.flatMap((name) => valuesAt(value[name], rest, [...path, name]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

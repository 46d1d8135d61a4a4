/**
 * Charges with what leaves, is cancelled and comes back. A charge that follows the goods has the part that their amount has; each of the three is
 * a function of its own goods alone, so that parts add up whatever comes first. Pure, as `decide`.
 */
import { nearest, taxMinor } from '../canonical/index.ts';
import type {
  Billing,
  ChargePart,
  ChargePolicy,
  ChargeProgress,
  ChargeRule,
  RestockingFee,
  Taxed,
} from './billing-types.ts';
import type { Order, OrderEvent } from './types.ts';

const FOLLOWS: ChargeRule = { onCancel: 'share', onReturn: 'share' };
const STAYS: ChargeRule = { onCancel: 'keep', onReturn: 'keep' };
export const NO_CHARGE_POLICY: ChargePolicy = { freight: STAYS, other: STAYS, restockingFee: null };

/** What is taken off, and what is put on for the goods, always follows them: else more could be credited than was invoiced. */
function ruleOf({ kind, amountMinor }: ChargeProgress, policy: ChargePolicy): ChargeRule {
  if (kind === 'allowance' || kind === 'surcharge') return FOLLOWS;
  // Less freight is freight, and goes the way of it.
  if (amountMinor < 0) return { ...policy[kind], onReturn: policy[kind].onCancel };
  return policy[kind];
}

const FIELDS = ['amountMinor', 'taxMinor'] as const;
const ZERO: Taxed = { amountMinor: 0, taxMinor: 0 };
const isZero = (part: Taxed): boolean => part.amountMinor === 0 && part.taxMinor === 0;

export function newBilling(charges: Billing['charges'], acceptedMinor: number): Billing {
  return {
    charges,
    goods: { acceptedMinor, cancelledMinor: 0, shippedMinor: 0, returnedMinor: 0 },
    lines: new Map(),
  };
}

export function newCharge(charge: Omit<ChargeProgress, 'due' | 'cancelled' | 'refunded' | 'invoiced' | 'credited'>) {
  const { chargeNo, kind, code, amountMinor, taxMinor } = charge;
  const none = { due: { ...ZERO }, cancelled: { ...ZERO }, refunded: { ...ZERO } };
  return {
    ...{ chargeNo, kind, code, amountMinor, taxMinor, ...none },
    ...{ invoiced: { ...ZERO }, credited: { ...ZERO } },
  };
}

/** The part of an amount that belongs to goods of so much, half away from zero. */
function shareOf(minor: number, goodsMinor: number, ofMinor: number): number {
  if (ofMinor <= 0) return goodsMinor >= ofMinor ? minor : 0;
  const part = Math.max(0, Math.min(goodsMinor, ofMinor));
  return Number(nearest(BigInt(minor) * BigInt(part), BigInt(ofMinor)));
}

/** How much more of it, up to a target and never beyond what is left; never back. */
function more(target: number, before: number, left: number): number {
  const sign = Math.sign(left);
  return sign * Math.max(0, Math.min(sign * (target - before), sign * left));
}

/** Adds to each event what becomes of the charges by it. */
export function withCharges(order: Order, list: OrderEvent[], policy = NO_CHARGE_POLICY): OrderEvent[] {
  const { billing } = order;
  if (billing === undefined && policy.restockingFee === null) return list;
  if (!list.some((event) => CHARGING.has(event.type))) return list;
  const now = billing === undefined ? undefined : structuredClone(billing);
  let { shipped, open } = order.progress;
  return list.map((event) => {
    const parts: ChargePart[] = [];
    const add = (charge: ChargeProgress, to: 'due' | 'cancelled' | 'refunded', part: Taxed) => {
      if (isZero(part)) return;
      for (const field of FIELDS) charge[to][field] += part[field];
      parts.push({ chargeNo: charge.chargeNo, ...part });
    };
    if (event.type === 'shipment.confirmed') {
      for (const { quantity } of event.lines) shipped += quantity;
      follow(now, event);
      for (const charge of now?.charges.values() ?? [])
        add(charge, 'due', dueOf(charge, ruleOf(charge, policy), now!, shipped >= open));
    } else if (event.type === 'order.lines_cancelled') {
      for (const { quantity } of event.lines) open -= quantity;
      follow(now, event);
      for (const charge of now?.charges.values() ?? [])
        add(charge, 'cancelled', endedOf(charge, ruleOf(charge, policy), now!, open, shipped));
    } else if (event.type === 'return.received' || event.type === 'return.inspected') {
      follow(now, event);
      const credited = creditOf(event);
      if (credited === undefined) return event;
      for (const charge of now?.charges.values() ?? []) {
        const part = refundOf(charge, ruleOf(charge, policy), now!, shipped >= open);
        add(charge, 'refunded', part);
        if (!isZero(part)) withAsked(charge, parts.at(-1)!);
      }
      const reason = order.returns.get(event.returnId)?.reason ?? null;
      const fee = feeOf(credited, reason, policy);
      if (parts.length === 0 && fee === undefined) return event;
      return {
        ...event,
        ...(parts.length > 0 && { charges: parts }),
        ...(fee !== undefined && { fee }),
      };
    } else {
      if (event.type === 'order.lines_added')
        for (const { quantity, refused } of event.lines) open += quantity - refused;
      return event;
    }
    return parts.length === 0 ? event : { ...event, charges: parts };
  });
}

const CHARGING: ReadonlySet<string> = new Set([
  'shipment.confirmed',
  'order.lines_cancelled',
  'return.received',
  'return.inspected',
]);

type Moving = Extract<
  OrderEvent,
  { type: 'shipment.confirmed' | 'order.lines_cancelled' | 'return.received' | 'return.inspected' }
>;

/** Counts the goods of an event. */
export function follow(billing: Billing | undefined, event: Moving): void {
  if (billing === undefined) return;
  const { goods } = billing;
  const sum = () => event.lines.reduce((all, { amountMinor }) => all + amountMinor, 0);
  if (event.type === 'shipment.confirmed') goods.shippedMinor += sum();
  else if (event.type === 'order.lines_cancelled') goods.cancelledMinor += sum();
  else goods.returnedMinor += creditOf(event)?.creditMinor ?? 0;
}

/** What of goods that came back is given back, and what of that the ERP is asked for; undefined: nothing is said of it by this. */
function creditOf(
  event: Extract<OrderEvent, { type: 'return.received' | 'return.inspected' }>,
): { creditMinor: number; asked: Taxed } | undefined {
  const asked = { amountMinor: 0, taxMinor: 0 };
  let creditMinor = 0;
  if (event.type === 'return.received') {
    if (event.inspection === 'before_credit') return undefined;
    for (const line of event.lines) {
      creditMinor += line.amountMinor;
      asked.amountMinor += line.askedMinor ?? line.amountMinor;
      asked.taxMinor += line.askedTaxMinor ?? line.taxMinor ?? 0;
    }
    return { creditMinor, asked };
  }
  if (event.inspection !== 'before_credit') return undefined;
  for (const line of event.lines) {
    creditMinor += line.creditMinor;
    asked.amountMinor += line.askedMinor;
    asked.taxMinor += line.askedTaxMinor ?? 0;
  }
  return { creditMinor, asked };
}

/** One that stays whole leaves with the first goods; with the last ones whatever is left does. */
function dueOf(charge: ChargeProgress, rule: ChargeRule, { goods }: Billing, isLast: boolean): Taxed {
  return each((field) => {
    const left = charge[field] - charge.due[field] - charge.cancelled[field];
    if (isLast || rule.onCancel === 'keep') return left;
    const rest = goods.acceptedMinor - goods.shippedMinor;
    return more(charge[field] - shareOf(charge[field], rest, goods.acceptedMinor), charge.due[field], left);
  });
}

function endedOf(charge: ChargeProgress, rule: ChargeRule, { goods }: Billing, open: number, shipped: number): Taxed {
  return each((field) => {
    const left = charge[field] - charge.due[field] - charge.cancelled[field];
    if (open === 0) return left;
    if (rule.onCancel === 'keep') return 0;
    if (shipped >= open) return left;
    const { cancelledMinor, acceptedMinor } = goods;
    return more(shareOf(charge[field], cancelledMinor, acceptedMinor), charge.cancelled[field], left);
  });
}

function refundOf(charge: ChargeProgress, rule: ChargeRule, { goods }: Billing, isAllOut: boolean): Taxed {
  if (rule.onReturn === 'keep') return ZERO;
  const { acceptedMinor, returnedMinor, shippedMinor } = goods;
  const isAllBack = isAllOut && rule.onCancel === 'share' && returnedMinor >= shippedMinor;
  return each((field) => {
    const left = charge.due[field] - charge.refunded[field];
    if (isAllBack) return left;
    const rest = acceptedMinor - returnedMinor;
    return more(charge[field] - shareOf(charge[field], rest, acceptedMinor), charge.refunded[field], left);
  });
}

/** Less what the ERP credited of it without being asked. */
function withAsked(charge: ChargeProgress, part: ChargePart): void {
  const asked = each((field) => {
    const ahead = charge.credited[field] - (charge.refunded[field] - part[field]);
    const sign = Math.sign(part[field]);
    return part[field] - sign * Math.max(0, Math.min(sign * ahead, sign * part[field]));
  });
  if (asked.amountMinor === part.amountMinor && asked.taxMinor === part.taxMinor) return;
  part.askedMinor = asked.amountMinor;
  part.askedTaxMinor = asked.taxMinor;
}

/** Of what the ERP is asked to credit, rounded once a posting. */
function feeOf(
  { asked }: { asked: Taxed },
  reason: string | null,
  { restockingFee }: ChargePolicy,
): RestockingFee | undefined {
  if (restockingFee === null || (reason !== null && restockingFee.exceptReasons.includes(reason))) return undefined;
  const fee = each((field) => taxMinor(asked[field], restockingFee.percent));
  return isZero(fee) ? undefined : { code: restockingFee.code, ...fee };
}

function each(of: (field: (typeof FIELDS)[number]) => number): Taxed {
  // A sum of nothing is 0, not -0.
  return { amountMinor: of('amountMinor') + 0, taxMinor: of('taxMinor') + 0 };
}

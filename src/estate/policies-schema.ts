import { Type } from 'typebox';
import { afterSeconds, closed, code, days } from './schema-parts.ts';

/** Rules of the whole estate: holds, credit, reruns, stages, degraded modes, what is kept and how much is taken in. */
export const policies = {
  holds: Type.Optional(
    Type.Record(
      code,
      Type.Object(
        {
          owner: Type.Optional(
            Type.String({ minLength: 1, maxLength: 100, description: 'who decides; default operations' }),
          ),
          dueMinutes: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: 525_600,
              description: 'within which somebody should decide; default: no time',
            }),
          ),
          onDue: Type.Optional(
            Type.Union([Type.Literal('alert'), Type.Literal('cancel')], {
              description:
                'what becomes of an order that nobody released by then. cancel: all of it is given up; default alert',
            }),
          ),
          onLift: Type.Optional(
            Type.Union([Type.Literal('release'), Type.Literal('keep')], {
              description:
                'of account: what becomes of orders that wait for a hold of their account when that is taken off. keep: they wait for a person; default release',
            }),
          ),
        },
        closed,
      ),
      {
        description:
          'kind of hold (credit, price, account, quantity, manual, degraded) -> whose it is, and by when somebody decides',
      },
    ),
  ),
  credit: Type.Optional(
    Type.Object(
      {
        onOver: Type.Optional(
          Type.Union([Type.Literal('hold'), Type.Literal('refuse')], {
            description:
              'what becomes of an order beyond its account’s limit, or whose credit is not known; one that was sold already is held; default hold',
          }),
        ),
        freshMs: Type.Optional(
          Type.Integer({
            minimum: 100,
            maximum: 86_400_000,
            description: 'a report of this age counts as live; an older one is asked for anew; default 60000',
          }),
        ),
        liveTimeoutMs: Type.Optional(
          Type.Integer({
            minimum: 10,
            maximum: 30_000,
            description: "how long an order waits for the ERP's answer; default 1500",
          }),
        ),
        releaseWhenFree: Type.Optional(
          Type.Boolean({
            description: 'orders held for credit go on by themselves once there is room, oldest first; default true',
          }),
        ),
        groupReports: Type.Optional(
          Type.Union([Type.Literal('whole'), Type.Literal('own')], {
            description:
              'what the ERP reports of an account with others below it. whole: it contains theirs; own: it is of that account alone, and what is reported of those below that have no limit of their own is added; default whole',
          }),
        ),
        cached: Type.Optional(
          Type.Object(
            {
              orderMinorMax: Type.Optional(
                Type.Integer({ minimum: 0, description: 'minor units, an order; default: what the limit allows' }),
              ),
              totalMinorMax: Type.Optional(
                Type.Integer({
                  minimum: 0,
                  description:
                    'minor units, all of an account’s that no report shows yet; default: what the limit allows',
                }),
              ),
              ageMinutesMax: Type.Optional(
                Type.Integer({
                  minimum: 0,
                  maximum: 525_600,
                  description: 'on an older report nothing is accepted; default 1440',
                }),
              ),
            },
            { ...closed, description: 'the most that is accepted on a report that is not live' },
          ),
        ),
      },
      { ...closed, description: 'of channels with credit: check' },
    ),
  ),
  repromise: Type.Optional(
    Type.Object(
      {
        auto: Type.Optional(
          Type.Boolean({
            description:
              'what a change touches (supply, lost goods, cancels) is decided anew at once, by the class of accounts, and some may lose by it; default false: who waits is given what nobody has, dearest class first',
          }),
        ),
      },
      { ...closed, description: 'who gets what waits and what is to come' },
    ),
  ),
  stages: Type.Optional(
    Type.Record(
      code,
      Type.Object(
        {
          targetMinutes: Type.Integer({
            minimum: 1,
            maximum: 525_600,
            description: 'an order that is longer there is an alert',
          }),
          owner: Type.Optional(
            Type.String({ minLength: 1, maxLength: 100, description: 'who looks after it; default operations' }),
          ),
        },
        closed,
      ),
      {
        description:
          'state of an order (accepted, confirmed, released, partly_shipped, shipped) -> how long it may be in it',
      },
    ),
  ),
  degradedModes: Type.Optional(
    Type.Object(
      {
        erp: Type.Optional(
          Type.Object(
            {
              afterSeconds: Type.Optional(afterSeconds()),
              acceptOrderMinorMax: Type.Optional(
                Type.Integer({
                  minimum: 0,
                  description: 'minor units: a larger order is held until it is back; default: any order is accepted',
                }),
              ),
              byClass: Type.Optional(
                Type.Record(code, Type.Integer({ minimum: 0, description: 'minor units, instead' }), {
                  description: 'the same by class of account: win, gain, redistribute, fill, lose',
                }),
              ),
            },
            {
              ...closed,
              description: 'orders are accepted on the credit that was reported last, marked, and told later',
            },
          ),
        ),
        wms: Type.Optional(
          Type.Object(
            {
              afterSeconds: Type.Optional(afterSeconds()),
              marginUnits: Type.Optional(
                Type.Integer({
                  minimum: 0,
                  description: "base units kept out of each channel's numbers and orders; default 0",
                }),
              ),
              marginPercent: Type.Optional(
                Type.Integer({
                  minimum: 0,
                  maximum: 100,
                  description: 'per cent of what is free kept out; default 0',
                }),
              ),
            },
            { ...closed, description: 'what was counted last is sold, less a margin' },
          ),
        ),
        crm: Type.Optional(
          Type.Object(
            { afterSeconds: Type.Optional(afterSeconds()) },
            { ...closed, description: 'nothing waits for it; that it was away is kept' },
          ),
        ),
      },
      { ...closed, description: 'what holds while the system of a domain is away' },
    ),
  ),
  retention: Type.Optional(
    Type.Object(
      {
        raw_record: Type.Optional(days('messages as they came; default 90')),
        fact: Type.Optional(days('facts; default 730')),
        stock_movement: Type.Optional(days('movements; their sums stay; default 730')),
        freshness: Type.Optional(days('lateness by flow and minute; default 30')),
        delivery: Type.Optional(
          days('what systems were told of closed orders, of charges; never before the facts it came from; default 730'),
        ),
        publication: Type.Optional(days('which states of closed orders systems hold; as delivery; default 730')),
        reservation: Type.Optional(days('soft holds, from their expiry on; default 90')),
        parked_record: Type.Optional(days('what was set aside, once it is replayed or resolved; default 90')),
        stage_alert: Type.Optional(days('alerts of orders that were stuck, once they ended; default 730')),
        promise: Type.Optional(days('what closed orders were promised; as delivery; default 730')),
        shortage: Type.Optional(days('shortages, once they ended; default 730')),
        load_plan: Type.Optional(days('plans of loads with their items: without one nothing is undone; default 730')),
        credit_claim: Type.Optional(days('what counted against a credit limit, once it does no more; default 730')),
      },
      { ...closed, description: 'how many days a kind of record is kept; everything else is kept for ever' },
    ),
  ),
  intake: Type.Optional(
    Type.Object(
      {
        inFlightMax: Type.Optional(
          Type.Integer({ minimum: 1, description: 'unfinished deliveries beyond which intake stops; default 4000' }),
        ),
        ageMaxMs: Type.Optional(
          Type.Integer({
            minimum: 1,
            description: 'age of the oldest unfinished delivery beyond which intake stops; default 5000',
          }),
        ),
      },
      closed,
    ),
  ),
};

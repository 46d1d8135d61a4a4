/** Orders by page, and one order's way through all systems. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { MESSAGES_TOLD_MAX, tellRecords } from '../ingest/index.ts';
import { stateRules } from '../orders/index.ts';
import { listCame, readHistory, readTimeline as readWholeTimeline } from '../projections/index.ts';
import { numbers } from '../store/index.ts';
import { checkChannel, keyOf } from './auth.ts';
import { pageOf, readCursor } from './cursors.ts';
import { loadCodesOf, withCodes } from './fact-codes.ts';
import type { ApiHub } from './hub.ts';
import { channelOf } from './lookups.ts';
import * as statements from './orders.sql.ts';
import { getOrder } from './orders.ts';
import { rereadsOf } from './parked.ts';
import { closed, code, cursor, decimalOf, idParams, limit, text } from './schemas.ts';

const TIMELINE_ENTRIES_MAX = 2_000;

const query = closed({
  state: Type.Optional(Type.Enum(stateRules.map((rule) => rule.state))),
  channel: Type.Optional(code()),
  account: Type.Optional(code()),
  externalNo: Type.Optional(text(100, "the channel's own number; with channel it names one order")),
  cursor: Type.Optional(cursor()),
  limit: limit(),
});

export function orderPageRoutes(app: FastifyInstance, hub: ApiHub): void {
  const { db, directory } = hub;

  app.get<{ Querystring: Static<typeof query> }>(
    '/v1/orders',
    {
      config: { scope: 'read', perChannel: true },
      schema: { summary: 'Orders, newest first', tags: ['orders'], querystring: query },
    },
    async (request) => {
      const { state, account, externalNo, limit } = request.query;
      const code = request.query.channel ?? keyOf(request).channel ?? undefined;
      if (code !== undefined) checkChannel(request, code);
      const channelId = code === undefined ? null : channelOf(hub, code).channelId;
      const accountIds =
        account === undefined
          ? null
          : (await db.query(statements.findAccountIds, [account])).map((row) => row.account_id);
      const after = readCursor(request.query.cursor, ['number'])?.[0] ?? null;
      const rows = await db.query(statements.listOrders, [
        after,
        state ?? null,
        channelId,
        accountIds === null ? null : numbers(accountIds),
        externalNo ?? null,
        limit + 1,
      ]);
      const { shown, nextCursor } = pageOf(rows, limit, (row) => [row.order_id]);
      return {
        orders: shown.map((row) => ({
          orderId: String(row.order_id),
          company: directory.companyById.get(row.company_id)?.code ?? null,
          channel: directory.channelById.get(row.channel_id)?.code ?? null,
          externalNo: row.external_no,
          account: row.account,
          state: row.state,
          version: row.version,
          erpNumber: row.erp_number,
          currency: row.currency,
          total: decimalOf(row.total_minor, row.currency),
          totalMinor: row.total_minor,
          orderedAt: row.ordered_at.toISOString(),
          recordedAt: row.recorded_at.toISOString(),
        })),
        nextCursor,
      };
    },
  );

  app.get<{ Params: Static<typeof idParams> }>(
    '/v1/orders/:id/timeline',
    {
      config: { scope: 'read', perChannel: true },
      schema: {
        summary: 'What happened to an order, and what each system was told',
        tags: ['orders'],
        params: idParams,
      },
    },
    async (request) => {
      const order = await getOrder(hub, request, request.params.id);
      return {
        orderId: String(order.orderId),
        order: `${directory.channelById.get(order.channelId)?.code}/${order.externalNo}`,
        state: order.state,
        entries: await readTimeline(hub, order.orderId),
      };
    },
  );

  // What messages hold beyond our own words is for those who see parked ones.
  app.get<{ Params: Static<typeof idParams> }>(
    '/v1/orders/:id/mapping',
    {
      config: { scope: 'operate' },
      schema: {
        summary: 'How each message of an order was read, step by step',
        description: 'Read again from the messages that were kept, as the estate maps them now.',
        tags: ['orders'],
        params: idParams,
      },
    },
    async (request) => {
      const { orderId, channelId, externalNo } = await getOrder(hub, request, request.params.id);
      const channel = directory.channelById.get(channelId)?.code ?? '';
      const timeline = await readWholeTimeline(db, { orderId, channel, externalNo, state: '', erpNumber: null });
      const came = listCame(timeline);
      return {
        orderId: String(orderId),
        order: timeline.order,
        mappings: await tellRecords(db, came, rereadsOf(hub)),
        truncated: came.length > MESSAGES_TOLD_MAX,
      };
    },
  );
}

interface TimelineEntry {
  at: string;
  kind: 'fact' | 'delivery' | 'publication';
  [detail: string]: unknown;
}

/** By the database's time: facts as they were recorded, deliveries and publications as they were planned, sent and answered. */
async function readTimeline(
  { db, directory }: Pick<ApiHub, 'db' | 'directory'>,
  orderId: number,
): Promise<TimelineEntry[]> {
  const { facts, deliveries, publications } = await readHistory(db, orderId, TIMELINE_ENTRIES_MAX);
  await loadCodesOf(facts, directory);
  const entries: TimelineEntry[] = facts.map((fact) => ({
    at: fact.recordedAt.toISOString(),
    kind: 'fact',
    type: fact.type,
    version: fact.version,
    occurredAt: fact.occurredAt,
    correlationId: fact.correlationId,
    data: withCodes(fact.data, directory),
  }));
  for (const told of deliveries)
    entries.push({
      at: told.recordedAt.toISOString(),
      kind: 'delivery',
      destination: told.destination,
      what: told.kind,
      reference: told.reference,
      state: told.state,
      attempts: told.attempts,
      sentAt: told.sentAt?.toISOString() ?? null,
      endedAt: told.endedAt?.toISOString() ?? null,
      error: told.error,
    });
  for (const told of publications)
    entries.push({
      at: (told.confirmedAt ?? told.sentAt ?? told.changedAt).toISOString(),
      kind: 'publication',
      destination: told.destination,
      what: told.kind,
      state: told.version <= told.confirmedVersion ? 'confirmed' : told.state,
      version: told.version,
      confirmedVersion: told.confirmedVersion,
      attempts: told.attempts,
      confirmedAt: told.confirmedAt?.toISOString() ?? null,
      error: told.error,
    });
  return entries.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

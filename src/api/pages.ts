/** Shipments and invoices out, by keyset pages. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Static, type TProperties, Type } from 'typebox';
import { checkChannel, keyOf } from './auth.ts';
import { pageOf, readCursor } from './cursors.ts';
import type { ApiHub } from './hub.ts';
import { channelOf } from './lookups.ts';
import * as statements from './pages.sql.ts';
import { closed, code, cursor, decimalOf, limit } from './schemas.ts';

export function paged<T extends TProperties>(filters: T) {
  return closed({ ...filters, cursor: Type.Optional(cursor()), limit: limit() });
}
const documents = paged({
  order: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'orderId' })),
  channel: Type.Optional(code()),
});
type Documents = Static<typeof documents>;

export function pageRoutes(app: FastifyInstance, hub: ApiHub): void {
  const { db, directory } = hub;

  app.get<{ Querystring: Documents }>(
    '/v1/shipments',
    {
      config: { scope: 'read', perChannel: true },
      schema: { summary: 'Shipments by number', tags: ['records'], querystring: documents },
    },
    async (request) => {
      const { limit, order } = request.query;
      const [after, source] = readCursor(request.query.cursor, ['text', 'text']) ?? [null, null];
      const rows = await db.query(statements.listShipments, [
        after,
        source,
        order ?? null,
        channelIdOf(request),
        limit + 1,
      ]);
      const { shown, nextCursor } = pageOf(rows, limit, (row) => [row.shipment_no, row.source]);
      return {
        shipments: shown.map((row) => ({
          shipment: row.shipment_no,
          source: row.source,
          orderId: String(row.order_id),
          order: referenceOf(row),
          fulfilment: directory.fulfilmentReference(row.fulfilment_id),
          location: directory.locationById.get(row.location_id)?.code ?? null,
          tracking: row.tracking,
          carrier: row.carrier,
          parcels: row.parcels ?? (row.tracking === null ? [] : [{ tracking: row.tracking }]),
          shippedAt: row.shipped_at.toISOString(),
          lines: row.lines,
        })),
        nextCursor,
      };
    },
  );

  app.get<{ Querystring: Documents }>(
    '/v1/invoices',
    {
      config: { scope: 'read', perChannel: true },
      schema: { summary: 'Invoices and credit notes by number', tags: ['records'], querystring: documents },
    },
    async (request) => {
      const { limit, order } = request.query;
      const [kind, after, source] = readCursor(request.query.cursor, ['text', 'text', 'text']) ?? [null, null, null];
      const rows = await db.query(statements.listInvoices, [
        kind,
        after,
        source,
        order ?? null,
        channelIdOf(request),
        limit + 1,
      ]);
      const { shown, nextCursor } = pageOf(rows, limit, (row) => [row.kind, row.invoice_no, row.source]);
      return {
        invoices: shown.map((row) => ({
          invoice: row.invoice_no,
          source: row.source,
          kind: row.kind,
          orderId: String(row.order_id),
          order: referenceOf(row),
          currency: row.currency,
          total: decimalOf(row.total_minor, row.currency),
          totalMinor: row.total_minor,
          postedAt: row.posted_at.toISOString(),
          lines: row.lines,
        })),
        nextCursor,
      };
    },
  );

  function channelIdOf(request: FastifyRequest<{ Querystring: Documents }>): number | null {
    const code = request.query.channel ?? keyOf(request).channel;
    if (code === null) return null;
    checkChannel(request, code);
    return channelOf(hub, code).channelId;
  }
  function referenceOf(row: { channel_id: number; external_no: string }): string {
    return `${directory.channelById.get(row.channel_id)?.code ?? '?'}/${row.external_no}`;
  }
}

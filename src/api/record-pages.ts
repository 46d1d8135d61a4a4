/** Products and accounts out: by keyset pages, and one of them. Each field with the system whose value it is. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { fail } from '../canonical/index.ts';
import { pageOf, readCursor } from './cursors.ts';
import type { ApiHub } from './hub.ts';
import { companyOf } from './lookups.ts';
import * as statements from './pages.sql.ts';
import { paged } from './pages.ts';
import { closed, code, decimalOf, sku, skuCodeOf } from './schemas.ts';

const products = paged({ sku: Type.Optional(sku()) });
const accounts = paged({ account: Type.Optional(code()), company: Type.Optional(code()) });
const oneAccount = closed({ company: Type.Optional(code()) });

export function recordPageRoutes(app: FastifyInstance, hub: ApiHub): void {
  const { db, directory } = hub;

  app.get<{ Querystring: Static<typeof products> }>(
    '/v1/products',
    {
      config: { scope: 'read', perChannel: true },
      schema: {
        summary: 'Products by code',
        description: '`setBy`: by field, the system whose value it is; `person`: somebody put it.',
        tags: ['records'],
        querystring: products,
      },
    },
    async (request) => {
      const { limit } = request.query;
      const after = readCursor(request.query.cursor, ['text'])?.[0] ?? null;
      const only = request.query.sku === undefined ? null : skuCodeOf(request.query.sku);
      const rows = await db.query(statements.listProducts, [after, only, limit + 1]);
      const page = pageOf(rows, limit, (row) => [row.code]);
      return { products: page.shown.map(productOf), nextCursor: page.nextCursor };
    },
  );

  app.get<{ Params: { sku: string } }>(
    '/v1/products/:sku',
    {
      config: { scope: 'read', perChannel: true },
      schema: { summary: 'One product', tags: ['records'], params: closed({ sku: sku() }) },
    },
    async (request) => {
      const [row] = await db.query(statements.listProducts, [null, skuCodeOf(request.params.sku), 1]);
      return row === undefined ? fail('XD_NOT_FOUND', 'no such product', { place: 'sku' }) : productOf(row);
    },
  );

  const accountOf = (row: statements.AccountRow) => ({
    account: row.code,
    company: directory.companyById.get(row.company_id)?.code ?? null,
    channel: row.channel,
    name: row.name,
    currency: row.currency,
    creditLimit: row.credit_limit_minor === null ? null : decimalOf(row.credit_limit_minor, row.currency),
    parent: row.parent,
    paymentTerms: row.payment_terms,
    hold: row.hold_reason,
    priceList: row.price_list,
    priorityClass: row.priority_class,
    shipComplete: row.ship_complete,
    region: row.region,
    mergedInto: row.merged_into,
    addresses: row.addresses,
    setBy: row.set_by,
    updatedAt: row.updated_at.toISOString(),
  });

  app.get<{ Querystring: Static<typeof accounts> }>(
    '/v1/accounts',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Accounts by company and code',
        description:
          'What is null is its own; an order also has payment terms, price list and hold from the accounts above it.',
        tags: ['records'],
        querystring: accounts,
      },
    },
    async (request) => {
      const { account, company, limit } = request.query;
      const [companyId, after] = readCursor(request.query.cursor, ['number', 'text']) ?? [null, null];
      const only = company === undefined ? null : companyOf(hub, company).companyId;
      const rows = await db.query(statements.listAccounts, [companyId, after, account ?? null, only, limit + 1]);
      const page = pageOf(rows, limit, (row) => [row.company_id, row.code]);
      return { accounts: page.shown.map(accountOf), nextCursor: page.nextCursor };
    },
  );

  app.get<{ Params: { account: string }; Querystring: Static<typeof oneAccount> }>(
    '/v1/accounts/:account',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'One account; company where its code is not the only one',
        tags: ['records'],
        params: closed({ account: code() }),
        querystring: oneAccount,
      },
    },
    async (request) => {
      const { company } = request.query;
      const only = company === undefined ? null : companyOf(hub, company).companyId;
      const rows = await db.query(statements.listAccounts, [null, null, request.params.account, only, 2]);
      if (rows.length === 2)
        fail('XD_VALUE_INVALID', 'several companies have an account of this code: name one', { place: 'company' });
      const [row] = rows;
      return row === undefined ? fail('XD_NOT_FOUND', 'no such account', { place: 'account' }) : accountOf(row);
    },
  );
}

function productOf(row: statements.ProductRow) {
  return {
    sku: row.code,
    description: row.description,
    unit: row.unit,
    gtin: row.gtin,
    lifecycle: row.lifecycle,
    weightG: row.weight_g,
    lengthMm: row.length_mm,
    widthMm: row.width_mm,
    heightMm: row.height_mm,
    kit: row.kit,
    substitutes: row.substitutes,
    setBy: row.set_by,
    updatedAt: row.updated_at.toISOString(),
  };
}

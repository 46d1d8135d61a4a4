/** The files of a new connector: invoices in, orders out, over a small HTTP API that its fixtures and description stand in for. */

const index = (
  name: string,
  ident: string,
) => `import { defineConnector, HttpClient, noSettings, probeBy } from 'crossdock/connector';
import { deliveries } from '~/sink.ts';
import { documents } from '~/source.ts';

/** What it says of itself; \`crossdock connector test\` holds it to every word. */
export const ${ident} = defineConnector(
  {
    name: '${name}',
    summary: 'Takes sales orders, posts invoices.',
    provenAgainst: 'none yet: only against its description (conformance.ts)',
    sources: { documents: { domains: ['invoices'], cursor: 'sequence', ordering: 'per_thing', push: false } },
    deliveries: { sales_order: { batchMax: 50, locator: 'reference', idempotency: 'none' } },
    states: {},
    needs: ['token'],
    settings: noSettings,
    limits: { callsPerSecond: 10, concurrency: 4 },
    quirks: ['A second create of one reference makes a second order: nothing is sent twice without a lookup.'],
  },
  (context) => {
    const client = new HttpClient(context);
    return {
      // An answer of success is believed only once it was read back.
      confirmedBy: 'read_back',
      sources: [documents(client, context.system)],
      deliveries: deliveries(client, context.limits),
      probe: (signal) => probeBy(client, { path: '/orders/lookup', list: 'references' }, signal),
      pausedMs: () => client.pausedMs,
      close: () => client.close(),
    };
  },
);
`;

const map = `import { documentItem, Fields, mapRecords, readOr, scopes } from 'crossdock/connector';

const KINDS = ['invoice', 'credit_note'] as const;

/** Pure: the same records give the same items, whatever page they stand in. What can't be read becomes an item with the reason. */
export function mapDocuments(records: readonly unknown[], system: string) {
  return mapRecords(records, '/records', (raw, place) => {
    const keyOf = () => {
      const record = new Fields(raw, place);
      return \`\${record.oneOf('kind', KINDS)}/\${record.text('number')}\`;
    };
    return [
      readOr(raw, scopes.document(system), keyOf, () => {
        const record = new Fields(raw, place);
        return documentItem(system, {
          kind: 'document.posted',
          document: record.oneOf('kind', KINDS),
          number: record.text('number'),
          order: record.text('order'),
          currency: record.currency('currency'),
          totalMinor: record.integer('totalMinor', 0),
          occurredAt: record.time('at'),
          lines: record.lines('lines').map((line) => ({
            lineNo: line.lineNo('lineNo'),
            quantity: line.quantity('quantity'),
            amountMinor: line.integer('amountMinor', 0),
          })),
        });
      }),
    ];
  });
}
`;

const source = `import { type HttpClient, keysetFeed, type Source } from 'crossdock/connector';
import { mapDocuments } from '~/map.ts';

const PAGE_MAX = 100;

/** \`GET /documents?after=&limit=\` → \`{records, next, more}\`. For feeds by time of change see \`keysetSource\`. */
export function documents(client: HttpClient, system: string): Source {
  return keysetFeed({
    client,
    feed: 'documents',
    path: '/documents',
    limitMax: PAGE_MAX,
    map: (records) => mapDocuments(records, system),
  });
}
`;

const sink = `import { type ConnectorContext, deliveryKind, type Fields, type HttpClient } from 'crossdock/connector';

const BATCH_MAX = 50;
const LOOKUP_MAX = 100;

/** \`POST /orders/batch {orders}\` → \`{results: [{reference, status, number}]}\`; looked up by reference before anything is sent again. */
export function deliveries(client: HttpClient, limits: ConnectorContext['limits']) {
  const route = {
    write: '/orders/batch',
    list: 'orders',
    lookup: '/orders/lookup',
    itemsMax: BATCH_MAX,
    lookupMax: LOOKUP_MAX,
  };
  const numberOf = (fields: Fields) => ({ number: fields.text('number') });
  // More than one under a reference: it was made twice, and whoever looks must see it.
  const heldOf = (found: unknown[]) =>
    found.length === 1 ? found[0] : { ...(found[0] as object), numbers: found.map((one) => (one as { number: string }).number) };
  return { sales_order: deliveryKind(client, limits, route, numberOf, heldOf) };
}
`;

const conformance = `import { batchTables, describeSystem, sequencePages } from 'crossdock/connector/testing';

/** How the system answers on good days; the suite brings the bad ones. Make it answer as yours does. */
export default describeSystem({
  system: (rows) =>
    batchTables(
      [
        {
          kind: 'sales_order',
          write: '/orders/batch',
          list: 'orders',
          lookup: '/orders/lookup',
          lookupList: 'references',
          key: 'reference',
          // Each create makes another.
          doubles: true,
          taken: ({ reference }, nth) => ({ number: \`N-\${reference}-\${nth}\` }),
          found: ({ reference }, nth) => ({ number: \`N-\${reference}-\${nth}\` }),
        },
      ],
      (call) => sequencePages(() => rows.documents ?? [], call, { path: '/documents' }),
    ),
  feeds: {
    documents: {
      pageMax: 100,
      placeFields: ['seq'],
      record: (n, _changedAt, seq) => ({
        seq,
        kind: 'invoice',
        number: \`INV-\${n}\`,
        order: 'shop/536365',
        currency: 'GBP',
        totalMinor: 1530,
        at: '2026-03-01T09:30:00Z',
        lines: [{ lineNo: 1, quantity: 6, amountMinor: 1530 }],
      }),
      broken: (_changedAt, seq) => [{ seq, kind: 'invoice', number: 4 }],
      unknownEnum: (_changedAt, seq) => ({ seq, kind: 'pro_forma', number: 'PRO-1' }),
    },
  },
  deliveries: {
    sales_order: (n) => ({
      reference: \`shop/77\${n}10\`,
      payload: {
        company: 'UK',
        account: '17850',
        currency: 'GBP',
        orderedAt: '2026-03-01T09:00:00Z',
        totalMinor: 1530,
        lines: [{ lineNo: 1, sku: '85123A', quantity: 6, unitPrice: '2.55', amountMinor: 1530 }],
      },
    }),
  },
});
`;

const page = `{
  "records": [
    {
      "seq": 1,
      "kind": "invoice",
      "number": "INV-1",
      "order": "shop/536365",
      "currency": "GBP",
      "totalMinor": 1530,
      "at": "2026-03-01T09:30:00Z",
      "lines": [{ "lineNo": 1, "quantity": 6, "amountMinor": 1530 }]
    },
    { "seq": 2, "kind": "invoice", "number": 4 }
  ],
  "next": 2,
  "more": false
}
`;

const mapTest = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import page from '~/fixtures/documents.json' with { type: 'json' };
import { mapDocuments } from '~/map.ts';

test('an invoice is one document under its kind and number; what can not be read says where', () => {
  const [invoice, broken] = mapDocuments(page.records, 'erp');
  assert.equal(invoice?.scope, 'document/erp');
  assert.equal(invoice?.key, 'invoice/INV-1');
  assert.deepEqual(invoice?.command, {
    kind: 'document.posted',
    document: 'invoice',
    number: 'INV-1',
    order: 'shop/536365',
    currency: 'GBP',
    totalMinor: 1530,
    occurredAt: '2026-03-01T09:30:00.000Z',
    lines: [{ lineNo: 1, quantity: 6, amountMinor: 1530 }],
  });
  assert.equal(broken?.unreadable?.place, '/records/1/number');
});
`;

const suiteTest = (ident: string) => `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testConnector } from 'crossdock/connector/testing';
import description from '~/conformance.ts';
import { ${ident} } from '~/index.ts';

test('it passes what it declares', async () => {
  const report = await testConnector(${ident}, description);
  assert.deepEqual(
    report.checks.filter(({ result }) => result === 'failed'),
    [],
  );
});
`;

const readme = (name: string) => `# ${name}

| field | system of record |
| --- | --- |
| order, its lines, prices and total | hub decides, the system keeps; told by \`sales_order\` |
| invoice and credit note: number, lines, amounts | the system; read from its documents |

| | |
| --- | --- |
| reads | \`documents\`: \`GET /documents\`, 100 a page, cursor = last \`seq\` |
| writes | orders in batches of 50, looked up by reference in parts of 100 |
| limit | 10 calls a second, 4 at once; the estate may say less |
| lateness | an invoice is read one poll after it was posted |
| believed | read back |
| run against | nothing yet but \`conformance.ts\` |

**Quirks.** A second create of one reference makes a second order: nothing is sent twice without a lookup.

**Next.** Make \`conformance.ts\` answer as the system does, \`crossdock connector test\` fail, and the connector pass; record real traffic
(\`crossdock connector record\`) for the fixtures; say here what it was run against.
`;

/** By path below the connector's folder. */
export function filesOf(name: string): Record<string, string> {
  const ident = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  const files = {
    'index.ts': index(name, ident),
    'map.ts': map,
    'source.ts': source,
    'sink.ts': sink,
    'conformance.ts': conformance,
    'fixtures/documents.json': page,
    'map.test.ts': mapTest,
    'connector.test.ts': suiteTest(ident),
    'README.md': readme(name),
  };
  // Written so above, since those files are not beside this one.
  return Object.fromEntries(
    Object.entries(files).map(([path, text]) => [path, text.replaceAll("from '~/", "from './")]),
  );
}

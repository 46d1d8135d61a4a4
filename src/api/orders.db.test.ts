import { describe, expect, it } from 'vitest';
import { putSubstitutes } from '../master/index.ts';
import { type OrderCommand, processOrders } from '../orders/index.ts';
import { useApi } from './testing/hub.ts';

const api = useApi();

function orderOf(externalNo: string, changes: Record<string, unknown> = {}) {
  return {
    company: 'UK',
    channel: 'api',
    externalNo,
    account: '17850',
    currency: 'GBP',
    orderedAt: '2026-02-03T10:00:00Z',
    lines: [{ lineNo: 1, sku: '85123A', quantity: 3, unitPrice: '2.55' }],
    ...changes,
  };
}
const keyed = { 'idempotency-key': 'k' };

describe('orders', () => {
  it('each line is decided before the answer, and the same order again gets the same answer', async () => {
    await api.receive('85123A', 'LON', 2);
    const body = orderOf('A1', {
      lines: [
        { lineNo: 1, sku: '85123a', quantity: 3, unitPrice: '2.55' },
        { lineNo: 2, sku: '71053', quantity: 1, unitPrice: '3.39' },
      ],
    });
    const first = await api.order(body);
    expect(first.statusCode).toBe(201);
    expect(first.json()).toMatchObject({
      channel: 'api',
      externalNo: 'A1',
      state: 'accepted',
      currency: 'GBP',
      total: '11.04',
      totalMinor: 1104,
      lines: [
        {
          lineNo: 1,
          sku: '85123A',
          decision: 'partly_allocated',
          allocated: [{ location: 'LON', quantity: 2 }],
          backordered: 1,
          refused: 0,
          amountMinor: 765,
        },
        { lineNo: 2, sku: '71053', decision: 'backordered', allocated: [], backordered: 1, amountMinor: 339 },
      ],
    });
    const second = await api.order(body);
    expect(second.statusCode).toBe(201);
    expect(second.headers['idempotent-replayed']).toBe('true');
    expect(second.body).toBe(first.body);
    const shown = await api.call('GET', `/v1/orders/${first.json().orderId}`);
    expect(shown.json()).toMatchObject({
      account: '17850',
      company: 'UK',
      lines: [{ allocated: [{ location: 'LON', quantity: 2 }] }, {}],
    });
  });

  it.each([
    ['account', { account: 'other' }, 'account', '17850', 'other'],
    [
      'time',
      { orderedAt: '2026-02-03T10:00:01Z' },
      'orderedAt',
      '2026-02-03T10:00:00.000Z',
      '2026-02-03T10:00:01.000Z',
    ],
    ['number of lines', { lines: [] as object[] }, 'lines', '1 lines', '2 lines'],
    ['quantity', { lines: [{ lineNo: 1, sku: '85123A', quantity: 4, unitPrice: '2.55' }] }, 'lines[0].quantity', 3, 4],
    [
      'SKU',
      { lines: [{ lineNo: 1, sku: '71053', quantity: 3, unitPrice: '2.55' }] },
      'lines[0].sku',
      '85123A',
      '71053',
    ],
    [
      'price',
      { lines: [{ lineNo: 1, sku: '85123A', quantity: 3, unitPrice: '2.56' }] },
      'lines[0].unitPrice',
      '2.55',
      '2.56',
    ],
  ])(
    'the same number with another %s is refused, and the field is named',
    async (name, changes, field, before, given) => {
      await api.call('POST', '/v1/accounts', { accounts: [{ account: 'other', company: 'UK' }] });
      const order = orderOf(`C-${name}`);
      if (name === 'number of lines') changes = { lines: [...order.lines, { ...order.lines[0], lineNo: 2 }] };
      const first = await api.order(order);
      expect(first.statusCode).toBe(201);
      const answer = await api.order({ ...order, ...changes });
      expect([answer.statusCode, answer.json()]).toMatchObject([
        422,
        { code: 'XD_KEY_CONFLICT', field, place: field, before, given, orderId: first.json().orderId },
      ]);
      const again = await api.order(order);
      expect([again.statusCode, again.body]).toEqual([201, first.body]);
    },
  );

  it('a key that was used for another order is refused, and the order it means is named', async () => {
    const send = (externalNo: string, key: string) =>
      api.call('POST', '/v1/orders', orderOf(externalNo), { 'idempotency-key': key });
    expect((await send('K1', 'mine')).statusCode).toBe(201);
    const second = await send('K2', 'mine');
    expect([second.statusCode, second.json()]).toMatchObject([
      422,
      { code: 'XD_KEY_CONFLICT', field: 'externalNo', key: 'mine', before: 'api/K1', given: 'api/K2' },
    ]);
    expect((await send('K1', 'mine')).headers['idempotent-replayed']).toBe('true');
    const raced = await Promise.all(Array.from({ length: 8 }, (_, i) => send(`K3-${i}`, 'raced')));
    expect(raced.map((answer) => answer.statusCode).sort()).toEqual([201, 422, 422, 422, 422, 422, 422, 422]);
    // A key of the form channel/number means that order by itself.
    expect((await send('K4', 'api/K4')).statusCode).toBe(201);
    expect(await api.hub.db.execute("select key from inbound where key = 'api/K4'")).toEqual([]);
    const other = await api.makeKey({ scopes: ['write'] });
    const theirs = await api.call('POST', '/v1/orders', orderOf('K5'), {
      'idempotency-key': 'mine',
      authorization: `Bearer ${other.key}`,
    });
    expect(theirs.statusCode).toBe(201);
  });

  it('one moment in another offset is the same order', async () => {
    const first = await api.order(orderOf('O1', { orderedAt: '2026-02-03T10:00:00Z' }));
    const second = await api.call(
      'POST',
      '/v1/orders',
      orderOf('O1', { orderedAt: '2026-02-03T11:00:00+01:00' }),
      keyed,
    );
    expect([second.statusCode, second.headers['idempotent-replayed'], second.body]).toEqual([201, 'true', first.body]);
  });

  it('ten calls with one order at once make one order', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => api.order(orderOf('T1'))));
    expect(new Set(answers.map((answer) => answer.body)).size).toBe(1);
    expect(answers.filter((answer) => answer.headers['idempotent-replayed'] === undefined)).toHaveLength(1);
    const rows = await api.hub.db.execute("select order_id from sales_order where external_no = 'T1'");
    expect(rows).toHaveLength(1);
  });

  it('a channel that refuses shortages answers so, line by line', async () => {
    // One more than its buffer leaves.
    await api.receive('85123A', 'LON', 3);
    const answer = await api.order(orderOf('R1', { channel: 'strict' }));
    expect(answer.json().lines).toMatchObject([
      { decision: 'partly_allocated', allocated: [{ location: 'LON', quantity: 2 }], refused: 1, backordered: 0 },
    ]);
    const none = await api.order(orderOf('R2', { channel: 'strict' }));
    expect(none.json()).toMatchObject({ state: 'refused', lines: [{ decision: 'refused', refused: 3 }] });
  });

  it('another SKU that is sent instead is a line that says for which, and no part of the total', async () => {
    await api.receive('71053', 'LON', 2);
    await putSubstitutes(api.hub.db, api.hub.directory, [{ sku: '85123A', substitutes: ['71053'] }]);
    const answer = await api.order(orderOf('SUB', { substitutes: 'allow' }));
    await putSubstitutes(api.hub.db, api.hub.directory, [{ sku: '85123A', substitutes: [] }]);
    const { totalMinor, lines } = answer.json();
    const [own, instead] = lines;
    expect(own).toMatchObject({ lineNo: 1, quantity: 3, amountMinor: 765 });
    expect(own.standsFor).toBeUndefined();
    expect(instead).toMatchObject({ sku: '71053', standsFor: 1, quantity: own.refused });
    expect(totalMinor).toBe(765);
  });

  it('an order turns its reservation into an allocation', async () => {
    await api.receive('71053', 'MAN', 5);
    const hold = (
      await api.call(
        'POST',
        '/v1/reservations',
        { channel: 'api', sku: '71053', quantity: 5 },
        { 'idempotency-key': 'hold' },
      )
    ).json();
    const lines = [{ lineNo: 1, sku: '71053', quantity: 5, unitPrice: '1' }];
    const without = await api.order(orderOf('H1', { lines }));
    expect(without.json().lines[0].decision).toBe('backordered');
    const order = await api.order(orderOf('H2', { lines, reservations: [hold.reservationId] }));
    expect(order.json().lines[0]).toMatchObject({
      decision: 'allocated',
      allocated: [{ location: 'MAN', quantity: 5 }],
    });
    expect((await api.call('GET', `/v1/reservations/${hold.reservationId}`)).json()).toMatchObject({
      state: 'claimed',
      lines: [{ openQuantity: 0 }],
    });
  });

  it('a hold of another channel is refused by name and stays as it was; the key stays free', async () => {
    await api.receive('71053', 'LON', 5);
    const reserve = async (channel: string, key: string) =>
      (
        await api.call('POST', '/v1/reservations', { channel, sku: '71053', quantity: 2 }, { 'idempotency-key': key })
      ).json().reservationId as string;
    const [own, foreign] = [await reserve('api', 'own'), await reserve('strict', 'foreign')];
    const lines = [{ lineNo: 1, sku: '71053', quantity: 4, unitPrice: '1' }];
    const refused = await api.order(orderOf('H3', { lines, reservations: [own, foreign] }));
    expect([refused.statusCode, refused.json()]).toEqual([
      409,
      expect.objectContaining({
        code: 'XD_REFUSED',
        detail: expect.stringContaining(`reservation ${foreign} is held for another channel`),
      }),
    ]);
    for (const id of [own, foreign])
      expect((await api.call('GET', `/v1/reservations/${id}`)).json()).toMatchObject({
        state: 'open',
        lines: [{ openQuantity: 2 }],
      });
    const again = await api.order(orderOf('H3', { lines: [{ ...lines[0], quantity: 2 }], reservations: [own] }));
    expect([again.statusCode, again.json().lines[0].decision]).toEqual([201, 'allocated']);
  });

  it('while work in flight is at its bound, the caller is told when to come back', async () => {
    api.busy = true;
    try {
      const answer = await api.order(orderOf('W1'));
      expect([answer.statusCode, answer.json().code, answer.headers['retry-after']]).toEqual([503, 'XD_BUSY', '1']);
      const cancel = {
        cancellations: [
          {
            channel: 'api',
            reference: 'r',
            account: 'a',
            at: '2026-01-01T00:00:00Z',
            lines: [{ order: null, lineNo: null, sku: 'x', quantity: 1 }],
          },
        ],
      };
      expect((await api.call('POST', '/v1/cancellations', cancel, keyed)).statusCode).toBe(503);
    } finally {
      api.busy = false;
    }
    expect((await api.order(orderOf('W1'))).statusCode).toBe(201);
  });

  it('pages hold every order once, newest first, and filters keep to theirs', async () => {
    const seen: string[] = [];
    let url = '/v1/orders?limit=3';
    for (;;) {
      const page = (await api.call('GET', url)).json();
      expect(page.orders.length).toBeLessThanOrEqual(3);
      seen.push(...page.orders.map((order: { orderId: string }) => order.orderId));
      if (page.nextCursor === null) break;
      url = `/v1/orders?limit=3&cursor=${page.nextCursor}`;
    }
    const rows = await api.hub.db.execute('select order_id::text as id from sales_order order by order_id desc');
    expect(seen).toEqual(rows.map((row) => row.id));
    const refused = (await api.call('GET', '/v1/orders?state=refused')).json().orders;
    expect(refused.map((order: { externalNo: string }) => order.externalNo)).toEqual(['R2']);
    const one = (await api.call('GET', '/v1/orders?channel=strict&externalNo=R1&account=17850')).json().orders;
    expect(one).toMatchObject([{ channel: 'strict', externalNo: 'R1', account: '17850', total: '7.65' }]);
    expect((await api.call('GET', '/v1/orders?account=nobody')).json().orders).toEqual([]);
  });
});

describe('taking back', () => {
  async function place(externalNo: string): Promise<string> {
    await api.receive('85123A', 'LON', 10);
    const lines = [
      { lineNo: 1, sku: '85123A', quantity: 4, unitPrice: '2.55' },
      { lineNo: 2, sku: '85123A', quantity: 2, unitPrice: '2.55' },
    ];
    return (await api.order(orderOf(externalNo, { lines }))).json().orderId;
  }

  it('some units of a line, once, whenever it is asked again', async () => {
    const id = await place('X1');
    const body = { lines: [{ lineNo: 1, quantity: 3 }] };
    const first = await api.call('POST', `/v1/orders/${id}/cancel`, body, { 'idempotency-key': 'x1' });
    expect([first.statusCode, first.json()]).toMatchObject([
      200,
      { reference: 'x1', results: [{ lineNo: 1, status: 201, did: ['order.lines_cancelled'] }] },
    ]);
    const again = await api.call('POST', `/v1/orders/${id}/cancel`, body, { 'idempotency-key': 'x1' });
    expect([again.headers['idempotent-replayed'], again.json().results[0].status]).toEqual(['true', 200]);
    expect(again.json().order.lines).toMatchObject([{ cancelled: 3, allocated: [{ quantity: 1 }] }, { cancelled: 0 }]);
    const other = await api.call(
      'POST',
      `/v1/orders/${id}/cancel`,
      { lines: [{ lineNo: 1, quantity: 1 }] },
      { 'idempotency-key': 'x1' },
    );
    expect([other.statusCode, other.json().code]).toEqual([422, 'XD_KEY_CONFLICT']);
  });

  it('all that is left, once', async () => {
    const id = await place('X2');
    await api.call(
      'POST',
      `/v1/orders/${id}/cancel`,
      { lines: [{ lineNo: 1, quantity: 1 }] },
      { 'idempotency-key': 'x2a' },
    );
    const all = await api.call('POST', `/v1/orders/${id}/cancel`, {}, { 'idempotency-key': 'x2b' });
    expect(all.json()).toMatchObject({
      results: [
        { lineNo: 1, quantity: 3 },
        { lineNo: 2, quantity: 2 },
      ],
      order: { state: 'cancelled' },
    });
    const again = await api.call('POST', `/v1/orders/${id}/cancel`, {}, { 'idempotency-key': 'x2b' });
    expect([again.statusCode, again.headers['idempotent-replayed']]).toEqual([200, 'true']);
    const more = await api.call('POST', `/v1/orders/${id}/cancel`, {}, { 'idempotency-key': 'x2c' });
    expect([more.statusCode, more.json().code]).toEqual([409, 'XD_REFUSED']);
  });

  it('more than there is, or a line there is not, changes nothing', async () => {
    const id = await place('X3');
    const more = await api.call(
      'POST',
      `/v1/orders/${id}/cancel`,
      { lines: [{ lineNo: 2, quantity: 3 }] },
      { 'idempotency-key': 'x3' },
    );
    expect([more.statusCode, more.json().code]).toEqual([409, 'XD_REFUSED']);
    const none = await api.call(
      'POST',
      `/v1/orders/${id}/cancel`,
      { lines: [{ lineNo: 9, quantity: 1 }] },
      { 'idempotency-key': 'x3' },
    );
    expect([none.statusCode, none.json().place]).toEqual([422, 'lines[0].lineNo']);
    expect((await api.call('GET', `/v1/orders/${id}`)).json()).toMatchObject({
      version: 1,
      lines: [{ cancelled: 0 }, { cancelled: 0 }],
    });
    // The refused key may be used again with what is right.
    expect(
      (
        await api.call(
          'POST',
          `/v1/orders/${id}/cancel`,
          { lines: [{ lineNo: 2, quantity: 2 }] },
          { 'idempotency-key': 'x3' },
        )
      ).statusCode,
    ).toBe(200);
  });

  it('a return of what was picked is authorised; of what was not, the WMS is asked to cancel', async () => {
    const id = await place('X4');
    await pickLine(id, 1);
    const body = {
      channel: 'api',
      order: 'X4',
      reference: 'RMA-1',
      lines: [
        { lineNo: 1, quantity: 2 },
        { lineNo: 2, quantity: 1 },
      ],
    };
    const answer = await api.call('POST', '/v1/returns', body, { 'idempotency-key': 'x4' });
    expect(answer.json()).toMatchObject({
      reference: 'RMA-1',
      results: [{ status: 201, did: ['return.authorised', 'order.cancel_asked'] }],
      returns: [{ reference: 'RMA-1', state: 'expected', lines: [{ lineNo: 1, quantity: 2, received: 0 }] }],
      order: {
        lines: [
          { picked: 4, returnExpected: 2 },
          { cancelled: 0, cancelAsked: 1 },
        ],
        returns: [{ reference: expect.stringMatching(/^RMA-1/), location: 'LON', state: 'expected' }],
      },
    });
    expect((await api.call('POST', '/v1/returns', { ...body, order: 'nope' }, keyed)).json()).toMatchObject({
      code: 'XD_UNKNOWN_ORDER',
      place: 'order',
    });
    const timeline = (await api.call('GET', `/v1/orders/${id}/timeline`)).json();
    expect(timeline.entries.map((entry: { type: string }) => entry.type)).toEqual([
      'order.accepted',
      'order.confirmed',
      'fulfilment.requested',
      'stock.picked',
      'return.authorised',
      'order.cancel_asked',
    ]);
    expect(timeline.entries[0].data.lines[0]).toMatchObject({ sku: '85123A' });
  });

  /** Confirms the order as an ERP would, and picks one line as a WMS would. */
  async function pickLine(id: string, lineNo: number): Promise<void> {
    const orderId = Number(id);
    const { db, ids, directory } = api.hub;
    const work = (command: OrderCommand) =>
      db.transaction(async (tx) => {
        const batch = await processOrders(tx, { ids, directory }, [
          { reference: { orderId }, command, occurredAt: '2026-02-04T08:00:00.000Z' },
        ]);
        await batch.finish();
        return batch.results[0]!;
      });
    const confirmed = await work({ kind: 'confirm', erpNumber: 'ERP-1' });
    if (confirmed.outcome !== 'applied') throw new Error('not confirmed');
    const requested = confirmed.events.find((event) => event.type === 'fulfilment.requested')!;
    // One fulfilment holds both lines; only this one is picked.
    await work({
      kind: 'pick',
      fulfilmentId: requested.fulfilmentId,
      source: 'wms',
      sourceId: `pick-${id}`,
      sequence: null,
      lines: [{ lineNo, quantity: 4 }],
    });
  }
});

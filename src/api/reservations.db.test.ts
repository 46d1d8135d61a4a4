import { describe, expect, it } from 'vitest';
import { useApi } from './testing/hub.ts';

const api = useApi({ skus: ['A', 'B', 'C', 'D'] });
let keys = 0;
const hold = (channel: string, sku: string, quantity: number, more: object = {}) =>
  api.call('POST', '/v1/reservations', { channel, sku, quantity, ...more }, { 'idempotency-key': `hold-${++keys}` });
const shown = async (channel: string, sku: string): Promise<number> =>
  (await api.call('GET', `/v1/availability?channel=${channel}&sku=${sku}`)).json().items[0].atp;

describe('a reservation', () => {
  it('is granted up to the number that its channel is shown, whatever its share, buffer and cap leave of the shelf', async () => {
    await api.receive('A', 'LON', 9);
    await api.receive('A', 'MAN', 4);
    // planned: floor(9 / 2) + floor(4 / 2) - 1; strict: LON alone, at most 5.
    for (const [channel, atp] of [
      ['planned', 5],
      ['strict', 5],
    ] as const) {
      expect(await shown(channel, 'A')).toBe(atp);
      const refused = await hold(channel, 'A', atp + 1);
      expect(refused.statusCode).toBe(409);
      expect(refused.json()).toMatchObject({ refused: 'atp_short', asked: atp + 1, atp });
    }
    const part = await hold('planned', 'A', 100, { partial: true });
    expect(part.json().lines).toEqual([
      { location: 'LON', quantity: 4 },
      { location: 'MAN', quantity: 1 },
    ]);
  });

  it('takes all of a shelf where nothing is kept back', async () => {
    await api.receive('B', 'MAN', 3);
    expect((await hold('api', 'B', 3)).json().lines).toEqual([{ location: 'MAN', quantity: 3 }]);
    expect(await shown('api', 'B')).toBe(0);
  });

  it('at one location has its share of that one alone', async () => {
    await api.receive('C', 'LON', 8);
    await api.receive('C', 'MAN', 8);
    expect((await hold('planned', 'C', 4, { location: 'MAN' })).json()).toMatchObject({ refused: 'atp_short', atp: 3 });
    expect((await hold('planned', 'C', 3, { location: 'MAN' })).statusCode).toBe(201);
  });

  it('whose rows are no longer kept is not granted again under its key', async () => {
    await api.receive('D', 'LON', 5);
    const headers = { 'idempotency-key': 'hold-forgotten' };
    const ask = () => api.call('POST', '/v1/reservations', { channel: 'api', sku: 'D', quantity: 2 }, headers);
    const first = await ask();
    expect(first.statusCode).toBe(201);
    const { reservationId } = first.json();
    expect((await ask()).json().reservationId).toBe(reservationId);
    await api.call('DELETE', `/v1/reservations/${reservationId}`);
    await api.hub.db.execute('delete from reservation where reservation_id = $1::bigint', [Number(reservationId)]);
    const again = await ask();
    expect(again.statusCode).toBe(404);
    expect(again.json()).toMatchObject({ code: 'XD_NOT_FOUND', detail: expect.stringContaining(reservationId) });
    expect(await shown('api', 'D')).toBe(5);
  });
});

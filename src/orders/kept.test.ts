import { describe, expect, it } from 'vitest';
import { submit, World } from './testing.ts';
import type { OrderEvent } from './types.ts';

const NORTH = 1;
const SOUTH = 2;
/** Quantity by location, and of it what came out of the channel's own number. */
const taken = (world: World) =>
  (world.history[0] as Extract<OrderEvent, { type: 'order.accepted' }>).allocations.map(
    ({ lineNo, locationId, quantity, fromExposure }) => `${lineNo}: ${quantity} at ${locationId} (${fromExposure})`,
  );
function world(shelves: ConstructorParameters<typeof World>[0], kept: World['kept']): World {
  const made = new World(shelves);
  made.kept = kept;
  return made;
}
const north = (free: number, own = 0) => [1, NORTH, free, own] as const;
const south = (free: number) => [1, SOUTH, free] as const;

describe('what another system has allocated to a line', () => {
  it('is the line’s, where nothing is free for anybody', () => {
    expect(taken(world([north(0)], { 1: { [NORTH]: 4 } }).given(submit({ quantity: 4 })))).toEqual(['1: 4 at 1 (0)']);
  });

  it('is not another line’s of the same order', () => {
    const made = world([north(0)], { 1: { [NORTH]: 4 } }).given(submit({ quantity: 1 }, { quantity: 3 }));
    expect(taken(made)).toEqual(['1: 1 at 1 (0)']);
    expect(made.line(2)).toMatchObject({ allocated: 0, backordered: 3 });
  });

  it('is taken before what is free, and from where it is', () => {
    const made = world([north(9), south(1)], { 1: { [SOUTH]: 3 } }).given(submit({ quantity: 3 }, { quantity: 10 }));
    expect(taken(made)).toEqual(['1: 3 at 2 (0)', '2: 9 at 1 (0)', '2: 1 at 2 (0)']);
  });

  it('is worth no more than what is there, where more was promised than there is', () => {
    const made = world([north(-3)], { 1: { [NORTH]: 5 } }).given(submit({ quantity: 5 }));
    expect(taken(made)).toEqual(['1: 2 at 1 (0)']);
  });

  it('leaves what a channel that sells by itself may still believe alone', () => {
    const made = world([north(-3, 4)], { 1: { [NORTH]: 5 } }).given(submit({ quantity: 5 }));
    expect(taken(made)).toEqual(['1: 2 at 1 (0)']);
  });

  it('stands in for what the channel sold within its number, which is free then', () => {
    const made = world([north(0, 4)], { 1: { [NORTH]: 4 } }).given(submit({ quantity: 4, within: 4 }, { quantity: 4 }));
    expect(taken(made)).toEqual(['1: 4 at 1 (4)', '2: 4 at 1 (0)']);
  });
});

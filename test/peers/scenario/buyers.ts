/** Buyers of both shops, who fill their baskets and then pay at the same moment; some take their order back. */
import type { Session } from '../vendure-shop.ts';
import * as vendure from '../vendure-shop.ts';
import type { Wish } from './chance.ts';
import { whileAway } from './while-away.ts';
import type { World } from './world.ts';

/** Baskets of a shop that are paid together: where a shop checks and takes in two steps, that is when it sells too much. */
const WAVE = 8;
const CANCEL_EVERY = 20;

export type ShopName = 'medusa' | 'vendure';
export interface Bought {
  shop: ShopName;
  id: string;
}
interface Basket {
  pay(): Promise<Bought>;
  takesBack: boolean;
}

/** What the shops answered; what they hold is read from them at the end. */
export interface Race {
  bought: number;
  cancelled: number;
  /** Out of stock is an answer. */
  refused: number;
}

export async function race(world: World, list: readonly Wish[], say: (line: string) => void): Promise<Race> {
  const result: Race = { bought: 0, cancelled: 0, refused: 0 };
  const ofShop = (shop: ShopName) =>
    list.map((lines, n) => ({ lines, n })).filter(({ n }) => (n % 2 === 0) === (shop === 'medusa'));
  const refused = (error: unknown) => {
    result.refused++;
    say(`refused: ${(error as Error).message.slice(0, 120)}`);
  };
  const run = async (shop: ShopName) => {
    const queue = ofShop(shop);
    while (queue.length > 0) {
      const wave = queue.splice(0, WAVE);
      const baskets = await Promise.all(
        wave.map(({ lines, n }) =>
          whileAway(() => fill[shop](world, lines))
            .then((pay): Basket => ({ pay, takesBack: n % CANCEL_EVERY === 7 || n % CANCEL_EVERY === 18 }))
            .catch(refused),
        ),
      );
      await Promise.all(
        baskets.map(async (basket) => {
          if (basket === undefined) return;
          try {
            const { id } = await basket.pay();
            result.bought++;
            if (!basket.takesBack) return;
            await whileAway(() => takeBack[shop](world, id));
            result.cancelled++;
          } catch (error) {
            refused(error);
          }
        }),
      );
    }
  };
  await Promise.all([run('medusa'), run('vendure')]);
  return result;
}

const fill: Record<ShopName, (world: World, lines: Wish) => Promise<() => Promise<Bought>>> = {
  async medusa({ shop, items }, lines) {
    const cart = await shop.readyCart(
      lines.map(({ sku, quantity }) => ({ variant: items.get(sku)!.variant, quantity })),
    );
    return async () => ({ shop: 'medusa', id: (await shop.complete(cart)).id });
  },
  async vendure({ variants }, lines) {
    const basket: Session = await vendure.basket(lines.map(({ sku, quantity }) => [variants.get(sku)!, quantity]));
    await vendure.arrange(basket);
    return async () => ({ shop: 'vendure', id: (await vendure.pay(basket)).id });
  },
};

const takeBack: Record<ShopName, (world: World, id: string) => Promise<unknown>> = {
  medusa: ({ shop }, id) => shop.admin('POST', `/admin/orders/${id}/cancel`),
  vendure: ({ admin }, id) => vendure.cancel(admin, id),
};

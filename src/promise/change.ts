/** A promise that was made, after something happened to what it rests on. Dates that were given stay, unless what they rest on has another. Pure. */
import { merged, type PromisePart, type PromiseSource, type PromiseTime, promiseOf } from './promise.ts';

function kindOf({ supplyId, locationId }: PromisePart): PromiseSource['kind'] {
  return supplyId !== null ? 'supply' : locationId !== null ? 'stock' : 'none';
}

/** Where a part comes from. */
export function sourceOf(part: PromisePart): PromiseSource {
  const { quantity, locationId, supplyId, dueAt, reason } = part;
  switch (kindOf(part)) {
    case 'supply':
      return { kind: 'supply', quantity, locationId: locationId!, supplyId: supplyId!, dueAt: dueAt! };
    case 'stock':
      return { kind: 'stock', quantity, locationId: locationId! };
    case 'none':
      return { kind: 'none', quantity, reason: reason === 'held' ? 'held' : 'no_supply' };
  }
}

/** Units that lay there are the line's no more: those that would have left last. */
export function withoutStock(parts: readonly PromisePart[], locationId: number, quantity: number): PromisePart[] {
  let missing = quantity;
  return parts
    .toReversed()
    .map((part) => {
      const units = kindOf(part) === 'stock' && part.locationId === locationId ? Math.min(missing, part.quantity) : 0;
      missing -= units;
      return { ...part, quantity: part.quantity - units };
    })
    .filter((part) => part.quantity > 0)
    .toReversed();
}

export function withStock(
  parts: readonly PromisePart[],
  locationId: number,
  quantity: number,
  time: PromiseTime,
): PromisePart[] {
  return merged([...parts, ...promiseOf([{ kind: 'stock', locationId, quantity }], time)]);
}

/** What the line waits for now, in place of what it waited for; of a supply that is due as before the date stays. */
export function withWaiting(
  parts: readonly PromisePart[],
  waiting: readonly PromiseSource[],
  time: PromiseTime,
): PromisePart[] {
  const fresh = promiseOf(waiting, time).map((part) => {
    const before = parts.find(
      ({ supplyId, dueAt }) => supplyId !== null && supplyId === part.supplyId && dueAt === part.dueAt,
    );
    return before === undefined ? part : { ...before, quantity: part.quantity };
  });
  return merged([...parts.filter((part) => kindOf(part) === 'stock'), ...fresh]);
}

/** What lies there could leave from now on only: parts of it whose date is over are given the next. */
export function notBefore(parts: readonly PromisePart[], time: PromiseTime): PromisePart[] {
  return merged(
    parts.flatMap((part) => {
      const isOver = kindOf(part) === 'stock' && (part.at === null || Date.parse(part.at) < time.now);
      return isOver ? promiseOf([sourceOf(part)], time) : [part];
    }),
  );
}

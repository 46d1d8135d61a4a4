/** Feeding at a speed that people can watch: each event has its moment, by its place among all; nobody comes before it. */
export interface PaceOptions {
  ordersPerSecond: number;
  orders: number;
  events: number;
  /** The first place that is fed now. */
  from: number;
  nowMs: () => number;
  wait: (ms: number) => Promise<void>;
}

/** @returns what waits until a place is due; it is never behind for long, because it counts from the start and not from the last one */
export function paceOf({ ordersPerSecond, orders, events, from, nowMs, wait }: PaceOptions) {
  const msPerEvent = (orders * 1000) / ordersPerSecond / events;
  const startMs = nowMs();
  return async (place: number): Promise<void> => {
    const leftMs = startMs + (place - from) * msPerEvent - nowMs();
    if (leftMs > 0) await wait(leftMs);
  };
}

/**
 * A write may leave only while this process still holds the lease it is made under. Between the last look at the lease and the
 * first byte a call waits for its turn, its connection and, on a busy machine, for the processor: long enough for another
 * process to take over and say something newer. So the permission travels with the signal and is asked right before the first byte.
 */
const permits = new WeakMap<AbortSignal, () => boolean>();

/** A signal that ends with `signal` and lets a call begin only while `mayStart` says so. */
export function permitted(signal: AbortSignal, mayStart: () => boolean): AbortSignal {
  const own = AbortSignal.any([signal]);
  permits.set(own, mayStart);
  return own;
}

/** Asked by a connector right before it sends; what may not start surely had no effect. */
export function mayStart(signal: AbortSignal): boolean {
  return !signal.aborted && (permits.get(signal)?.() ?? true);
}

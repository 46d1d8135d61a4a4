/**
 * What a call is made under travels with its signal, which every call has anyway, so that no connector has to pass it on.
 *
 * A write may leave only while this process still holds the lease it is made under. Between the last look at the lease and the
 * first byte a call waits for its turn, its connection and, on a busy machine, for the processor: long enough for another
 * process to take over and say something newer. So the permission is asked right before the first byte.
 *
 * How urgent a call is, its caller knows and not its connector: the same route may carry both. The budget asks for it.
 */
interface Terms {
  mayStart?: () => boolean;
  priority?: Priority;
}

/** The most urgent first. urgent: stock numbers and their reading back; bulk: prices and order states; normal: all else. */
export type Priority = 'urgent' | 'normal' | 'bulk';

const terms = new WeakMap<AbortSignal, Terms>();

/** A signal that ends with `signal` and lets a call begin only while `mayStart` says so. */
export function permitted(signal: AbortSignal, mayStart: () => boolean): AbortSignal {
  return under(signal, { mayStart });
}

/** A signal that ends with `signal`, whose calls have this priority. */
export function prioritised(signal: AbortSignal, priority: Priority): AbortSignal {
  return under(signal, { priority });
}

/** Asked by a connector right before it sends; what may not start surely had no effect. */
export function mayStart(signal: AbortSignal): boolean {
  return !signal.aborted && (terms.get(signal)?.mayStart?.() ?? true);
}

export function priorityOf(signal: AbortSignal): Priority {
  return terms.get(signal)?.priority ?? 'normal';
}

function under(signal: AbortSignal, own: Terms): AbortSignal {
  const derived = AbortSignal.any([signal]);
  terms.set(derived, { ...terms.get(signal), ...own });
  return derived;
}

/** The last bound of a stop: each part has its own, and this holds should one of them fail. */

export interface StopWithin {
  msMax: number;
  work: () => Promise<void>;
  /** What the work waits for, by name. */
  underWay: () => string[];
  /** Called once when the time is over and the work is not; it ends the process. */
  onLate: (underWay: string[]) => void;
}

export async function stopWithin({ msMax, work, underWay, onLate }: StopWithin): Promise<void> {
  const timer = setTimeout(() => onLate(underWay()), msMax);
  try {
    await work();
  } finally {
    clearTimeout(timer);
  }
}

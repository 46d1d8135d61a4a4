import { type Bench, openStage, type Stage, type StageOptions } from './stage.ts';

/**
 * safety: data is lost, doubled or shown to the wrong people without it · contract: the hub relies on it · manners: the system and
 * those who run it do
 */
export type Level = 'safety' | 'contract' | 'manners';

export interface Check {
  /** `area.claim`; kept for ever, since descriptions and reports name it. */
  id: string;
  level: Level;
  /** What holds where it passes. */
  what: string;
  /** Why it says nothing about this connector, if it doesn't. */
  skip?(bench: Bench): string | undefined;
  run(bench: Bench): Promise<void>;
}

export class CheckFailed extends Error {}

/** Thrown where a check finds that it says nothing here; shown as skipped, never as passed. */
export class NotApplicable extends Error {}

export function must(holds: boolean, message: string): asserts holds {
  if (!holds) throw new CheckFailed(message);
}

export async function onStage(
  bench: Bench,
  options: StageOptions,
  run: (stage: Stage) => Promise<void>,
): Promise<void> {
  const stage = await openStage(bench, options);
  try {
    await run(stage);
  } finally {
    await stage.close();
  }
}

/** Of one check for each of them: says which one it is that fails. `atOnce`: of those that mostly wait. */
export async function forEach<T extends { name?: string; feed?: string }>(
  things: readonly T[],
  run: (thing: T) => Promise<void>,
  atOnce = false,
): Promise<void> {
  const notApplicable: NotApplicable[] = [];
  const one = async (thing: T) => {
    try {
      await run(thing);
    } catch (error) {
      if (error instanceof NotApplicable) {
        notApplicable.push(error);
        return;
      }
      throw new CheckFailed(`${thing.name ?? thing.feed}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  };
  if (atOnce) {
    // All of them to their end: no check leaves anything behind.
    const ends = await Promise.allSettled(things.map(one));
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  } else for (const thing of things) await one(thing);
  if (notApplicable.length > 0 && notApplicable.length === things.length) throw notApplicable[0]!;
}

export function isOverHttp({ description }: Bench): string | undefined {
  return description.transport === 'own' ? 'it has a transport of its own, and this is about HTTP' : undefined;
}

export function hasFeeds(bench: Bench): string | undefined {
  return Object.keys(bench.description.feeds ?? {}).length === 0 ? 'it reads no feed' : undefined;
}

export function hasSinks({ description }: Bench): string | undefined {
  const { deliveries, availability, prices, orderStatus } = description;
  const none = Object.keys(deliveries ?? {}).length === 0 && !availability && !prices && !orderStatus;
  return none ? 'it writes nothing' : undefined;
}

export function hasDeliveries({ description }: Bench): string | undefined {
  return Object.keys(description.deliveries ?? {}).length === 0 ? 'it takes no deliveries' : undefined;
}

/** The first reason of several. */
export function unless(...reasons: ((bench: Bench) => string | undefined)[]): (bench: Bench) => string | undefined {
  return (bench) => {
    for (const reason of reasons) {
      const why = reason(bench);
      if (why !== undefined) return why;
    }
    return undefined;
  };
}

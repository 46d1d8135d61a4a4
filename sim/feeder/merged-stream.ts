/**
 * Drives events that lie in one order through lanes: inside a lane strictly one after the other (a buyer's second order
 * after the first), lanes beside each other, and no event starts while one that lies `window` earlier is still open. So
 * no channel runs ahead of another, and what is held in memory is bounded.
 */
export interface MergedStreamOptions<E> {
  events: readonly E[];
  /** Events before this one are done. */
  from: number;
  window: number;
  inFlightMax: number;
  laneOf: (event: E) => string;
  /** May `next` go in one call with what is already gathered? */
  joins: (gathered: readonly E[], next: E) => boolean;
  /** @param first place of the first of them; those of one call needn't be neighbours in `events` */
  run: (events: readonly E[], places: readonly number[]) => Promise<void>;
  /** Everything before `frontier` is done. */
  onFrontier?: (frontier: number) => void;
}

interface Lane {
  places: number[];
  busy: boolean;
  waiting: boolean;
}

export function driveMerged<E>(options: MergedStreamOptions<E>): Promise<void> {
  const { events, window, inFlightMax } = options;
  const lanes = new Map<string, Lane>();
  const ready: [string, Lane][] = [];
  const done = new Set<number>();
  let frontier = options.from;
  let admitted = options.from;
  let inFlight = 0;
  let failed = false;

  return new Promise((resolve, reject) => {
    const admit = (): void => {
      while (admitted < events.length && admitted < frontier + window) {
        const name = options.laneOf(events[admitted]!);
        let lane = lanes.get(name);
        if (lane === undefined) {
          lane = { places: [], busy: false, waiting: false };
          lanes.set(name, lane);
        }
        lane.places.push(admitted);
        admitted += 1;
        if (!lane.busy && !lane.waiting) {
          lane.waiting = true;
          ready.push([name, lane]);
        }
      }
    };
    const startReady = (): void => {
      while (inFlight < inFlightMax && ready.length > 0) {
        const [name, lane] = ready.shift()!;
        lane.waiting = false;
        lane.busy = true;
        inFlight += 1;
        void call(name, lane);
      }
    };
    const call = async (name: string, lane: Lane): Promise<void> => {
      const places = [lane.places.shift()!];
      const batch = [events[places[0]!]!];
      while (lane.places.length > 0 && options.joins(batch, events[lane.places[0]!]!)) {
        const place = lane.places.shift()!;
        places.push(place);
        batch.push(events[place]!);
      }
      try {
        await options.run(batch, places);
      } catch (error) {
        failed = true;
        reject(error);
      }
      if (failed) return;
      inFlight -= 1;
      lane.busy = false;
      for (const place of places) done.add(place);
      const before = frontier;
      while (done.delete(frontier)) frontier += 1;
      if (lane.places.length > 0) {
        lane.waiting = true;
        ready.push([name, lane]);
      } else {
        lanes.delete(name);
      }
      if (frontier !== before) options.onFrontier?.(frontier);
      admit();
      startReady();
      if (frontier === events.length) resolve();
    };
    admit();
    startReady();
    if (frontier >= events.length) resolve();
  });
}

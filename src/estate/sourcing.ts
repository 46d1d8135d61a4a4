/** What the schema can't say of calendars and of sourcing rules: what nothing could ever be served by. */
import { dayOf, timeOfDayMs } from '../promise/index.ts';
import type { Faults, Path } from './faults.ts';

type Loose = Record<string, unknown>;

export function checkCalendar({ workingDays, closed, cutOff }: Loose, path: Path, faults: Faults): void {
  if (Array.isArray(workingDays) && workingDays.length === 0)
    faults.add([...path, 'workingDays'], 'must name at least one day: without a working day nothing ever leaves');
  if (Array.isArray(closed))
    for (const [at, day] of closed.entries())
      if (typeof day === 'string' && dayOf(day) === undefined)
        faults.add([...path, 'closed', at], `must be a day, YYYY-MM-DD, found ${JSON.stringify(day.slice(0, 40))}`);
  if (typeof cutOff === 'string' && timeOfDayMs(cutOff) === undefined)
    faults.add([...path, 'cutOff'], `must be a time of day, HH:MM, found ${JSON.stringify(cutOff.slice(0, 40))}`);
}

export function checkSourcing(channel: Loose, path: Path, faults: Faults): void {
  if (typeof channel.sourcing !== 'object' || channel.sourcing === null) return;
  const sourcing = channel.sourcing as Loose;
  for (const key of ['splitMax', 'lineSplitMax'] as const) {
    const at = [...path, 'sourcing', key];
    if (sourcing[key] === undefined) continue;
    if (sourcing[key] === 0)
      faults.add(
        at,
        sourcing.shipComplete === true
          ? 'must be at least 1: an order that ships complete, served from 0 locations, never leaves'
          : 'must be at least 1: what is served from 0 locations never leaves',
      );
    if (channel.sells === 'by_itself')
      faults.add(at, 'is for a channel that asks: what one sells by itself lies where it lies');
  }
  const { rank } = sourcing;
  if (Array.isArray(rank) && new Set(rank).size < rank.length)
    faults.add([...path, 'sourcing', 'rank'], 'names a criterion twice');
}

export { Calendar, type CalendarRule, dayOf, timeOfDayMs, WEEKDAYS, type Weekday } from './calendar.ts';
export { notBefore, sourceOf, withoutStock, withStock, withWaiting } from './change.ts';
export {
  isSamePromise,
  merged,
  type PromisePart,
  type PromisePlace,
  type PromiseReason,
  type PromiseSource,
  type PromiseTime,
  promiseComplete,
  promiseOf,
} from './promise.ts';
export * from './redistribute.ts';
export {
  choosePlaces,
  distanceKm,
  type Position,
  type RankCriterion,
  rankPlaces,
  type SourcingPlace,
  type SourcingRule,
  splitOver,
} from './sourcing.ts';

export { findOrders, type Gap, type OrderFound, readTimeline, type Timeline, type TimelineEntry } from './timeline.ts';

/** Prometheus: the process, queues, and lateness per flow. */
import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Status } from './status.ts';

let processMetrics: Registry | undefined;

/** Once per process: its collectors watch the event loop and the garbage collector for as long as it lives. */
function ofProcess(): Registry {
  if (processMetrics === undefined) {
    processMetrics = new Registry();
    collectDefaultMetrics({ register: processMetrics, prefix: 'crossdock_' });
  }
  return processMetrics;
}

export function metricRoutes(app: FastifyInstance, read: () => Promise<Status>): void {
  const registry = new Registry();
  const gauge = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Gauge({ name: `crossdock_${name}`, help, labelNames, registers: [registry] });
  const orders = gauge('orders', 'Orders by state', ['state']);
  const deliveries = gauge('deliveries', 'Deliveries that have not ended well, by destination and state', [
    'destination',
    'state',
  ]);
  const publications = gauge('publications_dirty', 'States a destination was not told yet', ['destination', 'kind']);
  const parked = gauge('parked_records', 'Records set aside and open, by class', ['class']);
  const holds = gauge('order_holds_open', 'Holds of orders that are open, by kind', ['kind']);
  const alerts = gauge('stage_alerts_open', 'Orders that are longer in a stage than they may be', ['stage']);
  const exceptions = gauge('order_exceptions_open', 'Exceptions of orders that wait for a person, by kind', ['kind']);
  const held = gauge('order_units_held', 'Units that wait for a person; no other system acts on their orders', []);
  const waiting = gauge('waiting_requests', 'Requests that wait in a lane of this process', ['lane']);
  const freshness = gauge('freshness_ms', 'How late a flow was in the last minutes', ['flow', 'quantile']);
  const target = gauge('freshness_target_ms', 'How late a flow may be at p99', ['flow']);
  const facts = gauge('facts_recorded', 'Facts ever recorded, gaps included', []);
  const behind = gauge('log_behind', 'Facts a consumer has not read, counted up to 5000', ['consumer']);
  const oldest = gauge('oldest_pending_ms', 'Age of the oldest outbound work that has not ended', []);
  const ready = gauge('ready', '1 when it can take work', []);
  const mustWait = gauge('intake_must_wait', '1 when work in flight is at its bound', []);

  app.get(
    '/metrics',
    {
      config: { scope: 'read' },
      schema: { summary: 'Prometheus metrics', tags: ['health'], produces: ['text/plain'] },
    },
    async (_, reply) => {
      const status = await read();
      registry.resetMetrics();
      for (const [state, count] of Object.entries(status.orders.byState)) orders.set({ state }, count);
      for (const { destination, oldestMs: _, ...states } of status.deliveries)
        for (const [state, count] of Object.entries(states)) deliveries.set({ destination, state }, count);
      for (const { destination, kind, dirty } of status.publications) publications.set({ destination, kind }, dirty);
      for (const [name, count] of Object.entries(status.parked.byClass)) parked.set({ class: name }, count);
      for (const [kind, count] of Object.entries(status.holds.byKind)) holds.set({ kind }, count);
      for (const [stage, count] of Object.entries(status.alerts.byStage)) alerts.set({ stage }, count);
      for (const [kind, count] of Object.entries(status.exceptions.byKind)) exceptions.set({ kind }, count);
      held.set(status.exceptions.units);
      waiting.set({ lane: 'ingest' }, status.intake.waitingMessages);
      waiting.set({ lane: 'reservations' }, status.intake.waitingReservations);
      for (const [flow, { p50, p95, p99, max, targetMs }] of Object.entries(status.freshness.flows)) {
        for (const [quantile, ms] of Object.entries({ '0.5': p50, '0.95': p95, '0.99': p99, '1': max }))
          freshness.set({ flow, quantile }, ms);
        if (targetMs !== null) target.set({ flow }, targetMs);
      }
      facts.set(status.facts);
      behind.set({ consumer: status.log.consumer }, status.log.behind);
      oldest.set(status.oldestPendingMs);
      ready.set(status.ready.ok ? 1 : 0);
      mustWait.set(status.intake.mustWait ? 1 : 0);
      reply.type(registry.contentType);
      return `${await ofProcess().metrics()}\n${await registry.metrics()}`;
    },
  );
}

/** I6 and I7 from the hub's side: what had to be told is on its way or told, and what was told is what we know. */
import { sql } from '../store/index.ts';
import { keptSince, verdict } from './promises.sql.ts';

/** Which kinds of delivery have been written to which destination. A kind nobody was ever told of has no route. */
export const readRoutes = sql<{ kind: string }>('verify_routes', 'select distinct kind from delivery');

// A fact is planned together with the cursor that passed it. First by its position; a fact that was said before under the
// same reference shares that delivery. Of an order that was refused as a whole nobody but its channel and the CRM hears. The references are those of the plan in the outbound room.
export const undelivered = verdict(
  'undelivered_facts',
  `select f.position, f.type, f.stream, f.stream_version,
          d.delivery_id is null
            and not exists (
              select from delivery e
               where e.kind = f.kind
                 and e.reference = case f.kind
                       when 'sales_order' then (select c.code || '/' || o.external_no from sales_order o join channel c using (channel_id)
                                                 where o.order_id = substr(f.stream, 7)::bigint)
                       when 'fulfilment' then fulfilment_reference((f.data->>'fulfilmentId')::bigint)
                       when 'fulfilment_cancel' then f.data->>'reference'
                       when 'order_change' then 'A/' || substr(f.stream, 7) || reference_ending() || '/' || f.stream_version
                       when 'order_cancellation' then 'C/' || substr(f.stream, 7) || reference_ending() || '/' || f.stream_version
                       when 'return_announcement' then return_reference((f.data->>'returnId')::bigint)
                       when 'return_posting' then 'R/' || substr(f.stream, 7) || reference_ending() || '/' || f.stream_version
                       when 'shipment_posting' then concat_ws('/', f.data->>'source', f.data->>'shipment')
                       when 'charge' then f.data->>'reference' end) as bad
     from (select f.position, f.type, f.stream, f.stream_version, f.data, k.kind
             from fact f
             join (values ('order.accepted', 'sales_order'), ('order.hold_ended', 'sales_order'), ('fulfilment.requested', 'fulfilment'),
                          ('order.cancel_asked', 'fulfilment_cancel'), ('order.lines_added', 'order_change'), ('order.lines_cancelled', 'order_cancellation'),
                          ('return.authorised', 'return_announcement'), ('return.received', 'return_posting'), ('return.inspected', 'return_posting'),
                          ('shipment.confirmed', 'shipment_posting'), ('charge.recorded', 'charge')) as k(type, kind) using (type)
             cross join log_place c
            where c.consumer = 'outbound' and c.shard = 0 and f.position <= c.until_position
              and (f.position <= c.after_position or (f.transaction_id, f.position) <= (c.transaction_id, c.position))
              and k.kind = any($1::text[]) and (f.stream like 'order/%' or f.type = 'charge.recorded')
              and not (k.kind = 'sales_order' and exists (select from sales_order o where o.order_id = substr(f.stream, 7)::bigint
                                                                                      and o.state = 'refused'))
              -- Told when it is inspected; then only of what is decided, and not of what was told before.
              and not (f.type = 'return.received' and coalesce(f.data->>'inspection', '') = 'before_credit')
              and not (f.type = 'return.inspected' and (f.data->>'inspection' = 'after_credit' or not exists (
                       select from json_to_recordset(f.data->'lines') as x(restock bigint, scrap bigint) where x.restock + x.scrap > 0)))
              -- Told when nothing of it is held any more.
              and not (f.type in ('order.lines_cancelled', 'order.lines_added') and f.data->>'untold' is not null)
              -- What was added and refused as a whole is nobody's demand.
              and not (f.type = 'order.lines_added' and not exists (select from json_to_recordset(f.data->'lines') as x(quantity bigint, refused bigint)
                                                                     where x.refused < x.quantity))
              and not (f.type = 'order.accepted' and (f.data->>'untold' is not null or exists (select from json_to_recordset(f.data->'lines') as x(held bigint) where x.held > 0)))) f
     left join delivery d on d.fact_position = f.position and d.kind = f.kind`,
  `format('%s of %s (version %s, position %s) was read and nobody is told', type, stream, stream_version, position)`,
);

export const repeatedDeliveries = verdict(
  'repeated_deliveries',
  `select destination_id, kind, reference, count(*) as times, count(*) > 1 as bad from delivery group by destination_id, kind, reference`,
  `format('destination %s %s %s: %s deliveries', destination_id, kind, reference, times)`,
);

export const deliveryStates = verdict(
  'delivery_states',
  `select delivery_id, kind, reference, state, attempts,
          state not in ('n', 's', 'd', 'c', 'r', 'p', 'x')
            or (state in ('c', 'r', 'x')) <> (ended_at is not null)
            or (state in ('s', 'c') and sent_at is null) or (state = 's' and attempts = 0) as bad
     from delivery`,
  `format('delivery %s (%s %s): state %s, %s attempts', delivery_id, kind, reference, state, attempts)`,
);

// One key is told in order: nothing later may have left while something earlier has not ended.
export const deliveryOrder = verdict(
  'delivery_order',
  `select e.delivery_id, e.kind, e.reference, e.state,
          exists (select from delivery d
                   where d.destination_id = e.destination_id and d.key = e.key and d.delivery_id > e.delivery_id
                     and d.state in ('s', 'c', 'd')) as bad
     from delivery e where e.is_open`,
  `format('delivery %s (%s %s) has not ended (%s) and a later one of its key has left', delivery_id, kind, reference, state)`,
);

// What the ERP and the WMS confirmed is what the order knows, both ways round. Deliveries of an order are forgotten once no fact of it
// is left. Others may come later, when its goods do; its first one doesn't come again.
const deliveriesKeptSince = keptSince('delivery');
const forgotten = `o.recorded_at < ${deliveriesKeptSince}
          and not exists (select from fact f where f.stream = 'order/' || o.order_id::text and f.stream_version = 1)`;
export const confirmedOrders = verdict(
  'confirmed_orders',
  `select order_id, d.reference, d.answer->>'number' as said, o.erp_number,
          coalesce(o.erp_number, '') <> coalesce(d.answer->>'number', '')
            and not coalesce(d.reference is null and ${forgotten}, false) as bad
     from (select order_id, reference, answer from delivery where kind = 'sales_order' and state = 'c') d
     full join (select order_id, erp_number, recorded_at from sales_order where erp_number is not null) o using (order_id)`,
  `format('order %s (%s): the ERP said %s, the order says %s', order_id, coalesce(reference, 'no confirmed delivery'),
          coalesce(said, 'nothing'), coalesce(erp_number, 'nothing'))`,
);
export const sharedNumbers = verdict(
  'shared_erp_numbers',
  `select company_id, erp_number, count(*) as times, count(*) > 1 as bad
     from sales_order where erp_number is not null group by company_id, erp_number`,
  `format('ERP number %s of company %s belongs to %s orders', erp_number, company_id, times)`,
);
export const confirmedFulfilments = verdict(
  'confirmed_fulfilments',
  `select reference, d.reference is not null as told, f.state,
          (d.reference is not null) <> (coalesce(f.state, '') = 'released')
            and not coalesce(d.reference is null
                             and exists (select from sales_order o where o.order_id = f.order_id and ${forgotten}), false) as bad
     from (select reference from delivery where kind = 'fulfilment' and state = 'c') d
     full join (select fulfilment_reference(fulfilment_id) as reference, order_id, state from fulfilment) f using (reference)
    where d.reference is not null or f.state <> 'requested'`,
  `format('fulfilment %s: confirmed by the WMS: %s; the order says %s', reference, told, coalesce(state, 'nothing'))`,
);
export const confirmedShipments = verdict(
  'confirmed_shipments',
  `select d.reference, s.shipment_no is null as bad
     from delivery d left join shipment s on s.order_id = d.order_id and concat_ws('/', nullif(s.source, ''), s.shipment_no) = d.reference
    where d.kind = 'shipment_posting'`,
  `format('the ERP is told of shipment %s, which is not there', reference)`,
);

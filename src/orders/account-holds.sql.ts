import { sql } from '../store/index.ts';

export interface HeldOrder {
  /** The hold. */
  at: number;
  order_id: number;
  account_id: number;
}
export const findAccountHolds = sql<HeldOrder>(
  'orders_find_account_holds',
  `select h.hold_id as at, h.order_id, o.account_id from order_hold h join sales_order o using (order_id)
    where h.state = 'open' and h.kind = 'account' and h.reason = 'account_on_hold' and h.held_by is null and h.hold_id > $1::bigint
    order by h.hold_id limit $2::int`,
);
// Orders that the ERP was not told of wait for something: what is open of that leads to them. One that a person has let go stays so.
export const findUntoldOfHeld = sql<{ at: number; order_id: number; account_id: number }>(
  'orders_find_untold_of_held',
  `with recursive held as (
     select account_id, 1 as depth from account where hold_reason is not null
     union
     select a.account_id, h.depth + 1 from held h join account a on a.parent_id = h.account_id where h.depth < 8
   ), waiting as (
     select order_id from order_hold where state = 'open'
     union
     select order_id from order_exception where state = 'open' and held > 0)
   select o.order_id as at, o.order_id, o.account_id
     from waiting w join sales_order o using (order_id)
    where exists (select from held) and o.account_id in (select account_id from held) and not o.is_told and o.order_id > $1::bigint
      and not exists (select from order_hold h
                       where h.order_id = o.order_id and h.kind = 'account' and h.reason = 'account_on_hold'
                         and (h.state = 'open' or h.released_by <> 'rule'))
    order by o.order_id limit $2::int`,
);
export const readHoldSetters = sql<{ account_id: number; set_by: string }>(
  'orders_read_hold_setters',
  `select account_id, set_by->>'hold' as set_by from account where account_id = any($1::bigint[]) and set_by->>'hold' is not null`,
);

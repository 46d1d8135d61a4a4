/** What systems are told. With the system's name each is a flow of its own (`availability:shop`), whose lateness is measured. */

/** Facts that a system must receive, each one, in order per key. */
export const deliveryKinds = [
  'sales_order',
  'order_change',
  'order_cancellation',
  'shipment_posting',
  'return_posting',
  'charge',
  'fulfilment',
  'fulfilment_cancel',
  'return_announcement',
] as const;

/** States of which a system must hold the newest. */
export const publicationKinds = ['availability', 'price', 'order_status'] as const;

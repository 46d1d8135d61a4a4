/** I1 to I4: shelves, what is promised of them, and what channels may believe. */
import { truth } from '../pages.ts';
import { rows } from './hub.ts';
import type { World } from './world.ts';

interface Shelf {
  name: string;
  onHand: number;
  reserved: number;
  allocated: number;
  exposed: number;
  /** Allocated by other systems beyond what we allocated for the same lines. */
  elsewhere: number;
  safetyStock: number;
  moved: number;
  openReserved: number;
  openAllocated: number;
  setAside: number;
  /** Of `setAside`, without channels whose estate declares the risk. */
  setAsideSafe: number;
  short: number;
}
type At = { skuId: number; locationId: number };

const PAIR = 'sku_id as "skuId", location_id as "locationId"';

export async function judgeStock(world: World): Promise<void> {
  const shelves = await readShelves(world);
  judgeShelves(world, shelves);
  await judgeLines(world);
  await judgeSupply(world);
}

async function readShelves(world: World): Promise<Map<string, Shelf>> {
  const { client, names, promises } = world;
  const shelves = new Map<string, Shelf>();
  const at = ({ skuId, locationId }: At): Shelf => {
    const key = `${locationId}/${skuId}`;
    let shelf = shelves.get(key);
    if (shelf === undefined) {
      shelf = {
        name: `${names.locations.get(locationId) ?? locationId}/${names.skus.get(skuId) ?? skuId}`,
        onHand: 0,
        reserved: 0,
        allocated: 0,
        exposed: 0,
        elsewhere: 0,
        safetyStock: 0,
        moved: 0,
        openReserved: 0,
        openAllocated: 0,
        setAside: 0,
        setAsideSafe: 0,
        short: 0,
      };
      shelves.set(key, shelf);
    }
    return shelf;
  };
  type Balance = At & Pick<Shelf, 'onHand' | 'reserved' | 'allocated' | 'exposed' | 'elsewhere' | 'safetyStock'>;
  const balances = `select ${PAIR}, on_hand as "onHand", reserved, allocated, exposed,
    outside_deducted as elsewhere, safety_stock as "safetyStock" from stock_balance`;
  for await (const { skuId, locationId, ...balance } of rows<Balance>(client, balances)) {
    Object.assign(at({ skuId, locationId }), balance);
    for (const name of ['I1', 'I2', 'I3', 'I4'] as const) promises[name].look('balances');
  }
  for await (const row of rows<At & { effect: number }>(client, `select ${PAIR}, effect from stock_movement`)) {
    at(row).moved += row.effect;
    promises.I1.look('movements');
  }
  for await (const row of rows<At & { on_hand: number }>(client, `select ${PAIR}, on_hand from stock_closing`))
    at(row).moved += row.on_hand;
  type Hold = At & { id: number; open: number; state: string };
  const holds = `select ${PAIR}, reservation_id as id, open_quantity as open, state from reservation`;
  for await (const row of rows<Hold>(client, holds)) {
    promises.I2.look('reservations');
    if (row.state === 'open') at(row).openReserved += row.open;
    if ((row.state === 'open') !== row.open > 0)
      promises.I2.wrong(`reservation ${row.id} at ${at(row).name} is ${row.state} with ${row.open} units open`);
  }
  for await (const row of rows<At & { open: number }>(
    client,
    `select ${PAIR}, open_quantity as open from allocation`,
  )) {
    promises.I2.look('allocations');
    at(row).openAllocated += row.open;
  }
  type Exposure = At & { channelId: number; quantity: number };
  const exposures = `select ${PAIR}, channel_id as "channelId", quantity from exposure`;
  const believed = new Map<string, number>();
  for await (const row of rows<Exposure>(client, exposures)) {
    promises.I2.look('exposures');
    const channel = names.channels.get(row.channelId);
    const shelf = at(row);
    shelf.setAside += row.quantity;
    if (!channel?.isShared) shelf.setAsideSafe += row.quantity;
    const key = `${channel?.code}/${names.skus.get(row.skuId)}`;
    believed.set(key, (believed.get(key) ?? 0) + row.quantity);
  }
  await judgeNumbers(world, believed);
  type Shortage = At & { quantity: number; owner: string };
  const shortages = `select ${PAIR}, quantity, owner from shortage where state = 'open'`;
  for await (const row of rows<Shortage>(client, shortages)) {
    promises.I3.look('shortages');
    if (row.owner === '') promises.I3.wrong(`a shortage at ${at(row).name} has no owner`);
    else at(row).short += row.quantity;
  }
  return shelves;
}

function judgeShelves({ promises, warehouse, askedBeyondStock }: World, shelves: ReadonlyMap<string, Shelf>): void {
  const { I1, I2, I3, I4 } = promises;
  const there = new Map(warehouse.onHand);
  for (const shelf of shelves.values()) {
    const { name, onHand, reserved, allocated, exposed, elsewhere } = shelf;
    if (onHand !== shelf.moved) I1.wrong(`${name}: on hand ${onHand}, its movements give ${shelf.moved}`);
    const held = there.get(name) ?? 0;
    if (onHand !== held) I1.wrong(`${name}: on hand ${onHand}, the WMS holds ${held}`);
    there.delete(name);
    if (reserved !== shelf.openReserved) I2.wrong(`${name}: reserved ${reserved}, open ${shelf.openReserved}`);
    if (allocated !== shelf.openAllocated) I2.wrong(`${name}: allocated ${allocated}, open ${shelf.openAllocated}`);
    if (exposed !== shelf.setAside) I2.wrong(`${name}: exposed ${exposed}, set aside ${shelf.setAside}`);
    // Safety stock that was never filled leaves nothing to promise, and breaks nothing. Goods that are owed leave less than nothing.
    const most = (onHand < 0 ? onHand : Math.max(0, onHand - shelf.safetyStock)) + shelf.short;
    if (reserved < 0 || allocated < 0) I3.wrong(`${name}: reserved ${reserved}, allocated ${allocated}`);
    const promised = reserved + allocated + elsewhere;
    if (promised > most) I3.wrong(`${name}: ${reserved} + ${allocated} + ${elsewhere} elsewhere promised of ${most}`);
    const all = shelf.setAsideSafe + promised;
    if (all > most) I4.wrong(`${name}: ${shelf.setAsideSafe} set aside + ${promised} promised of ${most}`);
  }
  I1.look('shelves of the WMS', warehouse.onHand.size);
  for (const [name, units] of there)
    if (units !== 0) I1.wrong(`${name}: the WMS holds ${units}, the hub knows no such shelf`);
  for (const name of ['I2', 'I3'] as const) promises[name].look('fulfilments of the WMS', warehouse.fulfilments.size);
  const allocated = new Map([...shelves.values()].map((shelf) => [shelf.name, shelf.allocated]));
  for (const [name, units] of warehouse.toPick) {
    const promised = allocated.get(name) ?? 0;
    if (units > promised) I2.wrong(`${name}: the WMS has to pick ${units}, ${promised} are allocated`);
    const held = warehouse.onHand.get(name) ?? 0;
    if (units > held) I3.wrong(`${name}: the WMS has to pick ${units} and holds ${held}`);
  }
  if (askedBeyondStock !== 0) I3.wrong(`the WMS was asked for ${askedBeyondStock} units beyond what it held`);
}

/** What a channel shows is its own word; what is set aside for it is the hub's. */
async function judgeNumbers(
  { names, urls, promises: { I4 } }: World,
  believed: ReadonlyMap<string, number>,
): Promise<void> {
  for (const { code, system, isShared } of names.channels.values()) {
    if (isShared || (system !== 'shop' && system !== 'marketplace')) continue;
    for await (const { key, available } of truth<{ key: string; available: number }>(urls[system], 'numbers')) {
      I4.look('numbers shown');
      const most = believed.get(`${code}/${key}`) ?? 0;
      if (available > most) I4.wrong(`${code} shows ${available} of ${key}, ${most} are set aside for it`);
      if (available < 0) I4.wrong(`${code} shows ${available} of ${key}`);
    }
  }
}

async function judgeLines({ client, names, promises: { I2 } }: World): Promise<void> {
  type Part = { orderId: number; lineNo: number; open: number };
  // Both in one order, so that only what differs so far is held.
  const open = new Map<string, number>();
  const add = (row: Part, sign: number): void => {
    if (row.open === 0) return;
    const key = `${row.orderId}/${row.lineNo}`;
    const sum = (open.get(key) ?? 0) + sign * row.open;
    if (sum === 0) open.delete(key);
    else open.set(key, sum);
  };
  const keys = 'order_id as "orderId", line_no as "lineNo"';
  for await (const row of rows<Part>(
    client,
    `select ${keys}, open_quantity as open from allocation where open_quantity <> 0`,
  ))
    add(row, -1);
  for await (const row of rows<Part>(client, `select ${keys}, allocated as open from order_line`)) {
    I2.look('order lines');
    add(row, 1);
  }
  for (const [key, units] of open) {
    const [orderId, lineNo] = key.split('/');
    const reference = names.orders.get(Number(orderId))?.reference ?? `order ${orderId}`;
    I2.wrong(
      `${reference}/${lineNo}: ${Math.abs(units)} units ${units > 0 ? 'more' : 'fewer'} allocated than its allocations say`,
    );
  }
}

async function judgeSupply({ client, promises: { I3 } }: World): Promise<void> {
  const left = new Map<number, number>();
  type Supply = { id: number; quantity: number; received: number };
  for await (const row of rows<Supply>(client, 'select supply_id as id, quantity, received from supply'))
    left.set(row.id, Math.max(0, row.quantity - row.received));
  const promised = new Map<string, number>();
  type Commitment = { id: number; orderId: number; lineNo: number; quantity: number };
  const commitments =
    'select supply_id as id, order_id as "orderId", line_no as "lineNo", quantity from supply_commitment';
  for await (const row of rows<Commitment>(client, commitments)) {
    I3.look('commitments of dated supply');
    left.set(row.id, (left.get(row.id) ?? 0) - row.quantity);
    const line = `${row.orderId}/${row.lineNo}`;
    promised.set(line, (promised.get(line) ?? 0) + row.quantity);
  }
  for (const [id, units] of left)
    if (units < 0) I3.wrong(`supply ${id}: ${-units} units promised beyond what is to come`);
  type Waiting = { orderId: number; lineNo: number; backordered: number };
  const waiting =
    'select order_id as "orderId", line_no as "lineNo", backordered from order_line where backordered > 0';
  if (promised.size === 0) return;
  for await (const row of rows<Waiting>(client, waiting)) {
    const line = `${row.orderId}/${row.lineNo}`;
    const beyond = (promised.get(line) ?? 0) - row.backordered;
    if (beyond > 0) promised.set(line, beyond);
    else promised.delete(line);
  }
  for (const [line, units] of promised) I3.wrong(`line ${line}: ${units} units of dated supply beyond what waits`);
}

/**
 * What people asked for beside what the file says, and what they were answered: from the feeds of the systems where they asked, and from
 * what callers of the hub kept. The hub's own word is heard on one thing only: which of these it set aside, and why.
 */
import type pg from 'pg';
import { feed } from '../pages.ts';
import { rows } from '../promises/hub.ts';
import { readLines } from '../promises/world.ts';

export interface ChangedLine {
  lineNo: number;
  quantity: number;
  sku?: string;
  unitPrice?: string;
}
export interface WishedChange {
  order: string;
  reference: string;
  lines: ChangedLine[];
}
/** Units of a line that somebody wants undone, by a cancel or as a return. */
export interface Undoing {
  order: string;
  lineNo: number;
  units: number;
  isReturn: boolean;
  key: string;
}
export interface Wishes {
  /** By order. */
  changes: Map<string, WishedChange>;
  /** Those that the hub set aside, with the class. */
  refused: (WishedChange & { reason: string })[];
  undoings: Undoing[];
  /** Orders that a person gave up as a whole, and those that one let go beyond a rule. */
  givenUp: Set<string>;
  released: { order: string; kind: string; totalMinor: number }[];
  /** Set aside by the hub: scope and key of the message, and the class. */
  setAside: Map<string, string>;
}

interface Evidence {
  urls: { shop: string; marketplace: string; crm: string };
  answered: string;
  client: pg.ClientBase;
}

type Asked =
  | { seq: number; type: 'order' }
  | {
      seq: number;
      type: 'cancel';
      reference: string;
      lines: { order: string | null; lineNo: number | null; sku: string; quantity: number }[];
    }
  | { seq: number; type: 'change'; order: string; reference: string; lines: ChangedLine[] }
  | { seq: number; type: 'return'; order: string; reference: string; lines: { lineNo: number; quantity: number }[] };

export async function readWishes({ urls, answered, client }: Evidence): Promise<Wishes> {
  const wishes: Wishes = {
    changes: new Map(),
    refused: [],
    undoings: [],
    givenUp: new Set(),
    released: [],
    setAside: await readSetAside(client),
  };
  for (const channel of ['shop', 'marketplace', 'crm'] as const)
    for await (const asked of feed<Asked>(urls[channel])) if (asked.type !== 'order') take(wishes, channel, asked);
  await readAnswers(wishes, answered);
  return wishes;
}

function take(wishes: Wishes, channel: string, asked: Exclude<Asked, { type: 'order' }>): void {
  if (asked.type === 'change') {
    const { reference, lines } = asked;
    const order = `${channel}/${asked.order}`;
    const reason = wishes.setAside.get(`change/${channel} ${asked.order}/${reference}`);
    if (reason === undefined) wishes.changes.set(order, { order, reference, lines });
    else wishes.refused.push({ order, reference, lines, reason });
    return;
  }
  const times = new Map<string, number>();
  for (const line of asked.lines) {
    const number = asked.type === 'return' ? asked.order : (line as { order: string | null }).order;
    const { lineNo, quantity: units } = line;
    if (number === null || lineNo === null) continue;
    let key =
      asked.type === 'return'
        ? `return/${channel} ${asked.reference}/${number}`
        : `cancel/${channel} ${asked.reference}/${number}/${lineNo}`;
    const time = (times.get(key) ?? 0) + 1;
    times.set(key, time);
    if (asked.type === 'cancel' && time > 1) key = `${key}#${time}`;
    const isReturn = asked.type === 'return';
    if (isTaken(wishes, key)) wishes.undoings.push({ order: `${channel}/${number}`, lineNo, units, isReturn, key });
  }
}

const isTaken = (wishes: Wishes, key: string): boolean => !wishes.setAside.has(key);

interface Answered {
  route: string;
  body: Record<string, unknown>;
  answer: Record<string, unknown>;
}

/** Callers were told at once: what was refused is not among what was answered. */
async function readAnswers(wishes: Wishes, answered: string): Promise<void> {
  const orders = new Map<string, string>();
  for await (const { route, body, answer } of readLines<Answered>(answered)) {
    const [resource, id, act] = route.split('/');
    if (route === 'orders') orders.set(String(answer.orderId), `${body.channel}/${body.externalNo}`);
    else if (route === 'cancellations') {
      const results = answer.results as { status: number }[];
      for (const [i, sent] of (body.cancellations as { reference: string; lines: never[] }[]).entries())
        if (results[i]!.status < 300) take(wishes, 'api', { seq: 0, type: 'cancel', ...sent });
    } else if (route === 'returns') {
      take(wishes, 'api', {
        seq: 0,
        type: 'return',
        ...(body as { order: string; reference: string; lines: never[] }),
      });
    } else if (resource === 'orders' && act === 'changes') {
      const order = orders.get(id!)!;
      wishes.changes.set(order, { order, ...(body as Pick<WishedChange, 'reference' | 'lines'>) });
    } else if (resource === 'orders' && act === 'cancel')
      wishes.givenUp.add(String(body.reference).slice('GIVEN-UP-'.length));
    else if (resource === 'holds' && act === 'release') {
      const { order, kind, totalMinor } = answer as { order: string; kind: string; totalMinor: number };
      wishes.released.push({ order, kind, totalMinor });
    }
  }
}

async function readSetAside(client: pg.ClientBase): Promise<Map<string, string>> {
  const setAside = new Map<string, string>();
  const parked = "select scope, key, class from parked_record where state = 'open'";
  for await (const row of rows<{ scope: string; key: string; class: string }>(client, parked))
    setAside.set(`${row.scope} ${row.key}`, row.class);
  return setAside;
}

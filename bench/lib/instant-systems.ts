/** An ERP, a WMS and a CRM that answer at once, in this process, and remember what they were told. */
import type {
  Connector,
  DeliveryItem,
  DeliveryKind,
  OrderStatusState,
  Outcome,
  StateItem,
} from '../../src/connectors/kit/index.ts';

export class InstantSystems {
  readonly salesOrders = new Map<string, { number: string }>();
  readonly fulfilments = new Set<string>();
  /** The newest status per order, and its version. */
  readonly statuses = new Map<string, { status: string; version: number }>();
  /** Orders that the CRM knows as confirmed, or further. */
  told = 0;
  #number = 0;

  writeSalesOrder({ reference }: DeliveryItem): Outcome {
    if (this.salesOrders.has(reference)) throw new Error(`sales order ${reference} was sent twice`);
    const answer = { number: `SO-${++this.#number}` };
    this.salesOrders.set(reference, answer);
    return { outcome: 'confirmed', answer };
  }

  writeFulfilment({ reference }: DeliveryItem): Outcome {
    if (this.fulfilments.has(reference)) throw new Error(`fulfilment ${reference} was sent twice`);
    this.fulfilments.add(reference);
    return { outcome: 'confirmed', answer: {} };
  }

  writeStatus({ key, version, state }: StateItem): Outcome {
    const { status } = state as OrderStatusState;
    const before = this.statuses.get(key);
    if (before !== undefined && before.version >= version) throw new Error(`status of ${key} went back`);
    if (status !== 'accepted' && (before === undefined || before.status === 'accepted')) this.told++;
    this.statuses.set(key, { status, version });
    return { outcome: 'confirmed' };
  }

  connectors(): Map<string, Connector> {
    const system = (name: string, parts: Partial<Connector>): Connector => ({
      name,
      confirmedBy: 'answer',
      sources: [],
      deliveries: {},
      probe: async () => ({ ok: true, detail: 'in this process' }),
      close: async () => {},
      ...parts,
    });
    const kind = (write: (item: DeliveryItem) => Outcome, find: (reference: string) => unknown): DeliveryKind => ({
      batchMax: 100,
      write: async (items) => items.map(write),
      locate: async (references) =>
        new Map(references.map((r) => [r, find(r)] as const).filter(([, answer]) => answer !== undefined)),
    });
    return new Map([
      [
        'erp',
        system('erp', {
          deliveries: {
            sales_order: kind(
              (item) => this.writeSalesOrder(item),
              (reference) => this.salesOrders.get(reference),
            ),
          },
        }),
      ],
      [
        'wms',
        system('wms', {
          deliveries: {
            fulfilment: kind(
              (item) => this.writeFulfilment(item),
              (reference) => (this.fulfilments.has(reference) ? {} : undefined),
            ),
          },
        }),
      ],
      [
        'crm',
        system('crm', {
          orderStatus: {
            batchMax: 100,
            takesChanges: true,
            write: async (items) => items.map((item) => this.writeStatus(item)),
            readBack: async (keys) =>
              new Map(
                keys.flatMap((key) => {
                  const known = this.statuses.get(key);
                  return known === undefined ? [] : [[key, known.version] as const];
                }),
              ),
          },
        }),
      ],
    ]);
  }
}

/** The objects of the org: the standard ones as far as orders need them, and those that the connector's README asks for. */
export interface FieldKind {
  type: 'text' | 'number' | 'boolean' | 'date' | 'datetime' | 'reference';
  /** Of texts: characters. */
  max?: number;
  external?: true;
  required?: true;
  /** Nobody writes it from outside. */
  computed?: true;
  /** Of references: the object, and how the way there and back are called. */
  to?: string;
  parent?: string;
  children?: string;
  /** Deleted with what it refers to. */
  master?: true;
}

export interface ObjectKind {
  prefix: string;
  fields: Readonly<Record<string, FieldKind>>;
}

const text = (max = 255, more: Partial<FieldKind> = {}): FieldKind => ({ type: 'text', max, ...more });
const number: FieldKind = { type: 'number' };
const boolean: FieldKind = { type: 'boolean' };
const to = (object: string, parent: string, more: Partial<FieldKind> = {}): FieldKind => {
  return { type: 'reference', to: object, parent, ...more };
};
const external = text(120, { external: true });

const common: Readonly<Record<string, FieldKind>> = {
  Id: { type: 'text', max: 18, computed: true },
  IsDeleted: { type: 'boolean', computed: true },
  CreatedDate: { type: 'datetime', computed: true },
  SystemModstamp: { type: 'datetime', computed: true },
};
const currency = { CurrencyIsoCode: text(3) };

function object(prefix: string, fields: Record<string, FieldKind>): ObjectKind {
  return { prefix, fields: { ...common, ...fields } };
}

export const OBJECTS: Readonly<Record<string, ObjectKind>> = {
  Account: object('001', {
    Name: text(255, { required: true }),
    MasterRecordId: { type: 'reference', to: 'Account', parent: 'MasterRecord', computed: true },
    Crossdock_Account__c: external,
    ParentId: to('Account', 'Parent'),
    Payment_Terms__c: text(40),
    ...currency,
  }),
  Product2: object('01t', {
    Name: text(255, { required: true }),
    ProductCode: text(),
    StockKeepingUnit: text(180),
    QuantityUnitOfMeasure: text(),
    IsActive: boolean,
    Crossdock_Sku__c: external,
    ...currency,
  }),
  Pricebook2: object('01s', { Name: text(255, { required: true }), IsActive: boolean, IsStandard: boolean }),
  PricebookEntry: object('01u', {
    Pricebook2Id: to('Pricebook2', 'Pricebook2', { required: true }),
    Product2Id: to('Product2', 'Product2', { required: true }),
    UnitPrice: number,
    IsActive: boolean,
    ...currency,
  }),
  Opportunity: object('006', {
    Name: text(120, { required: true }),
    AccountId: to('Account', 'Account'),
    Pricebook2Id: to('Pricebook2', 'Pricebook2'),
    StageName: text(255, { required: true }),
    CloseDate: { type: 'date', required: true },
    IsWon: { type: 'boolean', computed: true },
    LastStageChangeDate: { type: 'datetime', computed: true },
    Amount: number,
    ...currency,
  }),
  OpportunityLineItem: object('00k', {
    OpportunityId: to('Opportunity', 'Opportunity', { children: 'OpportunityLineItems', master: true, required: true }),
    Product2Id: to('Product2', 'Product2'),
    Quantity: number,
    UnitPrice: number,
    Discount: number,
    ...currency,
  }),
  Crossdock_Order__c: object('a00', {
    Crossdock_Reference__c: external,
    Account__c: to('Account', 'Account__r'),
    Channel__c: text(80),
    Order_Number__c: text(80),
    Status__c: text(40),
    Total__c: number,
    Version__c: number,
    ...currency,
  }),
  Crossdock_Order_Line__c: object('a01', {
    Crossdock_Reference__c: external,
    Order__c: to('Crossdock_Order__c', 'Order__r', { children: 'Lines__r', master: true, required: true }),
    Line_Number__c: number,
    Sku__c: text(80),
    Amount__c: number,
    Promised__c: { type: 'datetime' },
    ...Object.fromEntries(
      ['Quantity', 'Cancelled', 'Backordered', 'Refused', 'Shipped', 'Invoiced', 'Returned'].map((name) => [
        `${name}__c`,
        number,
      ]),
    ),
    ...currency,
  }),
  Crossdock_Document__c: object('a02', {
    Crossdock_Reference__c: external,
    Order__c: to('Crossdock_Order__c', 'Order__r', { children: 'Documents__r', master: true, required: true }),
    Kind__c: text(20),
    Number__c: text(80),
    Date__c: { type: 'date' },
    Amount__c: number,
    Tracking__c: text(),
    Carrier__c: text(),
    Text__c: text(),
    ...currency,
  }),
};

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Fifteen characters, case counts; three more say which are capitals, so that it may be compared without case. */
export function withSuffix(id15: string): string {
  let suffix = '';
  for (let from = 0; from < 15; from += 5) {
    let bits = 0;
    for (let at = 0; at < 5; at++) if (/[A-Z]/.test(id15[from + at]!)) bits |= 1 << at;
    suffix += ALPHABET[bits];
  }
  return id15 + suffix;
}

export function idOf(prefix: string, count: number): string {
  let rest = count;
  let digits = '';
  for (let at = 0; at < 12; at++) {
    digits = DIGITS[rest % 62]! + digits;
    rest = Math.floor(rest / 62);
  }
  return withSuffix(prefix + digits);
}

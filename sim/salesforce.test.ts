import { generateKeyPairSync, sign } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { manualTime } from './index.ts';
import { type Answer, closeSims, type Opened, openSim } from './lib/testing.ts';

afterEach(closeSims);

const DATA = '/services/data/v62.0';
const START = Date.parse('2026-03-01T09:00:00Z');
let session = '';

async function call(
  sim: Opened,
  method: string,
  path: string,
  body?: unknown,
  type = 'application/json',
): Promise<Answer> {
  const res = await fetch(sim.url + path, {
    method,
    headers: { authorization: `Bearer ${session}`, 'content-type': type },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await res.text();
  return { status: res.status, headers: res.headers, body: /^[[{]/.test(text) ? JSON.parse(text) : text };
}

const signIn = async (sim: Opened, form: Record<string, string>): Promise<Answer> => {
  const answer = await call(
    sim,
    'POST',
    '/services/oauth2/token',
    String(new URLSearchParams(form)),
    'application/x-www-form-urlencoded',
  );
  session = answer.body.access_token ?? '';
  return answer;
};
const byClient = { grant_type: 'client_credentials', client_id: 'crossdock', client_secret: 'sim-token' };
const soql = (sim: Opened, text: string, all = '') =>
  call(sim, 'GET', `${DATA}/query${all}?q=${encodeURIComponent(text)}`);
const put = (sim: Opened, type: string, values: object, more: object = {}): Promise<Answer> =>
  sim.post('/_drive/records', { records: [{ type, values, ...more }] });

test('signs in by client credentials and by assertion, and tells what is wrong with either', async () => {
  const time = manualTime(START);
  const sim = await openSim('salesforce', { time });
  expect((await signIn(sim, { ...byClient, client_secret: 'no' })).body).toMatchObject({ error: 'invalid_client' });
  expect((await signIn(sim, byClient)).body).toMatchObject({ instance_url: sim.url, token_type: 'Bearer' });
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await sim.post('/_drive/org', { app: { publicKey: publicKey.export({ type: 'spki', format: 'pem' }) } });
  const assertion = (changes: object): string => {
    const claims = {
      iss: 'crossdock',
      sub: 'integration@example.test',
      aud: 'https://login.salesforce.com',
      exp: START / 1000 + 120,
      ...changes,
    };
    const [head, body] = [{ alg: 'RS256' }, claims].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    );
    return `${head}.${body}.${sign('RSA-SHA256', Buffer.from(`${head}.${body}`), privateKey).toString('base64url')}`;
  };
  const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
  for (const wrong of [{ aud: 'x' }, { exp: START / 1000 - 1 }, { exp: START / 1000 + 999 }, { sub: 'nobody' }])
    expect((await signIn(sim, { grant_type, assertion: assertion(wrong) })).body.error).toBe('invalid_grant');
  expect((await signIn(sim, { grant_type, assertion: assertion({}) })).status).toBe(200);
  expect((await soql(sim, 'SELECT Id FROM Account')).body).toEqual({ totalSize: 0, done: true, records: [] });
  await sim.post('/_drive/expire', {});
  const refused = await soql(sim, 'SELECT Id FROM Account');
  expect([refused.status, refused.body]).toEqual([
    401,
    [{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }],
  ]);
});

test('queries: decimals as they are, parents, children, keyset, pages, deleted ones; and what no field is', async () => {
  const time = manualTime(START);
  const sim = await openSim('salesforce', { time });
  await signIn(sim, byClient);
  const [account] = (await put(sim, 'Account', { Name: "O'Neil", Crossdock_Account__c: '17850' })).body.results;
  const [won] = (
    await put(sim, 'Opportunity', {
      Name: 'A',
      AccountId: account.id,
      StageName: 'Closed Won',
      CloseDate: '2026-03-01',
    })
  ).body.results;
  for (const price of ['2.55', '3'])
    await put(sim, 'OpportunityLineItem', { OpportunityId: won.id, Quantity: '6', UnitPrice: price });
  const text = `SELECT Id, Account.Name, SystemModstamp, (SELECT Quantity, UnitPrice FROM OpportunityLineItems ORDER BY Id) FROM Opportunity WHERE IsWon = true AND Account.Name = 'o\\'neil' AND (SystemModstamp > 2026-03-01T08:00:00Z OR (SystemModstamp = 2026-03-01T08:00:00.000+0000 AND Id > '${won.id}'))`;
  const { body } = await soql(sim, text);
  expect(body.records[0]).toMatchObject({
    Account: { Name: "O'Neil" },
    SystemModstamp: '2026-03-01T09:00:00.000+0000',
    OpportunityLineItems: { totalSize: 2, done: true, records: [{ Quantity: 6, UnitPrice: 2.55 }, { UnitPrice: 3 }] },
  });
  await sim.post('/_drive/org', { rowsMax: 1 });
  const first = (await soql(sim, 'SELECT UnitPrice FROM OpportunityLineItem ORDER BY Id')).body;
  expect([first.done, first.records.length]).toEqual([false, 1]);
  // The pages are those of the moment when it was asked.
  await sim.post('/_drive/delete', { type: 'Opportunity', id: won.id });
  expect((await call(sim, 'GET', first.nextRecordsUrl)).body).toMatchObject({
    done: true,
    records: [{ UnitPrice: 3 }],
  });
  expect((await soql(sim, 'SELECT Id FROM OpportunityLineItem')).body.totalSize).toBe(0);
  expect((await soql(sim, 'SELECT Id FROM OpportunityLineItem', 'All')).body.totalSize).toBe(2);
  const gone = await call(
    sim,
    'GET',
    `${DATA}/sobjects/Opportunity/deleted/?start=2026-03-01T08:59:59Z&end=2026-03-01T09:01:00Z`,
  );
  expect(gone.body.deletedRecords).toEqual([{ id: won.id, deletedDate: '2026-03-01T09:00:00.000+0000' }]);
  expect((await soql(sim, 'SELECT Nope FROM Account')).body[0].errorCode).toBe('INVALID_FIELD');
  expect((await soql(sim, 'SELECT Id FROM')).body[0].errorCode).toBe('MALFORMED_QUERY');
});

const order = (key: string, more: object = {}) => ({
  attributes: { type: 'Crossdock_Order__c' },
  Crossdock_Reference__c: key,
  ...more,
});
const collection = (sim: Opened, records: object[], allOrNone: boolean) =>
  call(sim, 'PATCH', `${DATA}/composite/sobjects/Crossdock_Order__c/Crossdock_Reference__c`, { allOrNone, records });

test('a collection tells each record; all or none leaves nothing of it', async () => {
  const sim = await openSim('salesforce');
  await signIn(sim, byClient);
  const records = [order('o/1', { Version__c: 1 }), order('o/2', { Status__c: 'x'.repeat(41) })];
  const whole = (await collection(sim, records, true)).body;
  expect(whole.map((one: { errors: { statusCode: string }[] }) => one.errors[0]!.statusCode)).toEqual([
    'ALL_OR_NONE_OPERATION_ROLLED_BACK',
    'STRING_TOO_LONG',
  ]);
  expect(await sim.truth('Crossdock_Order__c')).toEqual({});
  const parts = (await collection(sim, records, false)).body;
  expect(parts.map((one: { success: boolean }) => one.success)).toEqual([true, false]);
  const again = (
    await collection(sim, [order('o/1', { Version__c: 2, Account__r: { Crossdock_Account__c: '9' } })], false)
  ).body;
  expect(again[0].errors[0]).toMatchObject({
    statusCode: 'INVALID_FIELD',
    message: expect.stringContaining('Foreign key'),
  });
  // What is journalled is what a restart finds.
  const later = await sim.again();
  expect(Object.values(await later.truth('Crossdock_Order__c'))).toMatchObject([
    { Crossdock_Reference__c: 'o/1', Version__c: '1' },
  ]);
});

test('a composite request of all or none names the part to blame and halts the others', async () => {
  const sim = await openSim('salesforce');
  await signIn(sim, byClient);
  const url = (type: string) => `${DATA}/composite/sobjects/${type}/Crossdock_Reference__c`;
  const line = {
    attributes: { type: 'Crossdock_Order_Line__c' },
    Crossdock_Reference__c: 'o/1/1',
    Order__r: { Crossdock_Reference__c: 'o/1' },
  };
  const request = (more: object) => ({
    allOrNone: true,
    compositeRequest: [
      { method: 'PATCH', url: url('Crossdock_Order__c'), referenceId: 'order', body: { records: [order('o/1')] } },
      {
        method: 'PATCH',
        url: url('Crossdock_Order_Line__c'),
        referenceId: 'lines',
        body: { records: [{ ...line, ...more }] },
      },
    ],
  });
  const bad = (await call(sim, 'POST', `${DATA}/composite`, request({ Sku__c: 'x'.repeat(99) }))).body
    .compositeResponse;
  expect(bad.map((part: { httpStatusCode: number }) => part.httpStatusCode)).toEqual([400, 200]);
  expect([bad[0].body[0].errorCode, bad[1].body[0].errors[0].statusCode]).toEqual([
    'PROCESSING_HALTED',
    'STRING_TOO_LONG',
  ]);
  expect(await sim.truth('Crossdock_Order__c')).toEqual({});
  await call(sim, 'POST', `${DATA}/composite`, request({ Sku__c: 'A' }));
  expect(Object.keys(await sim.truth('Crossdock_Order_Line__c'))).toHaveLength(1);
});

test('an ingest job is worked off once it is closed, and tells good, bad and untouched rows apart', async () => {
  const time = manualTime(START);
  const sim = await openSim('salesforce', { time });
  await signIn(sim, byClient);
  await sim.post('/_drive/org', { bulkFailAfterRows: 2 });
  const spec = {
    object: 'Account',
    operation: 'upsert',
    externalIdFieldName: 'Crossdock_Account__c',
    contentType: 'CSV',
    lineEnding: 'LF',
  };
  const { id } = (await call(sim, 'POST', `${DATA}/jobs/ingest`, spec)).body;
  const job = `${DATA}/jobs/ingest/${id}`;
  const csv = 'Crossdock_Account__c,Name\n1,"A ""B"", C"\n2,\n3,"D"\n';
  expect((await call(sim, 'PUT', `${job}/batches`, csv, 'text/csv')).status).toBe(201);
  expect((await call(sim, 'PATCH', job, { state: 'UploadComplete' })).body.state).toBe('UploadComplete');
  time.advance(1_000);
  expect((await call(sim, 'GET', job)).body).toMatchObject({
    state: 'Failed',
    numberRecordsProcessed: 2,
    numberRecordsFailed: 1,
  });
  expect((await call(sim, 'GET', `${job}/successfulResults/`)).body).toMatch(
    /^"sf__Id","sf__Created",.*\n"001\w{15}","true","1","A ""B"", C"\n$/,
  );
  expect((await call(sim, 'GET', `${job}/failedResults/`)).body).toContain('REQUIRED_FIELD_MISSING:');
  expect((await call(sim, 'GET', `${job}/unprocessedrecords/`)).body).toBe('"Crossdock_Account__c","Name"\n"3","D"\n');
});

test('the daily limit is counted in each answer, and what is beyond it is refused', async () => {
  const sim = await openSim('salesforce');
  await signIn(sim, byClient);
  await sim.post('/_drive/org', { used: 4, max: 5 });
  const last = await soql(sim, 'SELECT Id FROM Account');
  expect(last.headers.get('sforce-limit-info')).toBe('api-usage=5/5');
  const refused = await soql(sim, 'SELECT Id FROM Account');
  expect([refused.status, refused.body[0].errorCode]).toEqual([403, 'REQUEST_LIMIT_EXCEEDED']);
});

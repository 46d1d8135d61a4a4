import { expect, it } from 'vitest';
import { useDatabase } from './helpers/database.ts';
import { dumpSchema } from './helpers/schema.ts';

const database = useDatabase();

it('the migrations come to the schema that is written down', async () => {
  await expect(await dumpSchema(database.pool)).toMatchFileSnapshot('./schema.sql');
});

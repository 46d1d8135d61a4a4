import { sql } from '../store/index.ts';

export const insertFacts = sql<{ position: number }>(
  'log_insert_facts',
  `insert into fact (type, stream, stream_version, company_id, occurred_at, correlation_id, causation_id, data)
   select type, stream, stream_version, company_id, occurred_at, correlation_id, causation_id, data::json
     from unnest($1::text[], $2::text[], $3::bigint[], $4::int[], $5::timestamptz[], $6::text[], $7::text[], $8::text[])
       as t(type, stream, stream_version, company_id, occurred_at, correlation_id, causation_id, data)`,
);

-- What sql/ comes to. Written by test/schema.db.test.ts (npm test -- test/schema -u); never run.

table account (
  account_id bigint identity not null,
  company_id integer not null,
  code text not null,
  channel text,
  name text default ''::text not null,
  currency text not null,
  credit_limit_minor bigint,
  updated_at timestamp with time zone default crossdock_now() not null,
  changed_at timestamp with time zone default '-infinity'::timestamp with time zone not null,
  merged_into bigint,
  parent_id bigint,
  payment_terms text,
  hold_reason text,
  price_list text,
  priority_class text default 'redistribute'::text not null,
  ship_complete boolean default false not null,
  region text,
  said json default '{}'::json not null,
  set_by json default '{}'::json not null,
  withdrawn_at timestamp with time zone,
  UNIQUE (company_id, code),
  PRIMARY KEY (account_id),
  FOREIGN KEY (company_id) REFERENCES company(company_id),
  FOREIGN KEY (merged_into) REFERENCES account(account_id),
  FOREIGN KEY (parent_id) REFERENCES account(account_id),
  CHECK ((merged_into <> account_id)),
  CHECK ((parent_id <> account_id)),
  CHECK ((priority_class = ANY (ARRAY['win'::text, 'gain'::text, 'redistribute'::text, 'fill'::text, 'lose'::text])))
);
CREATE INDEX account_held ON public.account USING btree (account_id) WHERE (hold_reason IS NOT NULL);
CREATE INDEX account_merged ON public.account USING btree (merged_into) WHERE (merged_into IS NOT NULL);
CREATE INDEX account_parent ON public.account USING btree (parent_id) WHERE (parent_id IS NOT NULL);
CREATE INDEX account_withdrawn_at_idx ON public.account USING btree (withdrawn_at) WHERE (withdrawn_at IS NOT NULL);

table account_address (
  account_id bigint not null,
  code text not null,
  name text default ''::text not null,
  lines text[] not null,
  city text default ''::text not null,
  postal_code text default ''::text not null,
  country text not null,
  PRIMARY KEY (account_id, code),
  FOREIGN KEY (account_id) REFERENCES account(account_id),
  CHECK ((country ~ '^[A-Z]{2}$'::text))
);

table account_credit (
  account_id bigint not null,
  currency text not null,
  limit_minor bigint,
  open_orders_minor bigint default 0 not null,
  open_invoices_minor bigint default 0 not null,
  as_of timestamp with time zone,
  source text default ''::text not null,
  version bigint default 0 not null,
  recorded_at timestamp with time zone default crossdock_now() not null,
  PRIMARY KEY (account_id),
  CHECK ((limit_minor >= 0))
) with (fillfactor=80);

table account_identity (
  account_id bigint not null,
  kind text not null,
  system text not null,
  value text not null,
  PRIMARY KEY (account_id, kind, system),
  FOREIGN KEY (account_id) REFERENCES account(account_id) ON DELETE CASCADE,
  CHECK ((kind = ANY (ARRAY['taxId'::text, 'email'::text, 'postalCode'::text])))
);

table allocation (
  order_id bigint not null,
  allocation_id bigint not null,
  line_no integer not null,
  sku_id bigint not null,
  location_id integer not null,
  quantity bigint not null,
  open_quantity bigint not null,
  fulfilment_id bigint not null,
  from_backorder boolean default false not null,
  PRIMARY KEY (order_id, line_no, allocation_id),
  CHECK ((open_quantity >= 0)),
  CHECK ((quantity > 0))
) with (fillfactor=70);

table api_key (
  key_id text not null,
  key_hash bytea not null,
  name text not null,
  scopes text[] not null,
  channel text,
  created_at timestamp with time zone default crossdock_now() not null,
  revoked_at timestamp with time zone,
  UNIQUE (key_hash),
  PRIMARY KEY (key_id)
);

table channel (
  channel_id integer identity not null,
  code text not null,
  company_id integer not null,
  settings json not null,
  UNIQUE (code),
  PRIMARY KEY (channel_id),
  FOREIGN KEY (company_id) REFERENCES company(company_id)
);

table channel_number (
  channel_id integer not null,
  sku_id bigint not null,
  shown bigint,
  sending bigint,
  read_back bigint,
  read_back_at timestamp with time zone,
  sold_since bigint default 0 not null,
  PRIMARY KEY (channel_id, sku_id)
) with (fillfactor=50);
CREATE INDEX channel_number_channel_id_read_back_at_idx ON public.channel_number USING btree (channel_id, read_back_at) WHERE (read_back IS NOT NULL);

table company (
  company_id integer identity not null,
  code text not null,
  currency text not null,
  time_zone text not null,
  UNIQUE (code),
  PRIMARY KEY (company_id)
);

table contract (
  contract_id bigint identity not null,
  company_id integer not null,
  account_id bigint not null,
  code text not null,
  currency text not null,
  valid_from date default '-infinity'::date not null,
  valid_to date default 'infinity'::date not null,
  changed_at timestamp with time zone default '-infinity'::timestamp with time zone not null,
  updated_at timestamp with time zone default crossdock_now() not null,
  UNIQUE (company_id, code),
  PRIMARY KEY (contract_id),
  FOREIGN KEY (account_id) REFERENCES account(account_id),
  FOREIGN KEY (company_id) REFERENCES company(company_id),
  CHECK ((valid_to >= valid_from))
);
CREATE INDEX contract_account ON public.contract USING btree (account_id, valid_to);

table contract_price (
  contract_id bigint not null,
  sku_id bigint not null,
  quantity_min bigint default 1 not null,
  unit_price numeric not null,
  price_per bigint default 1 not null,
  updated_at timestamp with time zone default crossdock_now() not null,
  PRIMARY KEY (contract_id, sku_id, quantity_min),
  FOREIGN KEY (contract_id) REFERENCES contract(contract_id),
  FOREIGN KEY (sku_id) REFERENCES sku(sku_id),
  CHECK ((price_per >= 1)),
  CHECK ((quantity_min >= 1)),
  CHECK ((unit_price >= (0)::numeric))
);

table credit_claim (
  order_id bigint not null,
  holder_id bigint not null,
  account_id bigint not null,
  amount_minor bigint not null,
  taken_minor bigint not null,
  basis text not null,
  over_by_minor bigint default 0 not null,
  recorded_at timestamp with time zone default crossdock_now() not null,
  ended_at timestamp with time zone,
  ended_by text,
  line_no integer default 0 not null,
  PRIMARY KEY (order_id, line_no),
  CHECK (((amount_minor > 0) OR (ended_by = 'order'::text))),
  CHECK (((ended_at IS NULL) = (ended_by IS NULL))),
  CHECK ((amount_minor >= 0)),
  CHECK ((basis = ANY (ARRAY['live'::text, 'cached'::text]))),
  CHECK ((ended_by = ANY (ARRAY['report'::text, 'order'::text]))),
  CHECK ((line_no >= 0)),
  CHECK ((over_by_minor >= 0)),
  CHECK ((taken_minor > 0))
) with (fillfactor=80);
CREATE INDEX credit_claim_ended_at_idx ON public.credit_claim USING btree (ended_at) WHERE (ended_at IS NOT NULL);
CREATE INDEX credit_claim_holder_id_amount_minor_basis_idx ON public.credit_claim USING btree (holder_id) INCLUDE (amount_minor, basis) WHERE (ended_at IS NULL);

table crossdock_migration (
  name text not null,
  sha256 text not null,
  applied_at timestamp with time zone default clock_timestamp() not null,
  PRIMARY KEY (name)
);

table crosswalk_entry (
  system text not null,
  kind text not null,
  outside_id text not null,
  our_code text not null,
  valid_from timestamp with time zone default '-infinity'::timestamp with time zone not null,
  valid_to timestamp with time zone default 'infinity'::timestamp with time zone not null,
  recorded_at timestamp with time zone default crossdock_now() not null,
  recorded_by text,
  PRIMARY KEY (system, kind, outside_id, valid_from),
  CHECK ((valid_from < valid_to)) NOT VALID
);
CREATE INDEX crosswalk_entry_kind_our_code_idx ON public.crosswalk_entry USING btree (kind, our_code);

table declared_rule (
  name text not null,
  settings json not null,
  PRIMARY KEY (name)
);

table degraded_mode (
  mode_id bigint identity not null,
  domain text not null,
  system text not null,
  cause text not null,
  detail text not null,
  entered_by text,
  version bigint default 1 not null,
  ends_at timestamp with time zone,
  told_at timestamp with time zone default crossdock_now() not null,
  recorded_at timestamp with time zone default crossdock_now() not null,
  left_at timestamp with time zone,
  PRIMARY KEY (mode_id),
  CHECK (((cause = 'drill'::text) = (ends_at IS NOT NULL))),
  CHECK ((cause = ANY (ARRAY['away'::text, 'drill'::text]))),
  CHECK ((domain = ANY (ARRAY['erp'::text, 'wms'::text, 'crm'::text])))
);
CREATE UNIQUE INDEX degraded_mode_domain_idx ON public.degraded_mode USING btree (domain) WHERE (left_at IS NULL);

table degraded_order (
  order_id bigint not null,
  mode_id bigint not null,
  is_held boolean not null,
  recorded_at timestamp with time zone default crossdock_now() not null,
  checked_at timestamp with time zone,
  over_by_minor bigint,
  PRIMARY KEY (order_id)
);
CREATE INDEX degraded_order_mode_id_idx ON public.degraded_order USING btree (mode_id) WHERE (checked_at IS NULL);

table delivery (
  delivery_id bigint identity not null,
  destination_id integer not null,
  bucket smallint not null,
  key bigint not null,
  kind text not null,
  reference text not null,
  fact_position bigint not null,
  order_id bigint,
  state "char" default 'n'::"char" not null,
  attempts integer default 0 not null,
  lease_epoch bigint default 0 not null,
  next_at timestamp with time zone default crossdock_now() not null,
  sent_at timestamp with time zone,
  ended_at timestamp with time zone,
  error text,
  resolution text,
  payload json not null,
  answer json,
  recorded_at timestamp with time zone default crossdock_now() not null,
  is_open boolean generated always as ((state = ANY (ARRAY['n'::"char", 's'::"char", 'd'::"char", 'p'::"char"]))) not null,
  needs_person boolean generated always as ((state = ANY (ARRAY['p'::"char", 'r'::"char"]))) not null,
  UNIQUE (destination_id, kind, reference),
  PRIMARY KEY (delivery_id)
) with (fillfactor=60);
CREATE INDEX delivery_destination_id_delivery_id_idx ON public.delivery USING btree (destination_id, delivery_id) WHERE is_open;
CREATE INDEX delivery_destination_id_delivery_id_idx1 ON public.delivery USING btree (destination_id, delivery_id) WHERE needs_person;
CREATE INDEX delivery_destination_id_key_delivery_id_idx ON public.delivery USING btree (destination_id, key, delivery_id) WHERE is_open;
CREATE INDEX delivery_order_id_idx ON public.delivery USING btree (order_id);

table destination (
  destination_id integer identity not null,
  code text not null,
  paused boolean default false not null,
  counts_net boolean default false not null,
  UNIQUE (code),
  PRIMARY KEY (destination_id)
);

table expiring_table (
  table_name text not null,
  retention_days integer not null,
  kept_since timestamp with time zone,
  PRIMARY KEY (table_name),
  CHECK ((retention_days > 0))
);

table exposure (
  channel_id integer not null,
  sku_id bigint not null,
  location_id integer not null,
  quantity bigint not null,
  PRIMARY KEY (channel_id, sku_id, location_id),
  CHECK ((quantity >= 0))
) with (fillfactor=50);

table fact (
  position bigint identity not null,
  transaction_id xid8 default pg_current_xact_id() not null,
  type text not null,
  stream text not null,
  stream_version bigint not null,
  company_id integer not null,
  occurred_at timestamp with time zone not null,
  recorded_at timestamp with time zone default crossdock_now() not null,
  correlation_id text,
  causation_id text,
  data json not null
) partition by RANGE (recorded_at);
CREATE INDEX fact_stream_stream_version_idx ON ONLY public.fact USING btree (stream, stream_version);
CREATE INDEX fact_transaction_id_position_idx ON ONLY public.fact USING btree (transaction_id, "position");

table feed_cursor (
  system text not null,
  feed text not null,
  cursor text default ''::text not null,
  drained_at timestamp with time zone,
  updated_at timestamp with time zone default crossdock_now() not null,
  PRIMARY KEY (system, feed)
);

table freshness (
  flow text not null,
  recorded_at timestamp with time zone not null,
  le_ms integer not null,
  count bigint not null,
  sum_ms bigint not null,
  max_ms bigint not null,
  PRIMARY KEY (flow, recorded_at, le_ms)
) partition by RANGE (recorded_at);

table fulfilment (
  order_id bigint not null,
  fulfilment_id bigint not null,
  location_id integer not null,
  state text not null,
  recorded_at timestamp with time zone default crossdock_now() not null,
  PRIMARY KEY (order_id, fulfilment_id)
) with (fillfactor=70);
CREATE UNIQUE INDEX fulfilment_fulfilment_id_idx ON public.fulfilment USING btree (fulfilment_id);

table hub (
  is_only boolean default true not null,
  reference_ending text not null,
  PRIMARY KEY (is_only),
  CHECK ((reference_ending ~ '^(-[0-9A-Z]{4})?$'::text)),
  CHECK (is_only)
);

table inbound (
  scope text not null,
  key text not null,
  state "char" not null,
  fingerprint text not null,
  subject bigint,
  raw_id bigint not null,
  item_no integer not null,
  repeats integer default 0 not null,
  recorded_at timestamp with time zone default crossdock_now() not null,
  PRIMARY KEY (scope, key)
) with (fillfactor=95);
CREATE INDEX inbound_scope_idx ON public.inbound USING btree (scope) WHERE (state = ANY (ARRAY['w'::"char", 'p'::"char"]));

table invoice (
  invoice_no text not null,
  kind text not null,
  order_id bigint not null,
  currency text not null,
  total_minor bigint not null,
  lines json not null,
  posted_at timestamp with time zone not null,
  recorded_at timestamp with time zone default crossdock_now() not null,
  source text not null,
  order_version bigint not null,
  charges json,
  tax_minor bigint,
  PRIMARY KEY (kind, invoice_no, source)
);
CREATE INDEX invoice_order_id_idx ON public.invoice USING btree (order_id);

table kit_component (
  kit_sku_id bigint not null,
  component_id bigint not null,
  quantity bigint not null,
  PRIMARY KEY (kit_sku_id, component_id),
  FOREIGN KEY (component_id) REFERENCES sku(sku_id),
  FOREIGN KEY (kit_sku_id) REFERENCES sku(sku_id),
  CHECK ((component_id <> kit_sku_id)),
  CHECK ((quantity > 0))
);
CREATE INDEX kit_component_component_id_idx ON public.kit_component USING btree (component_id);

table lease (
  name text not null,
  holder text not null,
  epoch bigint default 1 not null,
  expires_at timestamp with time zone not null,
  PRIMARY KEY (name)
);

table load_plan (
  plan_id bigint identity not null,
  kind text not null,
  system text not null,
  file text not null,
  digest text not null,
  state text default 'planning'::text not null,
  counts json default '{}'::json not null,
  impact json,
  planned_by text not null,
  applied_by text,
  undone_by text,
  recorded_at timestamp with time zone default crossdock_now() not null,
  planned_at timestamp with time zone,
  applied_at timestamp with time zone,
  undone_at timestamp with time zone,
  PRIMARY KEY (plan_id),
  CHECK ((state = ANY (ARRAY['planning'::text, 'planned'::text, 'applying'::text, 'applied'::text, 'undoing'::text, 'undone'::text, 'stale'::text])))
);

table load_plan_item (
  plan_id bigint not null,
  item_no integer not null,
  line integer not null,
  key text not null,
  action text not null,
  before json,
  after json,
  subject_id bigint,
  state text not null,
  code text,
  reason text,
  PRIMARY KEY (plan_id, item_no),
  FOREIGN KEY (plan_id) REFERENCES load_plan(plan_id) ON DELETE CASCADE,
  CHECK ((action = ANY (ARRAY['add'::text, 'change'::text, 'same'::text, 'refuse'::text]))),
  CHECK ((state = ANY (ARRAY['planned'::text, 'applied'::text, 'stale'::text, 'refused'::text, 'undone'::text, 'kept'::text])))
);
CREATE INDEX load_plan_item_plan_id_state_item_no_idx ON public.load_plan_item USING btree (plan_id, state, item_no);
CREATE UNIQUE INDEX load_plan_item_plan_id_key_idx ON public.load_plan_item USING btree (plan_id, key) WHERE (action <> 'refuse'::text);

table location (
  location_id integer identity not null,
  code text not null,
  company_id integer not null,
  region text not null,
  priority integer default 0 not null,
  safety_stock bigint default 0 not null,
  settings json,
  returns json,
  UNIQUE (code),
  PRIMARY KEY (location_id),
  FOREIGN KEY (company_id) REFERENCES company(company_id)
);

table log_cursor (
  consumer text not null,
  shard integer default 0 not null,
  epoch integer default 1 not null,
  transaction_id xid8 default '0'::xid8 not null,
  position bigint default 0 not null,
  updated_at timestamp with time zone default crossdock_now() not null,
  PRIMARY KEY (consumer, shard)
);

table log_epoch (
  epoch integer not null,
  after_position bigint not null,
  started_at timestamp with time zone default crossdock_now() not null,
  PRIMARY KEY (epoch)
);

table match_apart (
  kind text not null,
  system text not null,
  company_id integer not null,
  outside_id text not null,
  our_code text not null,
  PRIMARY KEY (kind, system, company_id, outside_id, our_code)
);

table match_candidate (
  match_id bigint not null,
  our_code text not null,
  rule text not null,
  score numeric not null,
  record json not null,
  PRIMARY KEY (match_id, our_code),
  FOREIGN KEY (match_id) REFERENCES match_case(match_id) ON DELETE CASCADE,
  CHECK (((score >= (0)::numeric) AND (score <= (1)::numeric)))
);

table match_case (
  match_id bigint identity not null,
  kind text not null,
  system text not null,
  company_id integer not null,
  outside_id text not null,
  record json not null,
  state text not null,
  our_code text,
  decided_by text,
  reason text,
  recorded_at timestamp with time zone default crossdock_now() not null,
  decided_at timestamp with time zone,
  PRIMARY KEY (match_id),
  CHECK ((state = ANY (ARRAY['open'::text, 'merged'::text, 'apart'::text, 'undone'::text])))
);
CREATE INDEX match_case_state_match_id_idx ON public.match_case USING btree (state, match_id);
CREATE UNIQUE INDEX match_case_kind_system_company_id_outside_id_idx ON public.match_case USING btree (kind, system, company_id, outside_id) WHERE (state = 'open'::text);

table match_key (
  kind text not null,
  company_id integer not null,
  key text not null,
  subject_id bigint not null,
  PRIMARY KEY (kind, company_id, key, subject_id)
);
CREATE INDEX match_key_kind_subject_id_idx ON public.match_key USING btree (kind, subject_id);

table match_subject (
  kind text not null,
  subject_id bigint not null,
  seen_at timestamp with time zone not null,
  PRIMARY KEY (kind, subject_id)
);

table order_billing (
  order_id bigint not null,
  accepted_minor bigint not null,
  cancelled_minor bigint default 0 not null,
  shipped_minor bigint default 0 not null,
  returned_minor bigint default 0 not null,
  PRIMARY KEY (order_id)
) with (fillfactor=70);

table order_change (
  order_id bigint not null,
  change_version bigint not null,
  last_version bigint not null,
  reference text not null,
  number bigint,
  is_whole boolean not null,
  lines json not null,
  recorded_at timestamp with time zone default crossdock_now() not null,
  PRIMARY KEY (order_id, change_version)
) with (fillfactor=90);

table order_charge (
  order_id bigint not null,
  charge_no integer not null,
  kind text not null,
  code text not null,
  amount_minor bigint not null,
  tax_minor bigint not null,
  due_minor bigint default 0 not null,
  due_tax_minor bigint default 0 not null,
  cancelled_minor bigint default 0 not null,
  cancelled_tax_minor bigint default 0 not null,
  refunded_minor bigint default 0 not null,
  refunded_tax_minor bigint default 0 not null,
  invoiced_minor bigint default 0 not null,
  invoiced_tax_minor bigint default 0 not null,
  credited_minor bigint default 0 not null,
  credited_tax_minor bigint default 0 not null,
  PRIMARY KEY (order_id, charge_no)
);

table order_exception (
  order_id bigint not null,
  exception_id bigint not null,
  line_no integer not null,
  sku_id bigint not null,
  channel_id integer not null,
  kind text not null,
  policy text not null,
  units bigint not null,
  held bigint not null,
  backordered bigint not null,
  cancelled bigint not null,
  substituted bigint not null,
  state text not null,
  resolved_by text,
  reason text,
  recorded_at timestamp with time zone default crossdock_now() not null,
  ended_at timestamp with time zone,
  resourced bigint default 0 not null,
  PRIMARY KEY (order_id, exception_id),
  CHECK (((state = 'open'::text) = (held > 0))),
  CHECK (((units = ((((held + backordered) + cancelled) + substituted) + resourced)) AND (LEAST(held, backordered, cancelled, substituted, resourced) >= 0))),
  CHECK ((units > 0))
) with (fillfactor=80);
CREATE INDEX order_exception_exception_id_idx1 ON public.order_exception USING btree (exception_id) WHERE (state = 'open'::text);
CREATE UNIQUE INDEX order_exception_exception_id_idx ON public.order_exception USING btree (exception_id);

table order_hold (
  order_id bigint not null,
  hold_id bigint not null,
  channel_id integer not null,
  kind text not null,
  reason text not null,
  detail text not null,
  owner text not null,
  due_at timestamp with time zone,
  state text not null,
  held_by text,
  released_by text,
  release_reason text,
  recorded_at timestamp with time zone default crossdock_now() not null,
  ended_at timestamp with time zone,
  PRIMARY KEY (order_id, hold_id),
  CHECK (((state = 'released'::text) = (released_by IS NOT NULL)))
);
CREATE INDEX order_hold_due_at_idx ON public.order_hold USING btree (due_at) WHERE (state = 'open'::text);
CREATE INDEX order_hold_hold_id_idx1 ON public.order_hold USING btree (hold_id) WHERE (state = 'open'::text);
CREATE UNIQUE INDEX order_hold_hold_id_idx ON public.order_hold USING btree (hold_id);

table order_line (
  order_id bigint not null,
  line_no integer not null,
  sku_id bigint not null,
  quantity bigint not null,
  unit_price numeric not null,
  amount_minor bigint not null,
  within bigint default 0 not null,
  within_short bigint default 0 not null,
  allocated bigint default 0 not null,
  backordered bigint default 0 not null,
  refused bigint default 0 not null,
  picked bigint default 0 not null,
  shipped bigint default 0 not null,
  invoiced bigint default 0 not null,
  cancel_asked bigint default 0 not null,
  cancelled bigint default 0 not null,
  return_expected bigint default 0 not null,
  returned bigint default 0 not null,
  shipped_minor bigint default 0 not null,
  invoiced_minor bigint default 0 not null,
  cancelled_minor bigint default 0 not null,
  returned_minor bigint default 0 not null,
  credited_minor bigint default 0 not null,
  changed_version bigint default 1 not null,
  held bigint default 0 not null,
  substituted bigint default 0 not null,
  stands_for integer,
  price_per bigint default 1 not null,
  adds_to integer,
  awaits_erp boolean default false not null,
  tax_minor bigint default 0 not null,
  per_unit bigint default 1 not null,
  set_no integer,
  PRIMARY KEY (order_id, line_no),
  CHECK (((held >= 0) AND (held <= backordered) AND (substituted >= 0) AND (substituted <= refused))),
  CHECK (((set_no IS NULL) OR (stands_for IS NOT NULL))),
  CHECK ((per_unit >= 1)),
  CHECK ((price_per >= 1)),
  CHECK ((quantity = ((((allocated + backordered) + picked) + cancelled) + refused)))
) with (fillfactor=60);
CREATE INDEX order_line_order_id_idx ON public.order_line USING btree (order_id) WHERE (adds_to IS NOT NULL);
CREATE INDEX order_line_order_id_idx1 ON public.order_line USING btree (order_id) WHERE awaits_erp;
CREATE INDEX order_line_order_id_stands_for_idx ON public.order_line USING btree (order_id, stands_for) WHERE (stands_for IS NOT NULL);
CREATE INDEX order_line_sku_id_order_id_idx ON public.order_line USING btree (sku_id, order_id) WHERE (backordered > 0);

table order_line_asked (
  order_id bigint not null,
  line_no integer not null,
  quantity text not null,
  unit text not null,
  pack_level text not null,
  base bigint not null,
  unit_price text not null,
  price_unit text not null,
  price_count bigint not null,
  rounding text,
  PRIMARY KEY (order_id, line_no)
);

table order_line_tax (
  order_id bigint not null,
  line_no integer not null,
  invoiced_minor bigint default 0 not null,
  credited_minor bigint default 0 not null,
  PRIMARY KEY (order_id, line_no)
) with (fillfactor=70);

table order_tax (
  order_id bigint not null,
  tax_no integer not null,
  line_no integer,
  charge_no integer,
  code text not null,
  rate numeric not null,
  base_minor bigint not null,
  tax_minor bigint not null,
  own_minor bigint,
  PRIMARY KEY (order_id, tax_no),
  CHECK (((line_no IS NULL) OR (charge_no IS NULL)))
);

table outside_allocation (
  source text not null,
  source_id text not null,
  sku_id bigint not null,
  location_id integer not null,
  channel_id integer,
  external_no text,
  line_no integer,
  quantity bigint not null,
  open_quantity bigint not null,
  occurred_at timestamp with time zone not null,
  source_sequence bigint,
  earlier json default '[]'::json not null,
  PRIMARY KEY (source, source_id, sku_id, location_id),
  CHECK ((((channel_id IS NULL) = (external_no IS NULL)) AND ((channel_id IS NULL) = (line_no IS NULL)))),
  CHECK ((open_quantity <= quantity)),
  CHECK ((open_quantity >= 0)),
  CHECK ((quantity >= 0))
) with (fillfactor=70);
CREATE INDEX outside_allocation_sku_id_location_id_idx ON public.outside_allocation USING btree (sku_id, location_id) WHERE (quantity > 0);
CREATE INDEX outside_allocation_sku_id_location_id_occurred_at_idx ON public.outside_allocation USING btree (sku_id, location_id, occurred_at);

table parked_record (
  parked_id bigint identity not null,
  scope text not null,
  key text not null,
  system text not null,
  class text not null,
  reason text not null,
  place text,
  wait_key text,
  item json not null,
  raw_id bigint not null,
  item_no integer not null,
  state text default 'open'::text not null,
  attempts integer default 0 not null,
  resolution text,
  recorded_at timestamp with time zone default crossdock_now() not null,
  ended_at timestamp with time zone,
  business_at timestamp with time zone,
  PRIMARY KEY (parked_id),
  CHECK ((state = ANY (ARRAY['open'::text, 'replayed'::text, 'resolved'::text])))
);
CREATE INDEX parked_record_class_idx ON public.parked_record USING btree (class) WHERE (state = 'open'::text);
CREATE INDEX parked_record_scope_key_idx ON public.parked_record USING btree (scope, key);
CREATE INDEX parked_record_wait_key_idx ON public.parked_record USING btree (wait_key) WHERE ((state = 'open'::text) AND (wait_key IS NOT NULL));

table partitioned_table (
  table_name text not null,
  retention_days integer not null,
  kept_since timestamp with time zone,
  PRIMARY KEY (table_name),
  CHECK ((retention_days > 0))
);

table price (
  sku_id bigint not null,
  price_list text not null,
  currency text not null,
  valid_from date default '-infinity'::date not null,
  unit_price numeric not null,
  updated_at timestamp with time zone default crossdock_now() not null,
  company_id integer not null,
  changed_at timestamp with time zone default '-infinity'::timestamp with time zone not null,
  quantity_min bigint default 1 not null,
  set_by text default ''::text not null,
  price_per bigint default 1 not null,
  valid_to date default 'infinity'::date not null,
  whole boolean default false not null,
  PRIMARY KEY (company_id, sku_id, price_list, currency, valid_from, quantity_min),
  FOREIGN KEY (company_id) REFERENCES company(company_id),
  FOREIGN KEY (sku_id) REFERENCES sku(sku_id),
  CHECK ((price_per >= 1)),
  CHECK ((quantity_min >= 1)),
  CHECK ((unit_price >= (0)::numeric)),
  CHECK ((valid_to >= valid_from))
);
CREATE INDEX price_valid_from ON public.price USING btree (company_id, valid_from) WHERE (valid_from > '-infinity'::date);
CREATE INDEX price_valid_to ON public.price USING btree (company_id, valid_to) WHERE (valid_to < 'infinity'::date);

table price_day (
  company_id integer not null,
  day date not null,
  lists text[] not null,
  PRIMARY KEY (company_id),
  FOREIGN KEY (company_id) REFERENCES company(company_id)
);

table price_difference (
  order_id bigint not null,
  line_no integer not null,
  sku_id bigint not null,
  outcome text not null,
  asked_price numeric not null,
  asked_per bigint not null,
  decided_price numeric,
  decided_per bigint,
  source text,
  name text,
  recorded_at timestamp with time zone default crossdock_now() not null,
  PRIMARY KEY (order_id, line_no),
  CHECK ((outcome = ANY (ARRAY['accepted'::text, 'repriced'::text, 'held'::text])))
);

table product_gtin (
  gtin text not null,
  sku text not null,
  recorded_at timestamp with time zone default crossdock_now() not null,
  PRIMARY KEY (gtin)
);
CREATE INDEX product_gtin_sku_idx ON public.product_gtin USING btree (sku);

table promise (
  order_id bigint not null,
  line_no integer not null,
  order_version bigint not null,
  part integer not null,
  quantity bigint not null,
  promised_at timestamp with time zone,
  location_id integer,
  supply_id bigint,
  due_at timestamp with time zone,
  channel_id integer not null,
  account_id bigint not null,
  reason text not null,
  cause text not null,
  rule_version text not null,
  replaced_version bigint,
  recorded_at timestamp with time zone default crossdock_now() not null,
  PRIMARY KEY (order_id, line_no, order_version, part),
  CHECK ((quantity > 0))
) with (fillfactor=80);
CREATE INDEX promise_supply_id_idx ON public.promise USING btree (supply_id) WHERE ((replaced_version IS NULL) AND (supply_id IS NOT NULL));

table publication (
  destination_id integer not null,
  kind text not null,
  key bigint not null,
  bucket smallint not null,
  version bigint default 1 not null,
  confirmed_version bigint default 0 not null,
  sending_version bigint,
  state "char" default 'n'::"char" not null,
  attempts integer default 0 not null,
  lease_epoch bigint default 0 not null,
  changed_at timestamp with time zone default crossdock_now() not null,
  sent_at timestamp with time zone,
  confirmed_at timestamp with time zone,
  next_at timestamp with time zone default crossdock_now() not null,
  error text,
  resolution text,
  is_dirty boolean generated always as (((version > confirmed_version) AND (state <> ALL (ARRAY['p'::"char", 'x'::"char"])))) not null,
  read_again boolean default false not null,
  price_unit text,
  quantity_unit text,
  PRIMARY KEY (destination_id, kind, key),
  CHECK (((kind <> 'price'::text) OR (state <> 's'::"char") OR (price_unit IS NOT NULL))),
  CHECK ((NOT (price_unit IS DISTINCT FROM quantity_unit)))
) with (fillfactor=50);
CREATE INDEX publication_destination_id_kind_next_at_idx ON public.publication USING btree (destination_id, kind, next_at) WHERE is_dirty;

table quota (
  quota_id bigint identity not null,
  sku_id bigint not null,
  channel_id integer not null,
  region text,
  account_id bigint,
  valid_from timestamp with time zone not null,
  valid_to timestamp with time zone not null,
  ring_fenced bigint default 0 not null,
  cap bigint,
  borrow boolean default false not null,
  lend boolean default false not null,
  used bigint default 0 not null,
  told text default 'to_come'::text not null,
  recorded_at timestamp with time zone default crossdock_now() not null,
  recorded_by text not null,
  UNIQUE NULLS NOT DISTINCT (sku_id, channel_id, region, account_id, valid_from),
  PRIMARY KEY (quota_id),
  CHECK (((cap IS NULL) OR (cap >= ring_fenced))),
  CHECK (((region IS NULL) OR (account_id IS NULL))),
  CHECK ((cap >= 0)),
  CHECK ((ring_fenced >= 0)),
  CHECK ((told = ANY (ARRAY['to_come'::text, 'running'::text, 'ended'::text]))),
  CHECK ((used >= 0)),
  CHECK ((valid_to > valid_from))
) with (fillfactor=80);
CREATE INDEX quota_sku_id_valid_to_idx ON public.quota USING btree (sku_id, valid_to);
CREATE INDEX quota_valid_from_idx ON public.quota USING btree (valid_from) WHERE (told = 'to_come'::text);
CREATE INDEX quota_valid_to_idx ON public.quota USING btree (valid_to) WHERE (told <> 'ended'::text);

table quota_use (
  order_id bigint not null,
  line_no integer not null,
  quota_id bigint not null,
  units bigint not null,
  PRIMARY KEY (order_id, line_no, quota_id),
  FOREIGN KEY (quota_id) REFERENCES quota(quota_id) ON DELETE CASCADE,
  CHECK ((units >= 0))
) with (fillfactor=80);
CREATE INDEX quota_use_quota_id_idx ON public.quota_use USING btree (quota_id);

table raw_record (
  raw_id bigint not null,
  system text not null,
  source text not null,
  content_type text not null,
  items integer not null,
  body bytea not null,
  recorded_at timestamp with time zone default crossdock_now() not null
) partition by RANGE (recorded_at);
CREATE INDEX raw_record_raw_id_idx ON ONLY public.raw_record USING btree (raw_id);

table reservation (
  reservation_id bigint not null,
  location_id integer not null,
  sku_id bigint not null,
  channel_id integer not null,
  quantity bigint not null,
  open_quantity bigint not null,
  state text not null,
  purpose text default 'order'::text not null,
  expires_at timestamp with time zone not null,
  recorded_at timestamp with time zone default crossdock_now() not null,
  is_counted boolean default false not null,
  PRIMARY KEY (reservation_id, location_id),
  CHECK ((open_quantity >= 0)),
  CHECK ((quantity > 0))
) with (fillfactor=80);
CREATE INDEX reservation_expires_at_idx ON public.reservation USING btree (expires_at) WHERE (state = 'open'::text);
CREATE INDEX reservation_sku_id_idx ON public.reservation USING btree (sku_id) WHERE ((state = 'open'::text) AND is_counted);

table return_authorisation (
  order_id bigint not null,
  return_id bigint not null,
  reference text not null,
  location_id integer not null,
  lines json not null,
  state text not null,
  recorded_at timestamp with time zone default crossdock_now() not null,
  reason text,
  inspection text,
  PRIMARY KEY (order_id, return_id)
);
CREATE UNIQUE INDEX return_authorisation_return_id_idx ON public.return_authorisation USING btree (return_id);

table return_inspection (
  order_id bigint not null,
  order_version bigint not null,
  return_id bigint not null,
  lines json not null,
  inspected_by text not null,
  reason text,
  inspected_at timestamp with time zone not null,
  recorded_at timestamp with time zone default crossdock_now() not null,
  PRIMARY KEY (order_id, order_version)
);

table return_line (
  order_id bigint not null,
  return_id bigint not null,
  line_no integer not null,
  sku_id bigint not null,
  location_id integer not null,
  quantity bigint not null,
  received bigint default 0 not null,
  restocked bigint default 0 not null,
  scrapped bigint default 0 not null,
  quarantined bigint default 0 not null,
  received_minor bigint default 0 not null,
  decided_minor bigint default 0 not null,
  credit_minor bigint default 0 not null,
  received_tax_minor bigint default 0 not null,
  decided_tax_minor bigint default 0 not null,
  credit_tax_minor bigint default 0 not null,
  PRIMARY KEY (order_id, return_id, line_no),
  CHECK ((((credit_minor >= 0) AND (credit_minor <= received_minor)) AND ((decided_minor >= 0) AND (decided_minor <= received_minor)))),
  CHECK ((LEAST(quantity, restocked, scrapped, quarantined, (((received - restocked) - scrapped) - quarantined)) >= 0))
) with (fillfactor=70);
CREATE INDEX return_line_return_id_idx ON public.return_line USING btree (return_id);
CREATE INDEX return_line_sku_id_location_id_idx ON public.return_line USING btree (sku_id, location_id) WHERE (received > (restocked + scrapped));

table return_receipt (
  order_id bigint not null,
  order_version bigint not null,
  return_id bigint not null,
  lines json not null,
  received_at timestamp with time zone not null,
  recorded_at timestamp with time zone default crossdock_now() not null,
  PRIMARY KEY (order_id, order_version)
);

table sales_order (
  order_id bigint not null,
  company_id integer not null,
  channel_id integer not null,
  account_id bigint not null,
  external_no text not null,
  state text not null,
  version bigint not null,
  currency text not null,
  total_minor bigint not null,
  ordered_at timestamp with time zone not null,
  erp_number text,
  units bigint not null,
  units_open bigint not null,
  units_refused bigint not null,
  units_shipped bigint default 0 not null,
  units_invoiced bigint default 0 not null,
  is_released boolean default false not null,
  recorded_at timestamp with time zone default crossdock_now() not null,
  units_held bigint default 0 not null,
  holds integer default 0 not null,
  is_told boolean default true not null,
  is_handed boolean default false not null,
  ship_complete boolean default false not null,
  requested_at timestamp with time zone,
  ship_to json,
  is_charged boolean default false not null,
  charges_minor bigint default 0 not null,
  tax_minor bigint default 0 not null,
  state_since timestamp with time zone default crossdock_now() not null,
  UNIQUE (channel_id, external_no),
  PRIMARY KEY (order_id)
) with (fillfactor=70);
CREATE INDEX sales_order_account_id_idx ON public.sales_order USING btree (account_id);
CREATE INDEX sales_order_recorded_at_idx ON public.sales_order USING btree (recorded_at);

table shipment (
  shipment_no text not null,
  order_id bigint not null,
  fulfilment_id bigint not null,
  tracking text,
  lines json not null,
  shipped_at timestamp with time zone not null,
  recorded_at timestamp with time zone default crossdock_now() not null,
  source text not null,
  order_version bigint not null,
  carrier text,
  parcels json,
  charges json,
  PRIMARY KEY (shipment_no, source)
);
CREATE INDEX shipment_order_id_idx ON public.shipment USING btree (order_id);

table shortage (
  shortage_id bigint identity not null,
  sku_id bigint not null,
  location_id integer not null,
  quantity bigint not null,
  cause text not null,
  owner text default 'operations'::text not null,
  state text default 'open'::text not null,
  recorded_at timestamp with time zone default crossdock_now() not null,
  ended_at timestamp with time zone,
  PRIMARY KEY (shortage_id)
);
CREATE INDEX shortage_state_sku_id_idx ON public.shortage USING btree (state, sku_id);

table sku (
  sku_id bigint identity not null,
  code text not null,
  description text default ''::text not null,
  unit text default 'each'::text not null,
  updated_at timestamp with time zone default crossdock_now() not null,
  changed_at timestamp with time zone default '-infinity'::timestamp with time zone not null,
  lifecycle text default 'active'::text not null,
  weight_g bigint,
  length_mm bigint,
  width_mm bigint,
  height_mm bigint,
  said json default '{}'::json not null,
  set_by json default '{}'::json not null,
  order_multiple bigint default 1 not null,
  order_minimum bigint default 1 not null,
  order_rounding text default 'refuse'::text not null,
  unit_changed_at timestamp with time zone default '-infinity'::timestamp with time zone not null,
  withdrawn_at timestamp with time zone,
  UNIQUE (code),
  PRIMARY KEY (sku_id),
  CHECK ((height_mm >= 0)),
  CHECK ((length_mm >= 0)),
  CHECK ((lifecycle = ANY (ARRAY['active'::text, 'phase_out'::text, 'discontinued'::text]))),
  CHECK ((order_minimum >= 1)),
  CHECK ((order_multiple >= 1)),
  CHECK ((weight_g >= 0)),
  CHECK ((width_mm >= 0))
);
CREATE INDEX sku_ending ON public.sku USING btree (sku_id) WHERE (lifecycle <> 'active'::text);
CREATE INDEX sku_order_rule ON public.sku USING btree (sku_id) WHERE ((order_multiple > 1) OR (order_minimum > 1));
CREATE INDEX sku_unit_changed ON public.sku USING btree (unit_changed_at) WHERE (unit_changed_at > '-infinity'::timestamp with time zone);
CREATE INDEX sku_withdrawn_at_idx ON public.sku USING btree (withdrawn_at) WHERE (withdrawn_at IS NOT NULL);

table sku_substitute (
  sku_id bigint not null,
  rank integer not null,
  substitute_id bigint not null,
  UNIQUE (sku_id, substitute_id),
  PRIMARY KEY (sku_id, rank),
  CHECK ((rank > 0)),
  CHECK ((substitute_id <> sku_id))
);

table sku_unit (
  sku_id bigint not null,
  unit text not null,
  pack_level text not null,
  numerator bigint not null,
  denominator bigint default 1 not null,
  gtin text,
  recorded_at timestamp with time zone default crossdock_now() not null,
  PRIMARY KEY (sku_id, unit),
  FOREIGN KEY (sku_id) REFERENCES sku(sku_id),
  CHECK ((denominator >= 1)),
  CHECK ((numerator >= 1))
);
CREATE UNIQUE INDEX sku_unit_gtin_idx ON public.sku_unit USING btree (gtin) WHERE (gtin IS NOT NULL);

table stage_alert (
  alert_id bigint identity not null,
  order_id bigint not null,
  channel_id integer not null,
  stage text not null,
  since timestamp with time zone not null,
  due_at timestamp with time zone not null,
  owner text not null,
  state text default 'open'::text not null,
  seen_by text,
  recorded_at timestamp with time zone default crossdock_now() not null,
  ended_at timestamp with time zone,
  UNIQUE (order_id, stage, since),
  PRIMARY KEY (alert_id)
);
CREATE INDEX stage_alert_alert_id_idx ON public.stage_alert USING btree (alert_id) WHERE (state = 'open'::text);

table stewardship_item (
  item_id bigint identity not null,
  domain text not null,
  company_id integer,
  record_key text not null,
  field text not null,
  value_held json,
  value_said json,
  system text not null,
  owner text not null,
  changed_at timestamp with time zone not null,
  state text default 'open'::text not null,
  decided_by text,
  reason text,
  recorded_at timestamp with time zone default crossdock_now() not null,
  ended_at timestamp with time zone,
  PRIMARY KEY (item_id),
  CHECK (((state = 'open'::text) = (ended_at IS NULL))),
  CHECK ((state = ANY (ARRAY['open'::text, 'accepted'::text, 'rejected'::text])))
);
CREATE INDEX stewardship_item_domain_record_key_field_system_item_id_idx ON public.stewardship_item USING btree (domain, record_key, field, system, item_id) WHERE (state <> 'open'::text);
CREATE UNIQUE INDEX stewardship_item_domain_record_key_field_system_company_id_idx ON public.stewardship_item USING btree (domain, record_key, field, system, company_id) NULLS NOT DISTINCT WHERE (state = 'open'::text);

table stock_balance (
  sku_id bigint not null,
  location_id integer not null,
  on_hand bigint default 0 not null,
  reserved bigint default 0 not null,
  allocated bigint default 0 not null,
  exposed bigint default 0 not null,
  safety_stock bigint default 0 not null,
  version bigint default 0 not null,
  counted_at timestamp with time zone,
  counted_source text,
  counted_sequence bigint,
  outside_open bigint default 0 not null,
  outside_deducted bigint default 0 not null,
  PRIMARY KEY (sku_id, location_id)
) with (fillfactor=50);

table stock_closing (
  sku_id bigint not null,
  location_id integer not null,
  on_hand bigint not null,
  closed_before timestamp with time zone not null,
  PRIMARY KEY (sku_id, location_id)
);

table stock_movement (
  movement_id bigint not null,
  sku_id bigint not null,
  location_id integer not null,
  kind text not null,
  quantity bigint not null,
  effect bigint not null,
  balance_version bigint not null,
  order_id bigint,
  source text not null,
  source_id text not null,
  source_sequence bigint,
  occurred_at timestamp with time zone not null,
  recorded_at timestamp with time zone default crossdock_now() not null,
  line_no integer
) partition by RANGE (recorded_at);
CREATE INDEX stock_movement_sku_id_location_id_occurred_at_idx ON ONLY public.stock_movement USING btree (sku_id, location_id, occurred_at);

table supply (
  supply_id bigint identity not null,
  sku_id bigint not null,
  location_id integer not null,
  source text not null,
  source_id text not null,
  quantity bigint default 0 not null,
  received bigint default 0 not null,
  due_at timestamp with time zone,
  announced_at timestamp with time zone,
  version bigint default 0 not null,
  UNIQUE (source, source_id, sku_id, location_id),
  PRIMARY KEY (supply_id),
  CHECK (((quantity = 0) OR (due_at IS NOT NULL))),
  CHECK ((quantity >= 0))
);
CREATE INDEX supply_sku_id_location_id_idx ON public.supply USING btree (sku_id, location_id);

table supply_commitment (
  supply_id bigint not null,
  order_id bigint not null,
  line_no integer not null,
  quantity bigint not null,
  PRIMARY KEY (supply_id, order_id, line_no),
  CHECK ((quantity > 0))
);
CREATE INDEX supply_commitment_order_id_line_no_idx ON public.supply_commitment USING btree (order_id, line_no);

table system_contact (
  system text not null,
  failing_since timestamp with time zone,
  last_error text,
  recorded_at timestamp with time zone default crossdock_now() not null,
  PRIMARY KEY (system)
);

table system_price (
  destination_id integer not null,
  company_id integer not null,
  sku_id bigint not null,
  price_list text not null,
  currency text not null,
  told json default '[]'::json not null,
  said_at text default ''::text not null,
  PRIMARY KEY (destination_id, company_id, sku_id, price_list, currency)
) with (fillfactor=70);

sequence allocation_id_seq increment by 1000;

sequence exception_id_seq increment by 200;

sequence fulfilment_id_seq increment by 200;

sequence movement_id_seq increment by 1000;

sequence order_hold_id_seq increment by 200;

sequence order_id_seq increment by 200;

sequence raw_id_seq increment by 500;

sequence reservation_id_seq increment by 1000;

sequence return_id_seq increment by 200;

CREATE OR REPLACE FUNCTION public.amount_from_end(price numeric, accepted bigint, units bigint, currency text, per bigint)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN (amount_minor(price, accepted, currency, per) - amount_minor(price, (accepted - units), currency, per))

CREATE OR REPLACE FUNCTION public.amount_minor(price numeric, quantity bigint, currency text, per bigint)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN ((sign((price * (quantity)::numeric)) * div((((2)::numeric * abs(((price * (quantity)::numeric) * minor_scale(currency)))) + (per)::numeric), ((2)::numeric * (per)::numeric))))::bigint

CREATE OR REPLACE FUNCTION public.crossdock_analyze_stale()
 RETURNS SETOF text
 LANGUAGE plpgsql
AS $function$
declare
  stale record;
begin
  if pg_is_in_recovery() then
    return;
  end if;
  for stale in
    select schemaname, relname from pg_stat_user_tables
     where schemaname = current_schema() and pg_relation_size(relid) > 1048576
       and (coalesce(last_analyze, last_autoanalyze) is null or n_mod_since_analyze > n_live_tup / 10)
     order by relname
  loop
    execute format('analyze %I.%I', stale.schemaname, stale.relname);
    return next stale.relname;
  end loop;
end
$function$

CREATE OR REPLACE FUNCTION public.crossdock_ensure_partitions(p_from timestamp with time zone, p_months integer)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  parent text;
  month_start timestamptz;
  part text;
  in_month text;
  late boolean;
  made int := 0;
begin
  perform pg_advisory_xact_lock(7302001);
  for parent in select table_name from partitioned_table order by table_name loop
    for i in 0 .. p_months loop
      month_start := date_trunc('month', p_from at time zone 'UTC') at time zone 'UTC' + make_interval(months => i);
      part := parent || '_p' || to_char(month_start at time zone 'UTC', 'YYYYMM');
      if to_regclass(part) is not null then
        continue;
      end if;
      in_month := format('recorded_at >= %L and recorded_at < %L', month_start, month_start + interval '1 month');
      -- As making a partition does: nobody adds to the month between the look and the new partition.
      execute format('lock table %I in access exclusive mode', parent || '_default');
      execute format('select exists (select from %I where %s)', parent || '_default', in_month) into late;
      if not late then
        execute format('create table %I partition of %I for values from (%L) to (%L)',
          part, parent, month_start, month_start + interval '1 month');
      else
        -- Its numbers are the parent's: a partition counts none of its own.
        execute format('create table %I (like %I including all excluding identity)', part, parent);
        execute format('with moved as (delete from %I where %s returning *) insert into %I select * from moved',
          parent || '_default', in_month, part);
        execute format('alter table %I attach partition %I for values from (%L) to (%L)',
          parent, part, month_start, month_start + interval '1 month');
      end if;
      made := made + 1;
    end loop;
  end loop;
  return made;
end
$function$

CREATE OR REPLACE FUNCTION public.crossdock_now()
 RETURNS timestamp with time zone
 LANGUAGE sql
 PARALLEL SAFE
AS $function$ select clock_timestamp() + coalesce(nullif(current_setting('crossdock.clock_shift', true), ''), '0')::interval $function$

CREATE OR REPLACE FUNCTION public.crossdock_unread(p_consumer text)
 RETURNS SETOF fact
 LANGUAGE sql
 STABLE
AS $function$
  with place as (
    select transaction_id, position, after_position, until_position from log_place where consumer = p_consumer and shard = 0
    union all
    select '0', 0, 0, 9223372036854775807 where not exists (select from log_cursor where consumer = p_consumer and shard = 0))
  select f.* from place p join fact f
      on (f.transaction_id, f.position) > (p.transaction_id, p.position) and f.position > p.after_position and f.position <= p.until_position
  union all
  select f.* from place p join fact f on f.position > p.until_position where p.until_position < 9223372036854775807
$function$

CREATE OR REPLACE FUNCTION public.dated_supply(p_sku_id bigint, p_location_ids integer[], p_days integer)
 RETURNS bigint
 LANGUAGE sql
 STABLE
AS $function$
  select case when p_days <= 0 then 0 else greatest(0,
    coalesce((select sum(greatest(0, s.quantity - s.received) - coalesce(c.committed, 0))
                from supply s
                left join lateral (select sum(quantity) as committed from supply_commitment where supply_id = s.supply_id) c on true
               where s.sku_id = p_sku_id and s.location_id = any(p_location_ids) and s.quantity > s.received
                 and s.due_at <= crossdock_now() + make_interval(days => p_days)), 0)
    - greatest(0, coalesce((select sum(backordered) from order_line where sku_id = p_sku_id and backordered > 0), 0)
                - coalesce((select sum(c.quantity) from supply s join supply_commitment c using (supply_id)
                             where s.sku_id = p_sku_id), 0))) end::bigint
$function$

CREATE OR REPLACE FUNCTION public.fulfilment_reference(fulfilment_id bigint)
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN (('F'::text || (fulfilment_id)::text) || reference_ending())

CREATE OR REPLACE FUNCTION public.goes_beyond(part numeric, whole numeric)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN (((sign(part) * sign(whole)) < (0)::numeric) OR (abs(part) > abs(whole)))

CREATE OR REPLACE FUNCTION public.kept_backorders()
 RETURNS TABLE(order_id bigint, line_no integer, sku_id bigint, location_id integer, channel_id integer)
 LANGUAGE sql
 STABLE
AS $function$
  select d.order_id, d.line_no, d.sku_id, d.location_id, d.channel_id
    from outside_line() d
    join order_line l on l.order_id = d.order_id and l.line_no = d.line_no and l.sku_id = d.sku_id
    join sales_order o on o.order_id = d.order_id
    join stock_balance b on b.sku_id = d.sku_id and b.location_id = d.location_id
   where d.deducted > 0 and l.backordered > l.held and o.holds = 0
     and b.on_hand - b.reserved - b.allocated - b.exposed - b.safety_stock - b.outside_deducted + d.deducted > 0
$function$

CREATE OR REPLACE FUNCTION public.may_split(p_order_id bigint, p_line_no integer, p_sku_id bigint, p_location_ids integer[], p_order_max integer, p_line_max integer)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select exists (
    select from stock_balance b
     where b.sku_id = p_sku_id and b.location_id = any(p_location_ids)
       and b.on_hand - b.reserved - b.allocated - b.exposed - b.safety_stock - b.outside_deducted > 0
       and (p_order_max is null or exists (select from allocation a where a.order_id = p_order_id and a.location_id = b.location_id)
            or (select count(distinct a.location_id) from allocation a where a.order_id = p_order_id) < p_order_max)
       and (p_line_max is null
            or exists (select from allocation a where a.order_id = p_order_id and a.line_no = p_line_no and a.location_id = b.location_id)
            or (select count(distinct a.location_id) from allocation a where a.order_id = p_order_id and a.line_no = p_line_no) < p_line_max))
$function$

CREATE OR REPLACE FUNCTION public.minor_scale(currency text)
 RETURNS numeric
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN (currency = ANY (ARRAY['BIF'::text, 'CLP'::text, 'DJF'::text, 'GNF'::text, 'ISK'::text, 'JPY'::text, 'KMF'::text, 'KRW'::text, 'PYG'::text, 'RWF'::text, 'UGX'::text, 'UYI'::text, 'VND'::text, 'VUV'::text, 'XAF'::text, 'XOF'::text, 'XPF'::text])) THEN 1 WHEN (currency = ANY (ARRAY['BHD'::text, 'IQD'::text, 'JOD'::text, 'KWD'::text, 'LYD'::text, 'OMR'::text, 'TND'::text])) THEN 1000 WHEN (currency = ANY (ARRAY['CLF'::text, 'UYW'::text])) THEN 10000 ELSE 100 END

CREATE OR REPLACE FUNCTION public.net_invoiced(invoiced numeric, credited numeric, back numeric)
 RETURNS numeric
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN ((invoiced - credited) + GREATEST(LEAST(credited, GREATEST(back, (0)::numeric)), LEAST(back, (0)::numeric)))

CREATE OR REPLACE FUNCTION public.outside_line()
 RETURNS TABLE(sku_id bigint, location_id integer, channel_id integer, external_no text, line_no integer, order_id bigint, theirs bigint, ours bigint, deducted bigint)
 LANGUAGE sql
 STABLE
AS $function$
  select t.sku_id, t.location_id, t.channel_id, t.external_no, t.line_no, o.order_id, t.theirs, a.ours, greatest(0, t.theirs - a.ours)
    from (select s.sku_id, s.location_id, s.channel_id, s.external_no, s.line_no, max(s.open)::bigint as theirs
            from (select x.source, x.sku_id, x.location_id, x.channel_id, x.external_no, x.line_no, sum(x.open_quantity) as open
                    from outside_allocation x where x.quantity > 0 and x.open_quantity > 0 and x.line_no is not null
                   group by x.source, x.sku_id, x.location_id, x.channel_id, x.external_no, x.line_no) s
           group by s.sku_id, s.location_id, s.channel_id, s.external_no, s.line_no) t
    left join sales_order o on o.channel_id = t.channel_id and o.external_no = t.external_no
    left join lateral (select coalesce(sum(a.open_quantity), 0)::bigint as ours from allocation a
                        where a.order_id = o.order_id and a.line_no = t.line_no and a.sku_id = t.sku_id
                          and a.location_id = t.location_id) a on true
  union all
  select x.sku_id, x.location_id, null, null, null, null, x.open_quantity, 0, x.open_quantity
    from outside_allocation x where x.quantity > 0 and x.open_quantity > 0 and x.line_no is null
$function$

CREATE OR REPLACE FUNCTION public.over_credited(invoiced numeric, credited numeric, whole numeric)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN ((credited <> (0)::numeric) AND (((invoiced - credited) * sign(whole)) < (0)::numeric))

CREATE OR REPLACE FUNCTION public.reference_ending()
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN (SELECT hub.reference_ending FROM hub)

CREATE OR REPLACE FUNCTION public.return_reference(return_id bigint)
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN (('R'::text || (return_id)::text) || reference_ending())

CREATE OR REPLACE FUNCTION public.servable_units(p_order_id bigint, p_sku_id bigint, p_location_ids integer[], p_share double precision, p_cap bigint, p_buffer bigint)
 RETURNS bigint
 LANGUAGE sql
 STABLE
AS $function$
  select (greatest(sum(t.own), least(coalesce(p_cap, 9223372036854775807),
                                     sum(greatest(t.own, floor(p_share * greatest(0, t.free + t.own)))) - p_buffer)) - sum(t.own))::bigint
    from (select b.on_hand - b.reserved - b.allocated - b.exposed - b.safety_stock - b.outside_deducted as free,
                 coalesce(a.quantity, 0)::float8 as own
            from stock_balance b
            left join lateral (select sum(open_quantity) as quantity from allocation
                                where order_id = p_order_id and sku_id = b.sku_id and location_id = b.location_id) a on true
           where b.sku_id = p_sku_id and b.location_id = any(p_location_ids)) t
$function$

CREATE OR REPLACE FUNCTION public.set_servable(p_order_id bigint, p_set_no integer, p_location_ids integer[])
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  select min((l.has + least(l.waiting, l.free)) / l.per_unit) > min(l.has / l.per_unit)
    from (select per_unit, picked + allocated - cancel_asked as has, backordered - held as waiting,
                 coalesce((select sum(greatest(0, b.on_hand - b.reserved - b.allocated - b.exposed - b.safety_stock - b.outside_deducted))
                             from stock_balance b where b.sku_id = order_line.sku_id and b.location_id = any(p_location_ids)), 0) as free
            from order_line where order_id = p_order_id and stands_for is not null and set_no = p_set_no) l
$function$

CREATE OR REPLACE FUNCTION public.tax_from_end(tax bigint, quantity bigint, accepted bigint, units bigint)
 RETURNS numeric
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN (round((((tax)::numeric * (accepted)::numeric) / (quantity)::numeric)) - round((((tax)::numeric * ((accepted - units))::numeric) / (quantity)::numeric)))

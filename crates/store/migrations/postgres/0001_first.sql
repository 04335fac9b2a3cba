CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE profile (
  id TEXT COLLATE "C" PRIMARY KEY, username TEXT NOT NULL UNIQUE, first_name TEXT NOT NULL, last_name TEXT NOT NULL,
  created_at BIGINT NOT NULL, archived_at BIGINT
);

CREATE TABLE granted_right (
  principal_kind TEXT NOT NULL, principal_id TEXT NOT NULL, right_code TEXT NOT NULL, context TEXT NOT NULL,
  granted_at BIGINT NOT NULL,
  PRIMARY KEY (principal_kind, principal_id, right_code, context)
);

CREATE TABLE application (
  id TEXT COLLATE "C" PRIMARY KEY, client_id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, name_folded TEXT COLLATE "C" NOT NULL, description TEXT,
  email TEXT, default_external_picture TEXT, owner_profile_id TEXT, owner_application_id TEXT,
  created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, archived_at BIGINT,
  client_credentials BIGINT NOT NULL, code_flow BIGINT NOT NULL, code_redirect_uris TEXT, pkce_required BIGINT NOT NULL,
  public_clients_allowed BIGINT NOT NULL, implicit_flow BIGINT NOT NULL, implicit_redirect_uris TEXT,
  endpoint_url TEXT, endpoint_ssl_verification BIGINT NOT NULL, authentication TEXT NOT NULL, basic_username TEXT,
  tokens_not_before BIGINT NOT NULL, revision BIGINT NOT NULL,
  CHECK ((owner_profile_id IS NULL) <> (owner_application_id IS NULL))
);

CREATE TABLE secret (
  owner_id TEXT NOT NULL, kind TEXT NOT NULL, sealed TEXT NOT NULL, tag TEXT NOT NULL,
  PRIMARY KEY (owner_id, kind)
);

CREATE TABLE application_key (
  id TEXT COLLATE "C" PRIMARY KEY, application_id TEXT COLLATE "C" NOT NULL REFERENCES application (id), sealed TEXT NOT NULL,
  n TEXT NOT NULL, e TEXT NOT NULL, created_at BIGINT NOT NULL
);
CREATE INDEX application_key_order ON application_key (application_id, created_at, id);

CREATE TABLE server_key (
  id TEXT COLLATE "C" PRIMARY KEY, sealed TEXT NOT NULL, n TEXT NOT NULL, e TEXT NOT NULL, state TEXT NOT NULL, created_at BIGINT NOT NULL
);

CREATE TABLE token (
  hash TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, principal_kind TEXT NOT NULL, principal_id TEXT NOT NULL,
  name TEXT NOT NULL, scope TEXT NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT, revoked_at BIGINT
);
CREATE INDEX token_principal ON token (principal_kind, principal_id);

CREATE TABLE one_time_link (
  hash TEXT PRIMARY KEY, purpose TEXT NOT NULL, profile_id TEXT NOT NULL REFERENCES profile (id),
  created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, used_at BIGINT
);

CREATE TABLE webhook (
  id TEXT COLLATE "C" PRIMARY KEY, application_id TEXT COLLATE "C" NOT NULL REFERENCES application (id), name TEXT NOT NULL, name_folded TEXT COLLATE "C" NOT NULL,
  description TEXT, endpoint_url TEXT, endpoint_ssl_verification BIGINT NOT NULL, authentication TEXT, basic_username TEXT,
  enabled BIGINT NOT NULL, accepted_codes TEXT NOT NULL, retries BIGINT NOT NULL, created_at BIGINT NOT NULL,
  archived_at BIGINT, revision BIGINT NOT NULL
);
CREATE INDEX webhook_application ON webhook (application_id, id);

CREATE TABLE subscription (
  id TEXT COLLATE "C" PRIMARY KEY, webhook_id TEXT NOT NULL REFERENCES webhook (id), name TEXT NOT NULL, enabled BIGINT NOT NULL,
  subject TEXT NOT NULL, position BIGINT NOT NULL
);
CREATE INDEX subscription_webhook ON subscription (webhook_id, position);

CREATE TABLE subscription_event (
  subscription_id TEXT NOT NULL REFERENCES subscription (id), event_type TEXT NOT NULL, position BIGINT NOT NULL,
  PRIMARY KEY (subscription_id, event_type)
);
CREATE INDEX subscription_event_type ON subscription_event (event_type, subscription_id);

CREATE TABLE event (
  id TEXT COLLATE "C" PRIMARY KEY, subject TEXT NOT NULL, event_type TEXT NOT NULL, context TEXT NOT NULL, occurred_at BIGINT NOT NULL,
  received_at BIGINT NOT NULL, payload TEXT NOT NULL, attributes TEXT, deliveries BIGINT NOT NULL
);

CREATE TABLE delivery (
  id TEXT COLLATE "C" PRIMARY KEY, event_id TEXT NOT NULL, webhook_id TEXT NOT NULL, application_id TEXT COLLATE "C" NOT NULL, state TEXT NOT NULL,
  attempts BIGINT NOT NULL, due_at BIGINT NOT NULL, created_at BIGINT NOT NULL, finished_at BIGINT
);
CREATE INDEX delivery_open ON delivery (application_id, due_at) WHERE finished_at IS NULL;

CREATE TABLE attempt (
  delivery_id TEXT NOT NULL, number BIGINT NOT NULL, webhook_id TEXT NOT NULL, started_at BIGINT NOT NULL,
  duration_ms BIGINT NOT NULL, status BIGINT, error_kind TEXT, message TEXT, response_headers TEXT, response_body TEXT,
  complete BIGINT NOT NULL, delivered BIGINT NOT NULL,
  PRIMARY KEY (delivery_id, number)
);
CREATE INDEX attempt_webhook ON attempt (webhook_id, started_at);

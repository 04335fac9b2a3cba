CREATE TABLE audit_entry (
  id TEXT COLLATE "C" PRIMARY KEY, at BIGINT NOT NULL, actor_kind TEXT, actor_id TEXT, credential TEXT NOT NULL, token_id TEXT,
  operation TEXT NOT NULL, request TEXT NOT NULL, target_kind TEXT NOT NULL, target_id TEXT NOT NULL, application_id TEXT,
  comment TEXT
);
CREATE INDEX audit_entry_application ON audit_entry (application_id, id);
CREATE INDEX audit_entry_actor ON audit_entry (actor_id, id);
CREATE INDEX audit_entry_at ON audit_entry (at);

CREATE TABLE audit_change (
  entry_id TEXT COLLATE "C" NOT NULL REFERENCES audit_entry (id) ON DELETE CASCADE, position BIGINT NOT NULL, field TEXT NOT NULL, old_value TEXT,
  new_value TEXT, secret BIGINT NOT NULL,
  PRIMARY KEY (entry_id, position)
);

CREATE TABLE previous_secret (
  owner_id TEXT NOT NULL, kind TEXT NOT NULL, sealed TEXT NOT NULL, tag TEXT NOT NULL, valid_until BIGINT NOT NULL DEFAULT 0,
  stamp BIGINT NOT NULL DEFAULT 0, next_stamp BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (owner_id, kind)
);
CREATE INDEX previous_secret_end ON previous_secret (valid_until);

CREATE INDEX event_received ON event (received_at);
CREATE INDEX token_expiry ON token (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX token_revocation ON token (revoked_at) WHERE revoked_at IS NOT NULL;

ALTER TABLE audit_entry ADD COLUMN through_id TEXT;
CREATE INDEX audit_entry_token ON audit_entry (token_id) WHERE token_id IS NOT NULL;
CREATE INDEX audit_entry_operation ON audit_entry (operation, id);
CREATE INDEX audit_entry_target ON audit_entry (target_id, id);

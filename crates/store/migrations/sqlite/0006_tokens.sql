CREATE TABLE parameter (
  application_id TEXT NOT NULL REFERENCES application (id), profile_id TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (application_id, profile_id, name)
);

CREATE TABLE upload (
  hash TEXT PRIMARY KEY, owner_kind TEXT NOT NULL, owner_id TEXT NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL
);
CREATE INDEX upload_owner ON upload (owner_kind, owner_id, expires_at);
CREATE INDEX upload_expires ON upload (expires_at);

CREATE TABLE attachment (
  id TEXT PRIMARY KEY, owner_kind TEXT NOT NULL, owner_id TEXT NOT NULL, file_name TEXT NOT NULL, media_type TEXT NOT NULL,
  size BIGINT NOT NULL, digest TEXT NOT NULL, created_at BIGINT NOT NULL, unused_since BIGINT, content BLOB NOT NULL
);
CREATE INDEX attachment_unused ON attachment (unused_since) WHERE unused_since IS NOT NULL;
CREATE INDEX attachment_owner_unused ON attachment (owner_kind, owner_id) WHERE unused_since IS NOT NULL;

ALTER TABLE token ADD COLUMN last_access_at BIGINT;
ALTER TABLE token ADD COLUMN last_access_address TEXT;
ALTER TABLE token ADD COLUMN last_access_user_agent TEXT;

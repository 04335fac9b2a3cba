ALTER TABLE server_key ADD COLUMN algorithm TEXT NOT NULL DEFAULT 'RS512';
ALTER TABLE server_key ADD COLUMN changed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE server_key DROP COLUMN n;
ALTER TABLE server_key DROP COLUMN e;
CREATE UNIQUE INDEX server_key_in_use ON server_key (state) WHERE state <> 'retired';

CREATE TABLE consent (
  id TEXT PRIMARY KEY, profile_id TEXT NOT NULL, application_id TEXT NOT NULL, created_at BIGINT NOT NULL,
  UNIQUE (profile_id, application_id)
);

CREATE TABLE approved_scope (
  id TEXT PRIMARY KEY, consent_id TEXT NOT NULL REFERENCES consent (id) ON DELETE CASCADE, scope TEXT NOT NULL,
  offline_allowed BIGINT NOT NULL, created_at BIGINT NOT NULL,
  UNIQUE (consent_id, scope)
);

CREATE TABLE authorization_code (
  hash TEXT PRIMARY KEY, application_id TEXT NOT NULL, profile_id TEXT NOT NULL, redirect_uri TEXT NOT NULL, scope TEXT NOT NULL,
  challenge TEXT, challenge_method TEXT, offline BIGINT NOT NULL, delegation_id TEXT NOT NULL, stamp BIGINT NOT NULL,
  expires_at BIGINT NOT NULL, used_at BIGINT
);
CREATE INDEX authorization_code_expiry ON authorization_code (expires_at);
CREATE INDEX authorization_code_parties ON authorization_code (profile_id, application_id);

CREATE TABLE delegation (
  id TEXT PRIMARY KEY, application_id TEXT NOT NULL, profile_id TEXT NOT NULL, scope TEXT NOT NULL, client_kind TEXT NOT NULL,
  stamp BIGINT NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, revoked_at BIGINT
);
CREATE INDEX delegation_parties ON delegation (profile_id, application_id, created_at);
CREATE INDEX delegation_expiry ON delegation (expires_at);

CREATE TABLE refresh_token (
  hash TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, delegation_id TEXT NOT NULL REFERENCES delegation (id) ON DELETE CASCADE,
  created_at BIGINT NOT NULL, last_used_at BIGINT, last_used_from TEXT, spent_at BIGINT
);
CREATE INDEX refresh_token_delegation ON refresh_token (delegation_id);

CREATE TABLE revoked_access_token (token_id TEXT PRIMARY KEY, expires_at BIGINT NOT NULL);
CREATE INDEX revoked_access_token_expiry ON revoked_access_token (expires_at);

CREATE TABLE account (
  profile_id TEXT PRIMARY KEY REFERENCES profile (id), password_hash TEXT NOT NULL, changed_at BIGINT NOT NULL
);

CREATE TABLE browser_session (
  hash TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, profile_id TEXT NOT NULL, created_at BIGINT NOT NULL, last_seen_at BIGINT NOT NULL
);
CREATE INDEX browser_session_profile ON browser_session (profile_id);
CREATE INDEX browser_session_age ON browser_session (created_at)

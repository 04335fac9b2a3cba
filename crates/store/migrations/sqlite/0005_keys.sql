CREATE TABLE gpg_key (
  fingerprint TEXT PRIMARY KEY, application_id TEXT NOT NULL REFERENCES application (id), public_key TEXT NOT NULL, comment TEXT NOT NULL,
  created_at BIGINT NOT NULL, added_at BIGINT NOT NULL, expires_at BIGINT, revoked_at BIGINT, revoke_comment TEXT
);
CREATE INDEX gpg_key_application ON gpg_key (application_id, added_at, fingerprint);

CREATE TABLE gpg_key_user_id (
  fingerprint TEXT NOT NULL REFERENCES gpg_key (fingerprint) ON DELETE CASCADE, position BIGINT NOT NULL, user_id TEXT NOT NULL,
  PRIMARY KEY (fingerprint, position)
);

CREATE TABLE ssh_key (
  sha256_fingerprint TEXT PRIMARY KEY, md5_fingerprint TEXT NOT NULL UNIQUE, application_id TEXT NOT NULL REFERENCES application (id),
  public_key TEXT NOT NULL, comment TEXT NOT NULL, added_at BIGINT NOT NULL
);
CREATE INDEX ssh_key_application ON ssh_key (application_id, added_at, sha256_fingerprint);

CREATE TABLE ssl_keystore (
  name TEXT PRIMARY KEY, certificates TEXT NOT NULL, sealed TEXT NOT NULL, subject TEXT NOT NULL, issuer TEXT NOT NULL,
  valid_from BIGINT NOT NULL, valid_until BIGINT NOT NULL, fingerprint TEXT NOT NULL, created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

ALTER TABLE webhook ADD COLUMN ssl_keystore TEXT;

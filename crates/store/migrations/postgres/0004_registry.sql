ALTER TABLE application ADD COLUMN picture_id TEXT;
ALTER TABLE application ADD COLUMN verification_token BIGINT NOT NULL DEFAULT 0;
ALTER TABLE application ADD COLUMN ssl_keystore TEXT;
ALTER TABLE application ADD COLUMN featured_integration TEXT;
ALTER TABLE application ADD COLUMN connected BIGINT NOT NULL DEFAULT 0;
ALTER TABLE application ADD COLUMN marketplace_id TEXT;
ALTER TABLE application ADD COLUMN connection_status TEXT;
ALTER TABLE application ADD COLUMN last_sent_server_url TEXT;
ALTER TABLE application ADD COLUMN uninstallation_status TEXT;
ALTER TABLE application ADD COLUMN uninstallation_started_at BIGINT;
ALTER TABLE application ADD COLUMN external_issue_tracker_domain TEXT;
ALTER TABLE application ADD COLUMN error_message TEXT;
ALTER TABLE application ADD COLUMN healthy_at BIGINT;

CREATE INDEX application_name ON application (name_folded, id);
CREATE INDEX application_updated ON application (updated_at, id);
CREATE INDEX application_owner_profile ON application (owner_profile_id);
CREATE INDEX application_owner_application ON application (owner_application_id);

CREATE TABLE client_credentials_access (
  application_id TEXT COLLATE "C" PRIMARY KEY REFERENCES application (id), at BIGINT NOT NULL, address TEXT NOT NULL, user_agent TEXT
);

CREATE TABLE application_place (
  application_id TEXT COLLATE "C" NOT NULL REFERENCES application (id), name_folded TEXT COLLATE "C" NOT NULL, updated_at BIGINT NOT NULL,
  until BIGINT NOT NULL,
  PRIMARY KEY (application_id, until)
);
CREATE INDEX application_place_until ON application_place (until);

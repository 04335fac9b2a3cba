CREATE TABLE previous_secret (
  owner_id TEXT NOT NULL, kind TEXT NOT NULL, sealed TEXT NOT NULL, tag TEXT NOT NULL, valid_until BIGINT NOT NULL DEFAULT 0,
  stamp BIGINT NOT NULL DEFAULT 0, next_stamp BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (owner_id, kind)
);
CREATE INDEX previous_secret_end ON previous_secret (valid_until);

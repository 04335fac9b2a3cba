CREATE TABLE custom_header (
  webhook_id TEXT NOT NULL REFERENCES webhook (id), name TEXT NOT NULL, position BIGINT NOT NULL, sealed TEXT NOT NULL,
  description TEXT,
  PRIMARY KEY (webhook_id, name)
);

CREATE TABLE custom_header (
  webhook_id TEXT COLLATE "C" NOT NULL REFERENCES webhook (id), name TEXT COLLATE "C" NOT NULL, position BIGINT NOT NULL, sealed TEXT NOT NULL,
  description TEXT,
  PRIMARY KEY (webhook_id, name)
);

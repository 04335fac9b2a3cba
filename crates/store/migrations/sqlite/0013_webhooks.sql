CREATE TABLE custom_header (
  webhook_id TEXT NOT NULL REFERENCES webhook (id), name TEXT NOT NULL, position BIGINT NOT NULL, sealed TEXT NOT NULL,
  description TEXT,
  PRIMARY KEY (webhook_id, name)
);

CREATE TABLE subscription_filter (
  subscription_id TEXT NOT NULL REFERENCES subscription (id), position BIGINT NOT NULL, class TEXT NOT NULL,
  PRIMARY KEY (subscription_id, position)
);
CREATE TABLE subscription_filter_value (
  subscription_id TEXT NOT NULL REFERENCES subscription (id), position BIGINT NOT NULL, field TEXT NOT NULL,
  number BIGINT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (subscription_id, position, field, number)
);

ALTER TABLE webhook ADD COLUMN payload_fields TEXT;
ALTER TABLE webhook ADD COLUMN payload_template TEXT;

INSERT INTO revision (name, number) VALUES ('subscriptions', 1);

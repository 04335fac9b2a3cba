ALTER TABLE attempt ADD COLUMN url TEXT;
ALTER TABLE attempt ADD COLUMN request_headers TEXT;
ALTER TABLE attempt ADD COLUMN request_body TEXT;

ALTER TABLE delivery ADD COLUMN tried_before BIGINT NOT NULL DEFAULT 0;
CREATE INDEX delivery_application ON delivery (application_id, id);
CREATE INDEX delivery_given_up ON delivery (application_id, id) WHERE state = 'given_up';

ALTER TABLE webhook ADD COLUMN retry_delays TEXT;
ALTER TABLE webhook ADD COLUMN ordered BIGINT NOT NULL DEFAULT 0;
ALTER TABLE webhook ADD COLUMN most_in_flight BIGINT;
ALTER TABLE webhook ADD COLUMN most_per_minute BIGINT;

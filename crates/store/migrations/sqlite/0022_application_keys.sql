ALTER TABLE application_key ADD COLUMN retires_at BIGINT;

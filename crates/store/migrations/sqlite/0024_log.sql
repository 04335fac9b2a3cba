CREATE TABLE dispatch_attempt (
  id TEXT PRIMARY KEY, dispatch_id TEXT NOT NULL, number BIGINT NOT NULL,
  application_id TEXT NOT NULL REFERENCES application (id), class TEXT NOT NULL, started_at BIGINT NOT NULL,
  delivered BIGINT NOT NULL, duration_ms BIGINT NOT NULL, url TEXT, request_headers TEXT, status BIGINT, error_kind TEXT, message TEXT,
  complete BIGINT NOT NULL, request_body_sealed TEXT, response_headers_sealed TEXT, response_body_sealed TEXT
);
CREATE INDEX dispatch_attempt_application ON dispatch_attempt (application_id, started_at);
CREATE INDEX dispatch_attempt_started ON dispatch_attempt (started_at);
CREATE INDEX dispatch_attempt_kept ON dispatch_attempt (started_at) WHERE request_headers IS NOT NULL;

ALTER TABLE attempt ADD COLUMN late BIGINT NOT NULL DEFAULT 0;
UPDATE attempt SET late = 1 WHERE request_headers IS NOT NULL AND EXISTS (
  SELECT 1 FROM delivery d WHERE d.id = attempt.delivery_id AND attempt.started_at - d.created_at > 1800000);
CREATE INDEX attempt_late ON attempt (started_at) WHERE late = 1 AND request_headers IS NOT NULL;

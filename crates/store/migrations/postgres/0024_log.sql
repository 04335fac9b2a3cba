CREATE TABLE dispatch_attempt (
  id TEXT COLLATE "C" PRIMARY KEY, dispatch_id TEXT COLLATE "C" NOT NULL, number BIGINT NOT NULL,
  application_id TEXT COLLATE "C" NOT NULL REFERENCES application (id), class TEXT NOT NULL, started_at BIGINT NOT NULL,
  delivered BIGINT NOT NULL, duration_ms BIGINT NOT NULL, url TEXT, request_headers TEXT, status BIGINT, error_kind TEXT, message TEXT,
  complete BIGINT NOT NULL, request_body_sealed TEXT, response_headers_sealed TEXT, response_body_sealed TEXT
);
CREATE INDEX dispatch_attempt_application ON dispatch_attempt (application_id, started_at);
CREATE INDEX dispatch_attempt_started ON dispatch_attempt (started_at);
CREATE INDEX dispatch_attempt_kept ON dispatch_attempt (started_at) WHERE request_headers IS NOT NULL;

CREATE TABLE dispatch (
  id TEXT COLLATE "C" PRIMARY KEY, application_id TEXT COLLATE "C" NOT NULL REFERENCES application (id), class TEXT NOT NULL, in_order BIGINT NOT NULL,
  server_url TEXT, sealed TEXT NOT NULL, state TEXT NOT NULL, attempts BIGINT NOT NULL, due_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL, finished_at BIGINT, tried_at BIGINT, duration_ms BIGINT, status BIGINT, error_kind TEXT, message TEXT
);
CREATE INDEX dispatch_open ON dispatch (application_id, id) WHERE finished_at IS NULL;
CREATE INDEX dispatch_application ON dispatch (application_id, id);

ALTER TABLE application_key ADD COLUMN signs_from BIGINT NOT NULL DEFAULT 0;

CREATE TABLE trusted_certificate (
  id TEXT COLLATE "C" PRIMARY KEY, alias TEXT NOT NULL UNIQUE, certificate TEXT NOT NULL, archived BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);

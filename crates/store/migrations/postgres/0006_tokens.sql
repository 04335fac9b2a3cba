CREATE TABLE parameter (
  application_id TEXT NOT NULL REFERENCES application (id), profile_id TEXT NOT NULL, name TEXT COLLATE "C" NOT NULL, value TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (application_id, profile_id, name)
);

CREATE TABLE ui_extension (
  application_id TEXT NOT NULL REFERENCES application (id), context TEXT NOT NULL, extensions TEXT NOT NULL, updated_at BIGINT NOT NULL,
  PRIMARY KEY (application_id, context)
);

CREATE TABLE ui_extension (
  application_id TEXT COLLATE "C" NOT NULL REFERENCES application (id), context TEXT COLLATE "C" NOT NULL, extensions TEXT NOT NULL, updated_at BIGINT NOT NULL,
  PRIMARY KEY (application_id, context)
);

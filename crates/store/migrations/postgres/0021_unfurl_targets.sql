CREATE TABLE unfurl_target (
  application_id TEXT COLLATE "C" NOT NULL REFERENCES application (id), kind TEXT COLLATE "C" NOT NULL, name TEXT COLLATE "C" NOT NULL, position BIGINT NOT NULL,
  link TEXT, status TEXT NOT NULL, author_kind TEXT, author_id TEXT, modified_at BIGINT NOT NULL,
  PRIMARY KEY (application_id, kind, name)
);

CREATE TABLE revision (name TEXT PRIMARY KEY, number BIGINT NOT NULL);
INSERT INTO revision (name, number) VALUES ('rights', 1), ('catalogue', 1);

CREATE TABLE authorized_right (
  application_id TEXT NOT NULL, context TEXT NOT NULL, right_code TEXT NOT NULL, status TEXT NOT NULL, author_kind TEXT,
  author_id TEXT, modified_at BIGINT NOT NULL,
  PRIMARY KEY (application_id, context, right_code)
);
CREATE INDEX authorized_right_context ON authorized_right (context, application_id);
INSERT INTO authorized_right (application_id, context, right_code, status, modified_at)
  SELECT principal_id, context, right_code, 'GRANTED', granted_at FROM granted_right WHERE principal_kind = 'application';
DELETE FROM granted_right WHERE principal_kind = 'application';

CREATE TABLE required_right (
  application_id TEXT NOT NULL, right_code TEXT NOT NULL, added_at BIGINT NOT NULL,
  PRIMARY KEY (application_id, right_code)
);

CREATE TABLE catalogue_right (
  code TEXT PRIMARY KEY, title TEXT NOT NULL, description TEXT NOT NULL, target TEXT NOT NULL, heading TEXT NOT NULL,
  dependencies TEXT NOT NULL
);

ALTER TABLE event ADD COLUMN rights TEXT NOT NULL DEFAULT '';
ALTER TABLE event ADD COLUMN outer_context TEXT;
ALTER TABLE event ADD COLUMN about TEXT;

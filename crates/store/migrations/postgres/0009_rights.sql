CREATE TABLE revision (name TEXT PRIMARY KEY, number BIGINT NOT NULL);
INSERT INTO revision (name, number) VALUES ('rights', 1);

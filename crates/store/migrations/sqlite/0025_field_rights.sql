CREATE TABLE catalogue_field_right (
  event_type TEXT NOT NULL, place BIGINT NOT NULL, path TEXT NOT NULL, right_code TEXT NOT NULL,
  PRIMARY KEY (event_type, place)
);

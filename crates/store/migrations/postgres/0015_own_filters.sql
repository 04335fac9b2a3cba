CREATE TABLE catalogue_filter (class_name TEXT PRIMARY KEY, subjects TEXT NOT NULL, definition TEXT NOT NULL);

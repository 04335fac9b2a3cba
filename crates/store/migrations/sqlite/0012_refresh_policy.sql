-- Applications whose refresh tokens are not kept as usual.
CREATE TABLE refresh_policy (application_id TEXT PRIMARY KEY, rotation TEXT NOT NULL)

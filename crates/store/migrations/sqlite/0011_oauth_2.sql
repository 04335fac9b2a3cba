-- What the code flow, delegations and browser sessions turned out to need. Their tables were empty before this step.
ALTER TABLE authorization_code RENAME COLUMN stamp TO issued_at;

ALTER TABLE delegation DROP COLUMN stamp;

ALTER TABLE browser_session ADD COLUMN via TEXT NOT NULL DEFAULT 'password'

-- From when on a webhook's failures count: somebody switched it on or changed where it leads.
ALTER TABLE webhook ADD COLUMN patience_from BIGINT NOT NULL DEFAULT 0;

-- +goose Up

-- The governing records of every dataset as plain columns, so that law can be
-- asked about all datasets at once. They are kept in the transactions that
-- change the records; layout 0 has not been filled in yet.
ALTER TABLE consent_datasets ADD COLUMN who BIGINT NOT NULL DEFAULT 0; -- the member, as a number
ALTER TABLE consent_datasets ADD COLUMN layout BIGINT NOT NULL DEFAULT 0;
ALTER TABLE consent_datasets ADD COLUMN holds BIGINT NOT NULL DEFAULT 0; -- its categories, as a part
ALTER TABLE consent_datasets ADD COLUMN effect TEXT NOT NULL DEFAULT '';
ALTER TABLE consent_datasets ADD COLUMN paused BIGINT NOT NULL DEFAULT 0 CHECK (paused IN (0, 1));
ALTER TABLE consent_datasets ADD COLUMN commercial BIGINT NOT NULL DEFAULT 0 CHECK (commercial IN (0, 1));
ALTER TABLE consent_datasets ADD COLUMN not_before BIGINT NOT NULL DEFAULT 0;
ALTER TABLE consent_datasets ADD COLUMN expires BIGINT NOT NULL DEFAULT 0;
ALTER TABLE consent_datasets ADD COLUMN withdrawn BIGINT NOT NULL DEFAULT 0;
ALTER TABLE consent_datasets ADD COLUMN min_price BIGINT NOT NULL DEFAULT 0;
ALTER TABLE consent_datasets ADD COLUMN later TEXT NOT NULL DEFAULT '';
ALTER TABLE consent_datasets ADD COLUMN later_purposes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE consent_datasets ADD COLUMN purposes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE consent_datasets ADD COLUMN excepted BIGINT NOT NULL DEFAULT 0;
ALTER TABLE consent_datasets ADD COLUMN dpv BIGINT NOT NULL DEFAULT 0;
ALTER TABLE consent_datasets ADD COLUMN kinds BIGINT NOT NULL DEFAULT 0;
ALTER TABLE consent_datasets ADD COLUMN regions BIGINT NOT NULL DEFAULT 0;
ALTER TABLE consent_datasets ADD COLUMN limits BIGINT NOT NULL DEFAULT 0;
CREATE INDEX consent_datasets_member ON consent_datasets (member, pool);

-- Append-only: the lists and limits that records hold, each once. 0 is none.
CREATE TABLE consent_parts (
    id   BIGINT NOT NULL PRIMARY KEY CHECK (id > 0),
    kind TEXT   NOT NULL,
    body TEXT   NOT NULL, -- canonical JSON
    UNIQUE (kind, body)
);

-- Members as numbers, for counting them.
CREATE TABLE consent_members (
    who    BIGINT NOT NULL PRIMARY KEY CHECK (who > 0),
    member TEXT   NOT NULL UNIQUE
);

-- +goose Up

-- The position of the newest event: every record, pause, enrolment, closing,
-- answer and use takes the next. What a cohort was decided on is what there was
-- at its position.
CREATE TABLE consent_head (
    id  BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    seq BIGINT NOT NULL CHECK (seq >= 0)
);
INSERT INTO consent_head (id, seq) SELECT 1, coalesce(max(said.seq), 0) FROM
    (SELECT max(seq) AS seq FROM consent_records UNION ALL SELECT max(seq) AS seq FROM consent_pauses) AS said;
ALTER TABLE consent_datasets ADD COLUMN enrolled BIGINT NOT NULL DEFAULT 0; -- positions; 0 from before there were any
ALTER TABLE consent_datasets ADD COLUMN closing BIGINT NOT NULL DEFAULT 0;
ALTER TABLE consent_used ADD COLUMN seq BIGINT NOT NULL DEFAULT 0;
CREATE INDEX consent_used_dataset ON consent_used (dataset, seq);

-- Append-only: everything members said about single requests.
CREATE TABLE consent_answers (
    request TEXT   NOT NULL,
    dataset TEXT   NOT NULL,
    seq     BIGINT NOT NULL CHECK (seq >= 0),
    answer  TEXT   NOT NULL CHECK (answer IN ('yes', 'no')),
    at      BIGINT NOT NULL,
    PRIMARY KEY (request, dataset, seq)
);
INSERT INTO consent_answers (request, dataset, seq, answer, at)
    SELECT request, dataset, 0, answer, answered_at FROM consent_questions WHERE answer <> '';

-- A cohort from now on has one record for all its datasets. seq is its place
-- among decisions; cohorts from before have 0, and a decision for each dataset.
ALTER TABLE consent_cohorts ADD COLUMN seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE consent_cohorts ADD COLUMN question TEXT NOT NULL DEFAULT ''; -- canonical JSON: the request as the law read it
ALTER TABLE consent_cohorts ADD COLUMN question_sha256 TEXT NOT NULL DEFAULT '';
ALTER TABLE consent_cohorts ADD COLUMN filter TEXT NOT NULL DEFAULT ''; -- canonical JSON: the law as conditions on rows; or class-wise, or sealed
ALTER TABLE consent_cohorts ADD COLUMN counts TEXT NOT NULL DEFAULT ''; -- canonical JSON
CREATE INDEX consent_cohorts_seq ON consent_cohorts (seq);
CREATE INDEX consent_cohorts_request ON consent_cohorts (request, at);

-- Append-only: what a cohort answered about each dataset, as reason bits. law
-- numbers the conditions of its filter; -1 is by itself.
CREATE TABLE consent_outcomes (
    cohort  BIGINT NOT NULL, -- seq of it
    dataset TEXT   NOT NULL,
    who     BIGINT NOT NULL, -- the member, as a number
    law     BIGINT NOT NULL,
    bits    BIGINT NOT NULL,
    PRIMARY KEY (cohort, dataset)
) WITHOUT ROWID;

-- Append-only: what the bits of a cohort mean.
CREATE TABLE consent_verdicts (
    cohort  BIGINT NOT NULL,
    law     BIGINT NOT NULL,
    bits    BIGINT NOT NULL,
    allow   BIGINT NOT NULL CHECK (allow IN (0, 1)),
    outcome TEXT   NOT NULL, -- canonical JSON
    PRIMARY KEY (cohort, law, bits)
);

-- +goose Up

-- A third stage: members who keep their own keys answer for single requests. A
-- CHECK cannot be changed in place everywhere, so the table is made anew.
CREATE TABLE consent_decisions_staged (
    seq          BIGINT NOT NULL PRIMARY KEY CHECK (seq > 0),
    id           TEXT   NOT NULL UNIQUE,
    cohort       TEXT   NOT NULL,
    request      TEXT   NOT NULL,
    researcher   TEXT   NOT NULL,
    dataset      TEXT   NOT NULL,
    member       TEXT   NOT NULL,
    pool         TEXT   NOT NULL,
    duo          TEXT   NOT NULL,
    dpv          TEXT   NOT NULL,
    stage        TEXT   NOT NULL CHECK (stage IN ('request', 'approval', 'delivery')),
    allow        BIGINT NOT NULL CHECK (allow IN (0, 1)),
    needs_review BIGINT NOT NULL CHECK (needs_review IN (0, 1)),
    reasons      TEXT   NOT NULL, -- canonical JSON
    obligations  TEXT   NOT NULL, -- canonical JSON
    revision     TEXT   NOT NULL, -- '' while no law was in force
    input        TEXT   NOT NULL, -- canonical JSON: the question as the law read it
    input_sha256 TEXT   NOT NULL,
    at           BIGINT NOT NULL,
    consent_seq  BIGINT NOT NULL,
    leaf         BIGINT NOT NULL
);
INSERT INTO consent_decisions_staged
    SELECT seq, id, cohort, request, researcher, dataset, member, pool, duo, dpv, stage, allow, needs_review,
           reasons, obligations, revision, input, input_sha256, at, consent_seq, leaf
    FROM consent_decisions;
DROP TABLE consent_decisions;
ALTER TABLE consent_decisions_staged RENAME TO consent_decisions;
CREATE INDEX consent_decisions_member ON consent_decisions (member, seq);
CREATE INDEX consent_decisions_request ON consent_decisions (request, seq);
CREATE INDEX consent_decisions_cohort ON consent_decisions (cohort, dataset) WHERE cohort <> '';

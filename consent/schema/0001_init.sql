-- +goose Up

-- What there is to decide about: kept by vault through Enrol and Close.
CREATE TABLE consent_datasets (
    id         TEXT   NOT NULL PRIMARY KEY,
    member     TEXT   NOT NULL,
    pool       TEXT   NOT NULL,
    categories TEXT   NOT NULL, -- canonical JSON
    region     TEXT   NOT NULL,
    sealed     BIGINT NOT NULL CHECK (sealed > 0),
    closed     BIGINT NOT NULL CHECK (closed >= sealed)
);
CREATE INDEX consent_datasets_pool ON consent_datasets (pool, id);

-- Append-only. The newest row of a scope governs; dataset is '' for the pool.
CREATE TABLE consent_records (
    seq        BIGINT NOT NULL PRIMARY KEY CHECK (seq > 0),
    id         TEXT   NOT NULL UNIQUE,
    member     TEXT   NOT NULL,
    pool       TEXT   NOT NULL,
    dataset    TEXT   NOT NULL,
    effect     TEXT   NOT NULL CHECK (effect IN ('given', 'refused', 'withdrawn')),
    terms      TEXT   NOT NULL, -- canonical JSON
    not_before BIGINT NOT NULL,
    expires    BIGINT NOT NULL,
    withdrawn  BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    leaf       BIGINT NOT NULL
);
CREATE INDEX consent_records_scope ON consent_records (member, pool, dataset, seq);
CREATE INDEX consent_records_pool ON consent_records (pool, member, dataset, seq);

-- Append-only, numbered together with consent_records.
CREATE TABLE consent_pauses (
    seq    BIGINT NOT NULL PRIMARY KEY CHECK (seq > 0),
    member TEXT   NOT NULL,
    paused BIGINT NOT NULL CHECK (paused IN (0, 1)),
    at     BIGINT NOT NULL,
    leaf   BIGINT NOT NULL
);
CREATE INDEX consent_pauses_member ON consent_pauses (member, seq);

-- The law decisions were made under, whole, so that they can be replayed.
CREATE TABLE consent_revisions (
    hash    TEXT   NOT NULL PRIMARY KEY,
    archive BYTEA  NOT NULL,
    at      BIGINT NOT NULL
);

CREATE TABLE consent_cohorts (
    id          TEXT   NOT NULL PRIMARY KEY,
    request     TEXT   NOT NULL,
    pool        TEXT   NOT NULL,
    revision    TEXT   NOT NULL,
    granted     BIGINT NOT NULL CHECK (granted >= 0),
    refused     BIGINT NOT NULL CHECK (refused >= 0),
    digest      TEXT   NOT NULL,
    consent_seq BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    leaf        BIGINT NOT NULL
);

-- Append-only. cohort is '' for a delivery.
CREATE TABLE consent_decisions (
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
    stage        TEXT   NOT NULL CHECK (stage IN ('request', 'delivery')),
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
CREATE INDEX consent_decisions_member ON consent_decisions (member, seq);
CREATE INDEX consent_decisions_request ON consent_decisions (request, seq);
CREATE INDEX consent_decisions_cohort ON consent_decisions (cohort, dataset) WHERE cohort <> '';

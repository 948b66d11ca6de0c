-- +goose Up

-- What members are asked about single requests, and what they said. answer is ''
-- until they do.
CREATE TABLE consent_questions (
    request     TEXT   NOT NULL,
    dataset     TEXT   NOT NULL,
    member      TEXT   NOT NULL,
    decision    TEXT   NOT NULL, -- that put the question
    answer      TEXT   NOT NULL CHECK (answer IN ('', 'yes', 'no')),
    asked_at    BIGINT NOT NULL,
    answered_at BIGINT NOT NULL,
    PRIMARY KEY (request, dataset)
);
CREATE INDEX consent_questions_member ON consent_questions (member, asked_at);

-- Consent to one release that has been made. A second row of one record and
-- dataset cannot exist, and so neither can a second release.
CREATE TABLE consent_used (
    record   TEXT   NOT NULL,
    dataset  TEXT   NOT NULL,
    request  TEXT   NOT NULL,
    decision TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (record, dataset)
);

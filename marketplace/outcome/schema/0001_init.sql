-- +goose Up

-- What opened requests owe the members. Every one owes the deletion of its
-- copies; report is 1 where its terms promise members results as well.
CREATE TABLE outcome_duties (
    request    TEXT   NOT NULL PRIMARY KEY,
    researcher TEXT   NOT NULL,
    pool       TEXT   NOT NULL,
    report     BIGINT NOT NULL CHECK (report IN (0, 1)),
    deleted_at BIGINT NOT NULL DEFAULT 0  -- when the researcher last said that all copies are deleted
);
CREATE INDEX outcome_duties_researcher ON outcome_duties (researcher, request);

-- Append-only but for what a steward says of a report. The newest of a request
-- is its report.
CREATE TABLE outcome_reports (
    id            TEXT   NOT NULL PRIMARY KEY,
    request       TEXT   NOT NULL,
    researcher    TEXT   NOT NULL,
    pool          TEXT   NOT NULL,
    summary       TEXT   NOT NULL,
    link          TEXT   NOT NULL, -- '' for none
    at            BIGINT NOT NULL,
    hidden_at     BIGINT NOT NULL DEFAULT 0,
    hidden_by     TEXT   NOT NULL DEFAULT '',
    hidden_reason TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX outcome_reports_request ON outcome_reports (request, id);
CREATE INDEX outcome_reports_pool ON outcome_reports (pool, id);

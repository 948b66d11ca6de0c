-- +goose Up

-- Requests that people must say something about before they are decided.
CREATE TABLE review_requests (
    request TEXT   NOT NULL PRIMARY KEY,
    steward TEXT   NOT NULL CHECK (steward IN ('', 'asked', 'yes', 'no')), -- '' is not asked
    member  TEXT   NOT NULL, -- of the steward who said so
    until   BIGINT NOT NULL,
    said_at BIGINT NOT NULL
);

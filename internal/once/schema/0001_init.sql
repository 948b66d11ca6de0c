-- +goose Up
-- at is machine time in Unix milliseconds. An empty answer is one that its own
-- transaction is still working on.
CREATE TABLE once_answers (
    caller TEXT   NOT NULL,
    key    TEXT   NOT NULL,
    body   BYTEA  NOT NULL CHECK (length(body) = 32),
    answer BYTEA  NOT NULL,
    at     BIGINT NOT NULL,
    PRIMARY KEY (caller, key)
);

CREATE INDEX once_answers_at ON once_answers (at);

-- +goose Up

-- Whose login a code or token came from; empty for a program's own. When an
-- account is recovered or forgotten, what it had opened ends with it.
ALTER TABLE authserver_sessions ADD COLUMN subject TEXT NOT NULL DEFAULT '';

CREATE INDEX authserver_sessions_subject ON authserver_sessions (subject);

-- +goose Up

-- Whose a session is and when it began, so that a member can end all of them.
-- People sign in once more after this.
DROP TABLE web_sessions;
CREATE TABLE web_sessions (
    token      TEXT   NOT NULL PRIMARY KEY,
    data       BYTEA  NOT NULL,
    expires_at BIGINT NOT NULL,
    member     TEXT   NOT NULL,
    began_at   BIGINT NOT NULL
);
CREATE INDEX web_sessions_expires ON web_sessions (expires_at);
CREATE INDEX web_sessions_member ON web_sessions (member) WHERE member <> '';

CREATE TABLE web_sessions_ended (
    member   TEXT   NOT NULL PRIMARY KEY,
    ended_at BIGINT NOT NULL
);

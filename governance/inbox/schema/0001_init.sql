-- +goose Up

-- What members are told. audience is a member's id, 'office:' and an office, or
-- 'all'; what is for many is kept once.
CREATE TABLE inbox_items (
    id       TEXT   NOT NULL PRIMARY KEY,
    audience TEXT   NOT NULL,
    kind     TEXT   NOT NULL,
    ref      TEXT   NOT NULL,
    occasion TEXT   NOT NULL,
    about    TEXT   NOT NULL,
    until    BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    UNIQUE (audience, kind, ref, occasion)
);
CREATE INDEX inbox_items_audience ON inbox_items (audience, id);
CREATE INDEX inbox_items_at ON inbox_items (at);

-- Up to which item a member has read everything, and how often they asked for a
-- letter that confirms an address since asked_at.
CREATE TABLE inbox_marks (
    member   TEXT   NOT NULL PRIMARY KEY,
    through  TEXT   NOT NULL DEFAULT '',
    asked_at BIGINT NOT NULL DEFAULT 0,
    asks     BIGINT NOT NULL DEFAULT 0
);

-- What a member has read beyond that.
CREATE TABLE inbox_reads (
    member TEXT NOT NULL,
    item   TEXT NOT NULL,
    PRIMARY KEY (member, item)
);

-- E-mail addresses, here and nowhere else. A row is gone when its member
-- unsubscribes or leaves.
CREATE TABLE inbox_addresses (
    id           TEXT   NOT NULL PRIMARY KEY, -- what links in letters name
    member       TEXT   NOT NULL UNIQUE,
    address      TEXT   NOT NULL,
    cadence      TEXT   NOT NULL CHECK (cadence IN ('off', 'daily', 'weekly')),
    muted        TEXT   NOT NULL, -- topics, with commas
    nonce        TEXT   NOT NULL, -- of the link that confirms it; '' once it is used
    asked_at     BIGINT NOT NULL,
    confirmed_at BIGINT NOT NULL DEFAULT 0,
    told         TEXT   NOT NULL DEFAULT '', -- the newest item that a letter counted
    due_at       BIGINT NOT NULL DEFAULT 0,  -- when the next letter is written; 0 for never
    attempt      BIGINT NOT NULL DEFAULT 0,  -- of the letter that is due
    bounced      BIGINT NOT NULL DEFAULT 0   -- letters in a row that the server refused for this address
);
CREATE INDEX inbox_addresses_due ON inbox_addresses (due_at, id) WHERE due_at > 0;

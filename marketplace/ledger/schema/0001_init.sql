-- +goose Up
-- What currency the books are kept in; one row.
CREATE TABLE ledger_books (
    id       BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    currency TEXT   NOT NULL CHECK (length(currency) = 3)
);

-- Entries are appended and never changed. At is domain time in Unix
-- milliseconds; digest chains each entry to all before it; turnover adds up
-- what every entry so far has moved, in minor units.
CREATE TABLE ledger_entries (
    seq      BIGINT NOT NULL PRIMARY KEY CHECK (seq > 0),
    at       BIGINT NOT NULL,
    kind     TEXT   NOT NULL,
    ref      TEXT   NOT NULL UNIQUE,
    memo     TEXT   NOT NULL,
    digest   BYTEA  NOT NULL CHECK (length(digest) = 32),
    turnover BIGINT NOT NULL CHECK (turnover > 0),
    leaf     BIGINT NOT NULL CHECK (leaf >= 0)
) WITHOUT ROWID;

-- Debits are positive, credits negative. The key inserts in order, which an
-- index by account would not.
CREATE TABLE ledger_postings (
    seq     BIGINT NOT NULL,
    n       BIGINT NOT NULL CHECK (n > 0),
    account TEXT   NOT NULL,
    amount  BIGINT NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (seq, n)
) WITHOUT ROWID;

-- The sum of each account's postings, kept in the transaction that posts.
CREATE TABLE ledger_balances (
    account TEXT   NOT NULL PRIMARY KEY,
    amount  BIGINT NOT NULL
) WITHOUT ROWID;

-- +goose Up

-- What was fixed when a period closed, as JSON: by what its statement is computed
-- however often, whatever the charter says by then. A period that closed before
-- there was this table has no row.
CREATE TABLE closing_periods (
    period TEXT NOT NULL PRIMARY KEY,
    fixed  TEXT NOT NULL
);

-- +goose Up

-- A panel hears a member about a dossier once in a period, however the line of
-- it is named, so that nobody is awarded the same money twice.
CREATE UNIQUE INDEX appeals_cases_once ON appeals_cases (period, member, dossier) WHERE tier = 2;

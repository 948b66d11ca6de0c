-- +goose Up

-- What a steward said of a researcher after vetting them: whether a member stands
-- behind them, for uses since the period began in which it was said. Before the
-- first row, what was said when vetting holds.
CREATE TABLE marketplace_relations (
    researcher TEXT   NOT NULL,
    since      BIGINT NOT NULL,
    related    BIGINT NOT NULL CHECK (related IN (0, 1)),
    PRIMARY KEY (researcher, since)
);

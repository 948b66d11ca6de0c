-- +goose Up

-- What the members who shared in a pool got for it: the quartiles in one period,
-- and in the year that ended with it. No row names a member or is about fewer
-- than the pool's smallest group; of such a pool only that is noted, by members 0.
CREATE TABLE outlook_spreads (
    pool     TEXT   NOT NULL,
    period   TEXT   NOT NULL,
    span     TEXT   NOT NULL CHECK (span IN ('period', 'year')),
    periods  BIGINT NOT NULL CHECK (periods >= 1),
    members  BIGINT NOT NULL CHECK (members >= 0),
    quarter1 BIGINT NOT NULL,
    quarter2 BIGINT NOT NULL,
    quarter3 BIGINT NOT NULL,
    PRIMARY KEY (period, pool, span)
);

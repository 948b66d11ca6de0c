-- +goose Up

-- Which pause of sharing a report made, by its position, 0 for none: it alone ends
-- with the report. waits says of one that it takes effect only when a second
-- steward confirms it. After a report from before, sharing stays as it is.
ALTER TABLE bereavement_reports DROP COLUMN was_paused;
ALTER TABLE bereavement_reports ADD COLUMN pause BIGINT NOT NULL DEFAULT 0 CHECK (pause >= 0);
ALTER TABLE bereavement_reports ADD COLUMN waits BIGINT NOT NULL DEFAULT 0 CHECK (waits IN (0, 1));

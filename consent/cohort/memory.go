package cohort

import (
	"context"

	"distributed.ai/datacoop/consent/ask"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// Memory are the rows of a pool's open datasets in memory, as they were at one
// moment, for whoever asks many questions about them. They take some eighty
// bytes for each dataset and do not follow what members say afterwards: no
// release rests on them.
type Memory struct {
	pool  coop.PoolID
	now   int64
	rows  *Columns
	parts []policies.Part
}

// Remember reads the rows of a pool into memory.
func Remember(tx *db.Tx, p coop.PoolID, now int64) (*Memory, error) {
	m := &Memory{pool: p, now: now, rows: NewColumns(0)}
	stored, err := Parts(tx)
	if err != nil {
		return nil, err
	}
	if m.parts, _, err = Read(stored); err != nil {
		return nil, err
	}
	return m, EachFlat(tx, Where{Pool: p, Now: now}, m.rows.Add)
}

// Rows is how many datasets there are.
func (m *Memory) Rows() int { return m.rows.Rows() }

// Passing counts the datasets that a law would release for an ask, at the moment
// they were read. The error is policies.ErrFragment or the like where they cannot
// be asked, as where the law reads the categories of datasets.
func (m *Memory) Passing(ctx context.Context, a ask.Ask, law *policies.Revision) (int, error) {
	several, err := law.ReadsCategories(m.parts)
	switch {
	case err != nil:
		return 0, err
	case several || a.Pool != m.pool:
		return 0, ErrFilter
	}
	compiled, err := law.Cohort(ctx, policies.CohortQuestion{Request: a.Asked(m.now), Parts: m.parts})
	if err != nil {
		return 0, err
	}
	return m.rows.Count(compiled.Allow)
}

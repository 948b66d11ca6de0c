package consenting

import (
	"context"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
)

// Standing is the answer that governs a pool or a dataset now.
type Standing struct {
	Record    consent.Record
	Found     bool
	Own       bool // the dataset has an answer of its own
	Stopped   bool // a later no for the whole pool counts as well
	Sentences []string
	Receipt   string   // where the signed receipt is
	Default   []string // what holds while there is no answer, in sentences
}

// Given reports whether something is allowed at all.
func (s Standing) Given() bool {
	return s.Found && !s.Stopped && s.Record.State == consent.StateGiven
}

// Governing finds the governing answer: a dataset's own one, else the pool's.
// An empty dataset asks about the pool.
func Governing(ctx context.Context, c *consent.Service, charter coop.Charter, m coop.MemberID, pool coop.PoolID, ds coop.DatasetID) (Standing, error) {
	r, found, err := c.Pool(ctx, m, pool)
	if err != nil {
		return Standing{}, err
	}
	s := Standing{Record: r, Found: found, Receipt: "/v1/me/consents/pools/" + string(pool) + "/receipt"}
	if ds != "" {
		own, has, err := c.Dataset(ctx, m, ds)
		if err != nil {
			return Standing{}, err
		}
		if has {
			s = Standing{Record: own, Found: true, Own: true, Receipt: "/v1/me/consents/datasets/" + string(ds) + "/receipt",
				Stopped: found && r.State != consent.StateGiven && r.Seq > own.Seq}
		}
	}
	if s.Found {
		s.Sentences = s.Record.Terms.Sentences(charter.Currency)
	} else {
		s.Default = charter.Default(pool).Sentences()
	}
	return s, nil
}

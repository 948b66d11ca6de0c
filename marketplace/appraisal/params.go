package appraisal

import (
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
)

// Params are the voted numbers of the formula, all in thousandths.
type Params struct {
	Ballots *Ballots `json:"ballots,omitempty"` // what members said of data, work and governance; none of a period that closed before they could

	BetaData       int64 `json:"beta_data"`       // how far a judge may move a data share, at most 500
	BetaGovernance int64 `json:"beta_governance"` // … a governance share
	BetaWork       int64 `json:"beta_work"`       // … a work share
	Commission     int64 `json:"commission"`      // of revenue
	Data           int64 `json:"data"`            // of the members' part; data, governance and work add up to 1000
	Gamma          int64 `json:"gamma"`           // how far a judge may move one part of the split, of itself, at most 500
	Governance     int64 `json:"governance"`
	Investors      int64 `json:"investors"` // of net revenue; investors, members, purpose and reserve add up to 1000
	Members        int64 `json:"members"`
	Purpose        int64 `json:"purpose"`

	Reliability []Reliability `json:"reliability,omitempty"` // how much each model family counts, by its name; none: all alike

	Reserve int64 `json:"reserve"`
	Stipend int64 `json:"stipend"` // of the data part
	Work    int64 `json:"work"`
}

var errParams = fault.New(fault.Invalid, "params-invalid", "The numbers of the formula contradict each other.")

// ParamsOf takes the numbers of the formula from a charter.
func ParamsOf(c coop.Charter) Params {
	return Params{
		BetaData: c.Judge.BetaData, BetaGovernance: c.Judge.BetaGovernance, BetaWork: c.Judge.BetaWork,
		Gamma: c.Judge.Gamma, Commission: c.CommissionPermille,
		Data: c.Split.Data, Work: c.Split.Work, Governance: c.Split.Governance, Stipend: c.Split.Stipend,
		Reserve: c.Waterfall.Reserve, Purpose: c.Waterfall.Purpose,
		Members: c.Waterfall.Members, Investors: c.Waterfall.Investors,
	}
}

// Keeping holds the numbers to those that a period began under: where they left
// members more of the revenue than p does, the whole waterfall is theirs. So no
// vote lowers what members get for uses already made.
func (p Params) Keeping(began Params) Params {
	if (1000-began.Commission)*began.Members <= (1000-p.Commission)*p.Members {
		return p
	}
	p.Commission, p.Reserve, p.Purpose = began.Commission, began.Reserve, began.Purpose
	p.Members, p.Investors = began.Members, began.Investors
	return p
}

// Check reports the first contradiction as a fault "params-invalid".
func (p Params) Check() error {
	switch {
	case !permille(p.Commission, p.Data, p.Governance, p.Work, p.Stipend, p.Investors, p.Members, p.Purpose, p.Reserve):
		return errParams.With("a part is not between 0 and 1000")
	case p.Data+p.Governance+p.Work != 1000:
		return errParams.With("data, work and governance do not add up to 1000")
	case p.Investors+p.Members+p.Purpose+p.Reserve != 1000:
		return errParams.With("the waterfall does not add up to 1000")
	case !permille(2*p.BetaData, 2*p.BetaGovernance, 2*p.BetaWork, 2*p.Gamma):
		return errParams.With("a bound is not between 0 and 500")
	case !p.checkReliability():
		return errParams.With("what families count is not what their agreement with people gives")
	}
	return nil
}

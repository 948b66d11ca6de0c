package consent

import (
	"fmt"
	"slices"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// CodeDeclined is the reason of a refusal that the member made themselves, for
// one request, where the law would have said yes.
const CodeDeclined = "member-declined"

var reasonDeclined = policies.Reason{Code: CodeDeclined, Layer: policies.LayerMember, Sentence: "The member has declined this request."}

// DecideApproval is Decide at the moment in which the member who keeps a
// dataset's only key has wrapped it for the request: a release to one
// recipient like any other, recorded at StageApproval.
func (s *Service) DecideApproval(tx *db.Tx, a Ask, ds coop.DatasetID) (Decision, Permit, error) {
	return s.release(tx, a, ds, StageApproval)
}

// Would answers as Decide would now, and records nothing and permits nothing:
// for a delivery that would have to wait for its member even if the law says
// yes.
func (s *Service) Would(tx *db.Tx, a Ask, ds coop.DatasetID) (Decision, error) {
	_, d, err := s.undecided(tx, a, ds, StageDelivery)
	return d, err
}

// Decline records that the member has declined one request for one dataset, at
// the stage at which that was said or met, with an audit entry like that of any
// refusal. What the law would have answered does not count.
func (s *Service) Decline(tx *db.Tx, a Ask, ds coop.DatasetID, stage string) (Decision, error) {
	m, d, err := s.undecided(tx, a, ds, stage)
	if err != nil {
		return Decision{}, err
	}
	d.Allow, d.NeedsReview, d.Reasons, d.Obligations = false, false, []policies.Reason{reasonDeclined}, []policies.Obligation{}
	if err := s.keep(tx, d, m); err != nil {
		return Decision{}, fmt.Errorf("consent: declining: %w", err)
	}
	return d, nil
}

// undecided answers one question without writing it down.
func (s *Service) undecided(tx *db.Tx, a Ask, ds coop.DatasetID, stage string) (matter, Decision, error) {
	if err := a.Check(); err != nil {
		return matter{}, Decision{}, err
	}
	m, err := s.matter(tx, ds)
	if err != nil {
		return matter{}, Decision{}, err
	}
	d, err := s.answer(tx, a, m, s.now(), stage)
	if err != nil {
		return matter{}, Decision{}, fmt.Errorf("consent: deciding: %w", err)
	}
	return m, d, nil
}

// declined reports whether the member, and not the law, has refused. No law
// would answer it the same way, so it has no replay. A cohort holds no such
// answers.
func declined(d Decision) bool {
	return d.Stage != StageRequest && !d.Allow && !d.NeedsReview && len(d.Obligations) == 0 &&
		slices.Equal(d.Reasons, []policies.Reason{reasonDeclined})
}

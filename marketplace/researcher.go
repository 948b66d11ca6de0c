package marketplace

import (
	"context"
	"regexp"
	"strings"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// Researcher is a vetted person or organisation that may ask for data.
type Researcher struct {
	ID       coop.ResearcherID
	Name     string
	Kind     string // one of coop.RequesterKinds
	Region   string // ISO 3166-1 alpha-2
	Email    string
	VettedAt int64

	Institution string // that they were vetted for, such as a ROR; "" for none
	Related     bool   // a member stands behind them: what they pay earns nobody a share
}

var regionPattern = regexp.MustCompile(`^[A-Z]{2}$`)

func (r Researcher) check() error {
	if r.Institution != "" && !policies.ValidName(r.Institution) || !coop.Line(r.Name, 1, 120) || r.Email != "" && !coop.Line(r.Email, 1, 200) ||
		!coop.ValidRequesterKind(r.Kind) || !regionPattern.MatchString(r.Region) {
		return ErrRequester
	}
	return nil
}

func (r Researcher) requester() consent.Requester {
	return consent.Requester{ID: r.ID, Kind: r.Kind, Vetted: r.VettedAt > 0, Region: r.Region, Institution: r.Institution}
}

// Vet enters a researcher whom a steward of vetting has checked. It returns
// ErrOffice to anyone else and ErrRequester for an incomplete draft.
func (s *Service) Vet(ctx context.Context, steward coop.MemberID, draft Researcher) (Researcher, error) {
	return duty(ctx, s, steward, coop.Vetting, func(tx *db.Tx) (Researcher, error) {
		if err := draft.check(); err != nil {
			return Researcher{}, err
		}
		r := draft
		r.ID, r.VettedAt, r.Name, r.Email = coop.ResearcherID(coop.NewID()), s.now(), strings.TrimSpace(r.Name), strings.TrimSpace(r.Email)
		if err := insertResearcher(tx, r, steward); err != nil {
			return Researcher{}, err
		}
		return r, s.log(tx, "researcher.vetted", "vetted", map[string]any{"researcher": string(r.ID), "steward": string(steward), "related": r.Related})
	})
}

// Researcher finds a researcher by id; ErrNotFound if there is none.
func (s *Service) Researcher(ctx context.Context, id coop.ResearcherID) (Researcher, error) {
	return read(ctx, s, func(tx *db.Tx) (Researcher, error) { return getResearcher(tx, id) })
}

// Researchers lists all vetted researchers, oldest first.
func (s *Service) Researchers(ctx context.Context) ([]Researcher, error) {
	return read(ctx, s, listResearchers)
}

package marketplace

import (
	"context"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appeals"
	"distributed.ai/datacoop/marketplace/outlook"
)

// MemberStatement is one member's part of a published statement.
type MemberStatement struct {
	Period Period
	Share  Share
}

// MemberStatements lists what a member got, newest period first.
func (s *Service) MemberStatements(ctx context.Context, m coop.MemberID) ([]MemberStatement, error) {
	return read(ctx, s, func(tx *db.Tx) ([]MemberStatement, error) { return memberStatements(tx, m) })
}

// MemberStatement finds a member's part of one period; ErrNotFound if the
// period has nothing for them.
func (s *Service) MemberStatement(ctx context.Context, m coop.MemberID, id coop.PeriodID) (MemberStatement, error) {
	list, err := s.MemberStatements(ctx, m)
	if err != nil {
		return MemberStatement{}, err
	}
	for _, st := range list {
		if st.Period.ID == id {
			return st, nil
		}
	}
	return MemberStatement{}, ErrNotFound
}

// Earned says what each of a member's datasets has earned in settled periods.
func (s *Service) Earned(ctx context.Context, m coop.MemberID) (map[coop.DatasetID]coop.Money, error) {
	list, err := s.MemberStatements(ctx, m)
	if err != nil {
		return nil, err
	}
	out := map[coop.DatasetID]coop.Money{}
	for _, st := range list {
		if st.Period.SettledAt != 0 {
			st.Share.ByDataset(out)
		}
	}
	return out, nil
}

// DossierOf names what judges were asked about a line of a member's share: it is
// how the opinion in the period's bundle calls it.
func (s *Service) DossierOf(id coop.PeriodID, m coop.MemberID, about AppealLine) string {
	return appeals.DossierOf(s.secret("blind"), s.salt(id), id, m, about)
}

// Outlook is what can be said of what a pool brings.
type Outlook = outlook.Outlook

// Outlook says of pools what members got for sharing in them, as far as periods
// are settled; see package outlook.
func (s *Service) Outlook(ctx context.Context, pools ...coop.Pool) ([]Outlook, error) {
	return read(ctx, s, func(tx *db.Tx) ([]Outlook, error) { return outlook.Of(tx, pools) })
}

// spreads are what a statement gives for the data of each pool.
func (s *Service) spreads(ctx context.Context, p Period, shares []Share) ([]outlook.Spread, error) {
	return read(ctx, s, func(tx *db.Tx) ([]outlook.Spread, error) {
		return outlook.Spreads(tx, s.Vault, s.Consent, s.Charter.Pools, p.ID, p.ClosedAt, shares)
	})
}

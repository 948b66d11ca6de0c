package marketplace

import (
	"context"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
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
		if st.Period.State != PeriodSettled && st.Period.State != PeriodReleased {
			continue
		}
		for _, line := range st.Share.Lines {
			if line.Kind == appraisal.KindData || line.Kind == appraisal.KindStipend {
				out[coop.DatasetID(line.Ref)] += coop.Money(line.Amount)
			}
		}
	}
	return out, nil
}

package marketplace

import (
	"context"
	"errors"
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/appraisal"
)

// The states of an appeal.
const (
	AppealOpen      = "open"
	AppealUpheld    = "upheld"
	AppealDismissed = "dismissed"
)

// Appeal is a member's objection to a statement, and its answer.
type Appeal struct {
	ID       string
	Period   coop.PeriodID
	Member   coop.MemberID
	Text     string
	State    string
	Answer   string
	OpenedAt int64
}

// maxAppeal bounds an appeal and its answer, in characters.
const maxAppeal = 4000

// Appeal contests a published statement while its challenge window is open;
// the period cannot be settled until it is answered. Each member may do so
// once for each statement: again only after their appeal was upheld. Faults:
// ErrAppealText, ErrChallengeClosed, ErrAppealTwice.
func (s *Service) Appeal(ctx context.Context, m coop.MemberID, id coop.PeriodID, text string) (Appeal, error) {
	text, err := prose(text)
	if err != nil {
		return Appeal{}, err
	}
	a, err := write(ctx, s, func(tx *db.Tx) (Appeal, error) {
		p, err := getPeriod(tx, id)
		switch {
		case err != nil:
			return Appeal{}, err
		case p.State != PeriodClosed || s.now() >= p.ChallengeEndsAt:
			return Appeal{}, ErrChallengeClosed
		}
		a := Appeal{ID: coop.NewID(), Period: id, Member: m, Text: text, State: AppealOpen, OpenedAt: s.now()}
		return a, insertAppeal(tx, a)
	})
	if db.IsUnique(err) {
		return Appeal{}, ErrAppealTwice
	}
	return a, err
}

// prose checks the words of an appeal or its answer.
func prose(text string) (string, error) {
	text = strings.TrimSpace(text)
	if !coop.Prose(text, 1, maxAppeal) {
		return "", ErrAppealText
	}
	return text, nil
}

// Appeals lists a member's own appeals, or all of them for the appeals office,
// newest first.
func (s *Service) Appeals(ctx context.Context, m coop.MemberID) ([]Appeal, error) {
	return read(ctx, s, func(tx *db.Tx) ([]Appeal, error) {
		err := s.needs(tx.Context(), m, coop.Appeals)
		if err != nil && !errors.Is(err, ErrOffice) {
			return nil, err
		}
		return listAppeals(tx, m, err == nil)
	})
}

// DecideAppeal answers an appeal. Upholding it has the statement computed
// again from the facts as they stand now and opens a new challenge window;
// dismissing it leaves the statement as it is. Either way the answer is for
// the member to read. Nobody decides their own appeal (ErrOwnAppeal), and none
// is decided twice (ErrState). If the computation is interrupted the period
// cannot be settled before Close has finished it.
func (s *Service) DecideAppeal(ctx context.Context, steward coop.MemberID, id string, uphold bool, answer string) (Appeal, error) {
	a, err := duty(ctx, s, steward, coop.Appeals, func(tx *db.Tx) (Appeal, error) {
		return s.decideAppeal(tx, steward, id, uphold, answer)
	})
	if err == nil && a.State == AppealUpheld {
		_, err = s.publishOrWait(ctx, a.Period, steward)
	}
	return a, err
}

func (s *Service) decideAppeal(tx *db.Tx, steward coop.MemberID, id string, uphold bool, answer string) (Appeal, error) {
	answer, err := prose(answer)
	if err != nil {
		return Appeal{}, err
	}
	a, err := getAppeal(tx, id)
	switch {
	case err != nil:
		return Appeal{}, err
	case a.State != AppealOpen:
		return Appeal{}, ErrState
	case a.Member == steward:
		return Appeal{}, ErrOwnAppeal
	}
	a.Answer, a.State = answer, AppealDismissed
	if uphold {
		a.State = AppealUpheld
		if err := reopenPeriod(tx, a.Period); err != nil {
			return Appeal{}, err
		}
		if err := s.appraiseLater(tx, a.Period, steward, a.ID); err != nil {
			return Appeal{}, err
		}
	}
	if err := answerAppeal(tx, a, s.now()); err != nil {
		return Appeal{}, err
	}
	return a, s.log(tx, "appeal.decided", a.State,
		map[string]any{"appeal": a.ID, "period": string(a.Period), "steward": string(steward)})
}

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

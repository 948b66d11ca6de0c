package consent

import (
	"context"
	"errors"
	"fmt"

	"distributed.ai/datacoop/internal/audit"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/policies"
)

// Question is what a member is asked about one request for one dataset: their
// terms leave it to them. Until they say yes nothing is released for it.
type Question struct {
	Request    coop.RequestID
	Dataset    coop.DatasetID
	Member     coop.MemberID
	Decision   coop.DecisionID // that put it; the id of a cohort
	Answer     string          // policies.AnswerYes, AnswerNo or "" for none yet
	AskedAt    int64           // Unix milliseconds
	AnsweredAt int64           // Unix milliseconds; 0 before
}

// ErrNoQuestion says that the member is not asked that.
var ErrNoQuestion = fault.New(fault.NotFound, "question-not-found", "There is no such question.")

// answerEvent is what the audit log keeps of an answer.
type answerEvent struct {
	Request coop.RequestID `json:"request"`
	Dataset coop.DatasetID `json:"dataset"`
	Member  coop.MemberID  `json:"member"`
	Answer  string         `json:"answer"`
	At      int64          `json:"at"`
}

// Questions lists what the member is asked and was asked, newest first.
func (s *Service) Questions(ctx context.Context, m coop.MemberID) ([]Question, error) {
	var out []Question
	err := s.c.DB.View(ctx, func(tx *db.Tx) (err error) {
		out, err = questionsOfMember(tx, m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("consent: questions: %w", err)
	}
	return out, nil
}

// Answer records what the member says about one request for one of their
// datasets, with an audit entry. It counts from the next decision on and can be
// changed: a later no stops what has not been released. ErrNoQuestion if the
// member is not asked that.
func (s *Service) Answer(tx *db.Tx, m coop.MemberID, r coop.RequestID, ds coop.DatasetID, yes bool) error {
	e := answerEvent{r, ds, m, policies.AnswerNo, s.now()}
	if yes {
		e.Answer = policies.AnswerYes
	}
	err := setAnswer(tx, e)
	if errors.Is(err, db.ErrNoRow) {
		return ErrNoQuestion
	}
	if err == nil {
		_, err = s.c.Log.Append(tx, audit.Event{Kind: "consent.answer", Verdict: e.Answer, Record: e})
	}
	if err != nil {
		return fmt.Errorf("consent: answering: %w", err)
	}
	return nil
}

// use names a one-time consent for one dataset.
type use struct {
	dataset coop.DatasetID
	record  string
}

// heard is what was said and done about the datasets of a request beside the
// members' records.
type heard struct {
	answers map[coop.DatasetID]string
	used    map[use]bool
}

// heardAbout reads it for one dataset, where its records make it matter.
func heardAbout(tx *db.Tx, in policies.Input) (h heard, err error) {
	ds := coop.DatasetID(in.Dataset.ID)
	for _, r := range in.Records {
		if r.Effect != policies.Given || r.Limits.Said() == 0 {
			continue
		}
		answer, err := answerTo(tx, coop.RequestID(in.Request.ID), ds)
		if err != nil {
			return heard{}, err
		}
		used, err := isUsed(tx, use{ds, r.ID})
		if err != nil {
			return heard{}, err
		}
		h.answers, h.used = map[coop.DatasetID]string{ds: answer}, map[use]bool{{ds, r.ID}: used}
	}
	return h, nil
}

// tell puts what was heard into a question.
func (h heard) tell(in *policies.Input) {
	ds := coop.DatasetID(in.Dataset.ID)
	for i := range in.Records {
		r := &in.Records[i]
		if r.Effect != policies.Given || r.Limits.Said() == 0 {
			continue
		}
		r.Answer = h.answers[ds]
		if r.Limits.Once != "" && h.used[use{ds, r.ID}] {
			r.Limits.Once = policies.OnceUsed
		}
	}
}

// onceIn lists the one-time consents in a question that are not used up.
func onceIn(in policies.Input) (records []string) {
	for _, r := range in.Records {
		if r.Limits.Once == policies.OnceUnused {
			records = append(records, r.ID)
		}
	}
	return records
}

// useUp consumes the one-time consents that a release rests on. Of two releases
// at the same moment, the second finds the row of the first and fails.
func useUp(tx *db.Tx, d Decision) error {
	for _, record := range d.once {
		if err := insertUsed(tx, record, d); err != nil {
			return fmt.Errorf("consent: using up: %w", err)
		}
	}
	if len(d.once) == 0 {
		return nil
	}
	return flattenScope(tx, scope{d.Member, d.Pool, d.Dataset})
}

package cohort

import (
	"errors"
	"fmt"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// page is how many answers are written at once.
const page = 500

// Answers are what deciding a cohort takes.
type Answers struct {
	Filter func() (*Filter, error)                                                         // the law as a filter
	Aside  func(each func(coop.DatasetID, policies.Outcome) error) error                   // datasets that no row knows all about, decided by themselves
	Each   func(each func(ds coop.DatasetID, who int64, out policies.Outcome) error) error // all datasets, class by class
	Slowly func(err error) bool                                                            // whether an error of the filter means that
}

// Ruling is a cohort that is being decided.
type Ruling struct {
	*Record
	Answers
	tx *db.Tx

	alone []policies.Outcome // of datasets decided by themselves, each once
	known map[string]int64   // their places in it
}

// Decide answers for all datasets at once where the law can be compiled, else
// class by class, and keeps what it answers of each; the record is filled in and
// not yet kept.
func (a Answers) Decide(tx *db.Tx, r *Record) error {
	u := &Ruling{Record: r, Answers: a, tx: tx, known: map[string]int64{}}
	err := u.byFilter()
	if !a.Slowly(err) {
		return err
	}
	u.alone, u.known = nil, map[string]int64{}
	if err := Forget(tx, r.Seq); err != nil {
		return err
	}
	return u.byClass()
}

func (u *Ruling) byFilter() error {
	f, err := u.Answers.Filter()
	if err != nil {
		return err
	}
	if err := f.Fill(u.tx, u.Seq); err != nil {
		return err
	}
	err = u.Aside(func(ds coop.DatasetID, out policies.Outcome) error {
		p, err := u.numbered(out)
		return errors.Join(err, Replace(u.tx, u.Seq, ds, p))
	})
	if err != nil {
		return err
	}
	if u.Record.Filter, err = f.Text(); err != nil {
		return err
	}
	return u.conclude(func(p Pattern, ds coop.DatasetID) (policies.Outcome, error) { return f.Verdict(u.tx, p, ds) })
}

func (u *Ruling) byClass() error {
	if u.Record.Filter = Sealed; u.Revision != "" {
		u.Record.Filter, u.Note = ClassWise, Slowly
	}
	var list []Outcome
	put := func() error {
		err := Put(u.tx, u.Seq, list)
		list = list[:0]
		return err
	}
	err := u.Each(func(ds coop.DatasetID, who int64, out policies.Outcome) error {
		p, err := u.numbered(out)
		if list = append(list, Outcome{Dataset: ds, Who: who, Pattern: p}); err == nil && len(list) == page {
			err = put()
		}
		return err
	})
	if err = errors.Join(err, put()); err != nil {
		return err
	}
	return u.conclude(nil)
}

// numbered numbers an answer that no filter gave.
func (u *Ruling) numbered(out policies.Outcome) (Pattern, error) {
	text, err := Said(out)
	if err != nil {
		return Pattern{}, err
	}
	n, known := u.known[text]
	if !known {
		n = int64(len(u.alone))
		u.alone, u.known[text] = append(u.alone, out), n
	}
	return Pattern{Law: OneByOne, Bits: n}, nil
}

// conclude finds out what each pattern means, counts, keeps it, and asks the
// members whom the law wants asked.
func (u *Ruling) conclude(mean func(Pattern, coop.DatasetID) (policies.Outcome, error)) error {
	sums, err := Sum(u.tx, u.Seq)
	if err != nil {
		return err
	}
	if len(sums.Found) > MaxPatterns && mean != nil {
		return fmt.Errorf("%w: %d patterns", ErrFilter, len(sums.Found))
	}
	verdicts := make([]Verdict, 0, len(sums.Found))
	for p, ds := range sums.Found {
		v := Verdict{Pattern: p}
		if p.Law == OneByOne {
			v.Outcome = u.alone[p.Bits]
		} else if v.Outcome, err = mean(p, ds); err != nil {
			return err
		}
		verdicts = append(verdicts, v)
	}
	t, digest, err := sums.Finish(verdicts)
	if err != nil {
		return err
	}
	u.Conclude(t, digest, verdicts)
	if err := PutVerdicts(u.tx, u.Seq, verdicts); err != nil {
		return err
	}
	for _, v := range verdicts {
		if v.AsksMember() {
			if err := AskMembers(u.tx, *u.Record, v.Pattern); err != nil {
				return err
			}
		}
	}
	return nil
}

// ErrRecord says that a record contradicts its rows.
var ErrRecord = errors.New("a recorded cohort contradicts itself")

// Check compares a record with its rows: their digest, the counts, the question,
// and that they are as many as there were datasets open.
func Check(tx *db.Tx, r Record, open int) error {
	sums, err := Sum(tx, r.Seq)
	if err != nil {
		return err
	}
	verdicts, err := Verdicts(tx, r.Seq)
	if err != nil {
		return err
	}
	again := r
	t, digest, err := sums.Finish(verdicts)
	if err != nil || digest != r.Digest {
		return fmt.Errorf("%w: digest", ErrRecord)
	}
	again.Conclude(t, digest, verdicts)
	counted, err := again.Counts()
	recorded, other := r.Counts()
	asked, wrong := r.Asked()
	switch err = errors.Join(err, other, wrong); {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrRecord, err)
	case string(counted) != string(recorded) || again.Granted != r.Granted || again.Refused != r.Refused:
		return fmt.Errorf("%w: counts", ErrRecord)
	case t.Granted+t.Refused != open:
		return fmt.Errorf("%w: %d datasets were open, %d are decided", ErrRecord, open, t.Granted+t.Refused)
	case Digest([]byte(r.Question)) != r.QuestionSHA256 || asked.ID != string(r.Request) || asked.Pool != string(r.Pool) || asked.Time != r.At:
		return fmt.Errorf("%w: question", ErrRecord)
	}
	return nil
}

package coop

import "errors"

// Hearing is how appeals against a statement are heard. A charter that leaves
// out a number means the default beside it.
type Hearing struct {
	Reserve     int64 `toml:"reserve"`      // set aside for appeals, in thousandths of the members' part, out of the reserve; 50
	Beyond      int64 `toml:"beyond"`       // how far a panel may go beyond the model's bound, in thousandths; 100
	AnswerHours int64 `toml:"answer_hours"` // how long a panellist has; 120
}

// Hearing returns the charter's numbers for appeals, with defaults.
func (c Charter) Hearing() Hearing {
	h := c.Appeals
	for value, standard := range map[*int64]int64{&h.Reserve: 50, &h.Beyond: 100, &h.AnswerHours: 120} {
		if *value == 0 {
			*value = standard
		}
	}
	return h
}

func (c Charter) checkAppeals() error {
	h := c.Appeals
	switch {
	case !permille(h.Reserve):
		return errors.New("appeals: reserve must be between 0 and 1000 thousandths")
	case h.Beyond < 0 || h.Beyond > 500:
		return errors.New("appeals: beyond must be between 0 and 500 thousandths: more is no cap")
	case h.AnswerHours < 0 || h.AnswerHours > 24*60:
		return errors.New("appeals: answer_hours must be at most 60 days")
	}
	return nil
}

package track

import (
	"io"

	"distributed.ai/datacoop/marketplace/codebook/decimal"
	"distributed.ai/datacoop/marketplace/codebook/fit"
)

// Types of FIT files that are read here (field type of file_id).
const (
	TypeActivity = 4
	TypeWeight   = 9
)

// Message numbers of FIT's profile.
const (
	messageSession = 18
	messageRecord  = 20
	messageScale   = 30
)

// fitSports are the values of FIT's type sport.
var fitSports = map[int64]string{
	1: "running", 2: "cycling", 5: "swimming", 11: "walking", 12: "skiing", 13: "skiing", 14: "skiing",
	15: "rowing", 16: "hiking", 17: "hiking", 19: "rowing", 21: "cycling", 31: "other", 41: "rowing",
}

// sessionFields says which field of a session becomes which figure, and what
// a unit of it is in millionths of the figure's; the first that tells anything
// counts.
var sessionFields = []struct {
	figure int
	field  byte
	factor decimal.Number
}{
	{Distance, 9, 10}, {Climb, 22, same}, {MeanHeart, 16, same}, {MaxHeart, 17, same}, {Energy, 11, same},
	{MeanSpeed, 124, 3_600}, {MeanSpeed, 14, 3_600}, {MaxSpeed, 125, 3_600}, {MaxSpeed, 15, 3_600},
}

// FIT reads a recording: each session is an activity. One without a session,
// from a watch whose battery went flat, is summed up from its records.
func FIT(r io.Reader, found func(Activity)) error {
	var sessions []Activity
	var all points
	var metres int64
	err := fit.Decode(r, func(m *fit.Message) error {
		switch m.Number {
		case messageSession:
			if a, ok := session(m); ok {
				sessions = append(sessions, a)
			}
		case messageRecord:
			record(m, &all)
			if v, ok := m.Value(5); ok {
				metres = max(metres, v)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(sessions) == 0 {
		var a Activity
		if all.sum(&a); a.Start.IsZero() {
			return nil
		}
		a.positive(Distance, decimal.Whole(metres), 10)
		a.speed()
		sessions = append(sessions, a)
	}
	for _, a := range sessions {
		found(a)
	}
	return nil
}

func session(m *fit.Message) (a Activity, ok bool) {
	at, told := m.Value(2)
	if !told {
		return a, false
	}
	if a.Start, ok = unix(at + fit.Epoch); !ok {
		return a, false
	}
	if v, ok := m.Value(5); ok && v != 0 {
		if a.Sport = fitSports[v]; a.Sport == "" {
			a.Sport = "other"
		}
	}
	if v, _ := m.Value(6); v == 20 { // sub_sport strength_training
		a.Sport = "strength"
	}
	for _, f := range sessionFields {
		if v, ok := m.Value(f.field); ok && !a.Figures[f.figure].Known {
			a.positive(f.figure, decimal.Whole(min(v, 1<<32)), f.factor)
		}
	}
	if v, ok := m.Value(7); ok {
		a.minutes(Duration, decimal.Number(v)*1000)
	}
	if v, ok := m.Value(8); ok {
		a.minutes(Moving, decimal.Number(v)*1000)
	}
	a.speed()
	return a, true
}

// record takes time, height and heart rate of a moment.
func record(m *fit.Message, all *points) {
	if v, ok := m.Value(fit.Timestamp); ok {
		if at, ok := unix(v + fit.Epoch); ok {
			all.time(at)
		}
	}
	height, ok := m.Value(78)
	if !ok {
		height, ok = m.Value(2)
	}
	if ok && height < 1<<20 {
		all.height(decimal.Whole(height).Per(5) - decimal.Whole(500))
	}
	if v, ok := m.Value(3); ok {
		all.heart(decimal.Whole(v))
	}
}

// Weighing is one use of a scale. Person counts the people it knows from 1.
type Weighing struct {
	Unix    int64
	Person  int64
	Kg, Fat Figure // Fat in percent
}

// Scale reads the FIT file of a scale.
func Scale(r io.Reader, found func(Weighing)) error {
	return fit.Decode(r, func(m *fit.Message) error {
		at, ok := m.Value(fit.Timestamp)
		weight, ok2 := m.Value(0)
		if m.Number != messageScale || !ok || !ok2 || weight >= 0xfffe {
			return nil
		}
		who, _ := m.Value(12)
		w := Weighing{Unix: at + fit.Epoch, Person: who + 1, Kg: Figure{decimal.Whole(weight).Per(100), true}}
		if fat, ok := m.Value(1); ok {
			w.Fat = Figure{decimal.Whole(fat).Per(100), true}
		}
		found(w)
		return nil
	})
}

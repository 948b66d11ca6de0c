package agreement

import (
	"strings"
	"unicode/utf8"
)

// Scores are what a judge says about items, by id. Any scale will do: only the
// order counts. Items that are left out are not compared.
type Scores map[string]float64

// Measured is how one judgement agrees with the mean votes. A pointer is nil
// where there is no figure.
type Measured struct {
	Judge    string   `json:"judge"`
	Items    int      `json:"items"` // that both judged
	Spearman *float64 `json:"spearman"`
	Pairwise *float64 `json:"pairwise"` // share of pairs in the same order, ties half
	Pairs    Pairs    `json:"pairs"`
}

// Report is what a round says about judges: its floors, its ceiling, and each
// judge between them.
type Report struct {
	Round       string      `json:"round"`
	Reliability Reliability `json:"reliability"`
	OneHuman    *float64    `json:"one_human_vs_others"` // correlation; a judge below it is worse than one person
	Length      Measured    `json:"text_length"`
	Official    Measured    `json:"official"` // the round's published result, made of the same votes
	Judges      []Measured  `json:"judges"`
}

// Named is a judge's scores under its name.
type Named struct {
	Name   string
	Scores Scores
}

// Evaluate compares judges with the people of a round, over the items that
// have at least two votes. It refuses a round of fewer than three such items.
func Evaluate(r Round, judges ...Named) (Report, error) {
	items := Judged(r.Items, 2)
	reliability, err := Reliable(items)
	if err != nil {
		return Report{}, err
	}
	out := Report{Round: r.Name, Reliability: reliability, Judges: []Measured{}}
	if rho, ok := OneAgainstOthers(items); ok {
		out.OneHuman = &rho
	}
	out.Length = measure("length of the text", items, func(i Item) (float64, bool) {
		return float64(utf8.RuneCountInString(i.Text)), i.Text != ""
	})
	out.Official = measure("published result", items, func(i Item) (float64, bool) {
		score, ok := r.Official[strings.TrimSpace(i.Name)]
		return score, ok
	})
	for _, j := range judges {
		out.Judges = append(out.Judges, measure(j.Name, items, func(i Item) (float64, bool) {
			score, ok := j.Scores[i.ID]
			return score, ok
		}))
	}
	return out, nil
}

func measure(name string, items []Item, score func(Item) (float64, bool)) Measured {
	var people, judge []float64
	for _, i := range items {
		if s, ok := score(i); ok {
			people, judge = append(people, i.Mean()), append(judge, s)
		}
	}
	m := Measured{Judge: name, Items: len(people), Pairs: Pairwise(people, judge)}
	if rho, ok := Spearman(people, judge); ok {
		m.Spearman = &rho
	}
	if rate, ok := m.Pairs.Rate(); ok {
		m.Pairwise = &rate
	}
	return m
}

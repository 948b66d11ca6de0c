package appraisal

import (
	"cmp"
	"math/big"
	"slices"

	"distributed.ai/datacoop/marketplace/appraisal/learning"
)

// Voice is what one model family made of a dossier, or of a part of the split.
// A score with its voices can be computed again from them; see Combine.
type Voice struct {
	Family  string `json:"family"`
	Score   int64  `json:"score"`             // 500 where it could not tell
	Suspect bool   `json:"suspect,omitempty"` // it sees an attempt to steer
	Told    bool   `json:"told"`              // whether it could tell
}

// Reliability is how much a family counts, and what that was learned from: how
// often it agreed with people, over how many pairs. Weight is in thousandths and
// follows from the others (learning.Weights).
type Reliability struct {
	Agreed int64  `json:"agreed"`
	Family string `json:"family"`
	Pairs  int64  `json:"pairs"`
	Weight int64  `json:"weight"`
}

// Reliabilities weighs families by how often each agreed with people, in the
// order of their names.
func Reliabilities(families []learning.Agreement) []Reliability {
	weights := learning.Weights(families)
	out := make([]Reliability, 0, len(families))
	for _, f := range families {
		out = append(out, Reliability{Agreed: int64(f.Agreed), Family: f.Family, Pairs: int64(f.Pairs), Weight: weights[f.Family]})
	}
	slices.SortFunc(out, func(a, b Reliability) int { return cmp.Compare(a.Family, b.Family) })
	return out
}

// checkReliability computes the weights again.
func (p Params) checkReliability() bool {
	families := make([]learning.Agreement, len(p.Reliability))
	for i, r := range p.Reliability {
		if !plain(r.Family) || r.Family == "" || r.Agreed < 0 || r.Agreed > r.Pairs || r.Pairs > maxPoints || i > 0 && p.Reliability[i-1].Family >= r.Family {
			return false
		}
		families[i] = learning.Agreement{Family: r.Family, Agreed: int(r.Agreed), Pairs: int(r.Pairs)}
	}
	return slices.Equal(Reliabilities(families), append([]Reliability{}, p.Reliability...))
}

// The score that changes nothing, and how far scores lie apart before they
// count as far, in thousandths.
const (
	neutral  = 500
	farApart = 350
)

// atLeastToRaise is how many families have to agree before a text that a member
// wrote counts above neutral. The lowest of one is that one: whoever had the
// others ruled out, or found them silent, would have to convince a single model.
const atLeastToRaise = 2

// Combine joins what families said: the lowest score where a member wrote the
// text (work), so that all, and at least two, have to agree to raise it, the
// median elsewhere. A
// median is weighed where reliabilities are given: it lies where half of the
// weight is on either side, in between two scores in proportion. With equal
// weights that is the plain median.
//
// A suspected attempt to steer keeps what it shows, but nothing above neutral.
// Where most could not tell, or figures are seen too differently, the score is
// neutral, and the flag says why.
func Combine(kind string, voices []Voice, weights []Reliability) (score int64, flag string) {
	told, suspect := int64(0), false
	scores := make([]int64, len(voices))
	for i, v := range voices {
		scores[i], suspect = v.Score, suspect || v.Suspect
		if v.Told {
			told++
		} else {
			scores[i] = neutral
		}
	}
	text := kind == KindWork
	switch {
	case suspect:
		return min(slices.Min(scores), neutral), FlagSuspect
	case told == 0 || 2*told < int64(len(voices)):
		return neutral, FlagAbstained
	case !text && scattered(scores):
		return neutral, FlagDisagreed
	case text && told < atLeastToRaise:
		return min(slices.Min(scores), neutral), ""
	case text:
		return slices.Min(scores), ""
	}
	return median(voices, scores, weights), ""
}

// scattered reports whether no two scores lie near each other, or the only two
// do not.
func scattered(scores []int64) bool {
	s := slices.Sorted(slices.Values(scores))
	for i := 1; i < len(s); i++ {
		if s[i]-s[i-1] <= farApart {
			return false
		}
	}
	return len(s) > 1
}

// median is where half of the weight lies below: the weight of each score is
// centred on it, and between two scores the line is straight, rounded down.
func median(voices []Voice, scores []int64, weights []Reliability) int64 {
	type point struct{ score, weight int64 }
	all, sum := make([]point, len(scores)), int64(0)
	for i, s := range scores {
		w := int64(1)
		if len(weights) > 0 {
			w = 0
			for _, r := range weights {
				if r.Family == voices[i].Family {
					w = r.Weight
				}
			}
			w++ // a family nobody has measured is heard as well
		}
		all[i], sum = point{s, w}, sum+w
	}
	slices.SortFunc(all, func(a, b point) int {
		return cmp.Or(cmp.Compare(a.score, b.score), cmp.Compare(a.weight, b.weight))
	})
	below := int64(0) // twice the weight at the middle of the point before
	for i, p := range all {
		at := below + p.weight
		if i > 0 {
			at += all[i-1].weight
		}
		if at >= sum {
			if i == 0 || at == sum {
				return p.score
			}
			rise := new(big.Int).Mul(big.NewInt(p.score-all[i-1].score), big.NewInt(sum-below))
			return all[i-1].score + rise.Quo(rise, big.NewInt(at-below)).Int64()
		}
		below = at
	}
	return all[len(all)-1].score
}

// agree reports whether every score that carries voices is what they give. Where
// models were asked, one that nobody has a voice in is neutral: there was nothing
// to ask about.
func (op *Opinion) agree(kinds map[string]string, weights []Reliability) bool {
	for _, s := range op.Scores {
		if len(s.Voices) == 0 && (op.Commitment == "" || s.Score == neutral) {
			continue
		}
		if len(s.Voices) == 0 {
			return false
		}
		score, flag := Combine(kinds[s.Dossier], s.Voices, weights)
		if !known(s.Voices) || s.Score != score || s.Flag != flag {
			return false
		}
	}
	for _, part := range op.Split {
		if len(part.Voices) == 0 && (op.Commitment == "" || part.Score == neutral) {
			continue
		}
		if len(part.Voices) == 0 {
			return false
		}
		if score, _ := Combine(part.Part+" part", part.Voices, weights); !known(part.Voices) || part.Score != score {
			return false
		}
	}
	return true
}

// known reports whether voices are of families in the order of their names, with
// scores on the scale.
func known(voices []Voice) bool {
	for i, v := range voices {
		if v.Family == "" || !plain(v.Family) || v.Score < 0 || v.Score > 1000 || i > 0 && voices[i-1].Family >= v.Family {
			return false
		}
	}
	return true
}

// Reweigh is an opinion as other weights would have made it of the same voices:
// nobody is asked anew.
func (op Opinion) Reweigh(ev Evidence, weights []Reliability) Opinion {
	kinds := ev.dossierIDs()
	op.Scores, op.Split = slices.Clone(op.Scores), slices.Clone(op.Split)
	for i, s := range op.Scores {
		if len(s.Voices) > 0 {
			op.Scores[i].Score, op.Scores[i].Flag = Combine(kinds[s.Dossier], s.Voices, weights)
		}
	}
	for i, part := range op.Split {
		if len(part.Voices) > 0 {
			op.Split[i].Score, _ = Combine(part.Part+" part", part.Voices, weights)
		}
	}
	return op
}

// Counts is the score as its flag lets it count.
func (s Score) Counts() int64 { return s.counted() }

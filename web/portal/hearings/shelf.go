package hearings

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/marketplace/appraisal"
)

// kept is how many statements a shelf holds.
const kept = 6

// Shelf keeps what statements say to everybody, because a bundle names every
// member and takes long to read where there are many. Its zero value is empty.
// It is safe for concurrent use.
type Shelf struct {
	mu    sync.Mutex
	known map[string]paper // by the digest of the bundle
}

// paper is a statement without its members.
type paper struct {
	statement appraisal.Statement // without shares
	params    appraisal.Params
	weights   map[string]int64           // of all lines of a kind, as they counted
	opinions  map[string]appraisal.Score // by dossier
	split     []appraisal.PartScore
	models    []appraisal.Model
}

// find answers a period with its statement.
func (s *Shelf) find(ctx context.Context, market *marketplace.Service, id coop.PeriodID) (marketplace.Period, paper, error) {
	all, err := market.Periods(ctx)
	if err != nil {
		return marketplace.Period{}, paper{}, err
	}
	at := slices.IndexFunc(all, func(p marketplace.Period) bool { return p.ID == id })
	s.mu.Lock()
	defer s.mu.Unlock()
	if at >= 0 && all[at].BundleSHA256 != "" {
		if p, ok := s.known[all[at].BundleSHA256]; ok {
			return all[at], p, nil
		}
	}
	pub, err := market.Statement(ctx, id)
	if err != nil {
		return marketplace.Period{}, paper{}, err
	}
	bundle, err := appraisal.ParseBundle(pub.Bundle)
	if err != nil {
		return marketplace.Period{}, paper{}, err
	}
	if s.known == nil || len(s.known) >= kept {
		s.known = map[string]paper{}
	}
	p := read(bundle)
	s.known[pub.Period.BundleSHA256] = p
	return pub.Period, p, nil
}

// million is the factor that changes nothing.
const million = 1_000_000

func read(b appraisal.Bundle) paper {
	p := paper{statement: b.Statement, params: b.Params, weights: map[string]int64{}, opinions: map[string]appraisal.Score{}}
	for _, share := range b.Statement.Shares {
		for _, line := range share.Lines {
			p.weights[line.Kind] += counted(line)
		}
	}
	p.statement.Shares = nil
	if b.Opinion != nil {
		p.split, p.models = b.Opinion.Split, b.Opinion.Models
		for _, score := range b.Opinion.Scores {
			p.opinions[score.Dossier] = score
		}
	}
	return p
}

// counted is what a line weighs after the model.
func counted(line appraisal.Line) int64 {
	return line.Weight/million*line.Factor + line.Weight%million*line.Factor/million
}

// Why is what one line of a share comes from.
type Why struct {
	appraisal.Line
	Title  string // of what it refers to
	Weight string // of the line in words, as it counted
	All    string // of all lines of the kind
	Pot    coop.Money
	Bound  int64 // thousandths by which a model may move it; 0 where none may
	Model  *Said
}

// Said is what the model answered about a line.
type Said struct {
	Reason string
	Flag   string // in words; "" if nothing was odd
}

var flags = map[string]string{
	appraisal.FlagSuspect:   "It looked like an attempt to steer the model. People look at it, and it can only count as before or less.",
	appraisal.FlagAbstained: "The model could not tell, so it changed nothing.",
	appraisal.FlagDisagreed: "The models were too far apart, so they changed nothing.",
}

// why explains a member's lines.
func (p paper) why(share marketplace.Share, titles map[string]string, c coop.Currency, dossier func(marketplace.AppealLine) string) []Why {
	bounds := map[string]int64{appraisal.KindData: p.params.BetaData, appraisal.KindWork: p.params.BetaWork, appraisal.KindGovernance: p.params.BetaGovernance}
	out := make([]Why, 0, len(share.Lines))
	for _, line := range share.Lines {
		w := Why{Line: line, Title: titles[line.Ref], Weight: weight(line.Kind, counted(line), c), All: weight(line.Kind, p.weights[line.Kind], c), Bound: bounds[line.Kind]}
		for _, part := range p.statement.Parts {
			if part.Kind == line.Kind {
				w.Pot = coop.Money(part.Amount)
			}
		}
		ref := line.Ref
		if line.Kind == appraisal.KindGovernance {
			ref, _, _ = strings.Cut(ref, ":")
		}
		if score, ok := p.opinions[dossier(marketplace.AppealLine{Kind: line.Kind, Ref: ref})]; ok {
			w.Model = &Said{score.Reason, flags[score.Flag]}
		}
		out = append(out, w)
	}
	return out
}

// weight writes a weight in what its kind is weighed by.
func weight(kind string, n int64, c coop.Currency) string {
	switch kind {
	case appraisal.KindData: // thousandths of a minor unit
		return coop.Money(n / 1000).Format(c)
	case appraisal.KindStipend:
		return days.of(n)
	}
	return points.of(n)
}

// unit counts something.
type unit struct{ one, many string }

var days, points = unit{"day", "days"}, unit{"point", "points"}

func (u unit) of(n int64) string {
	if n == 1 {
		return "1 " + u.one
	}
	return strconv.FormatInt(n, 10) + " " + u.many
}

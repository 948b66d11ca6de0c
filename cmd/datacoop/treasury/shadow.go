package treasury

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"distributed.ai/datacoop/cmd/datacoop/render"
	"distributed.ai/datacoop/marketplace/appraisal/agreement"
	"distributed.ai/datacoop/marketplace/appraisal/learning"
)

var errShadow = errors.New("--against compares with the judges in force: name their charter with --charter")

// shadow asks the judges of two charters about the same recorded contributions
// and says whether the second may be offered to a vote. Nobody's pay depends on
// it.
func (c *EvaluateCmd) shadow(ctx context.Context) error {
	if c.Charter == "" {
		return errShadow
	}
	verdict, err := c.compare(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return render.JSON(os.Stdout, verdict)
	}
	tell(os.Stdout, verdict)
	return nil
}

func (c *EvaluateCmd) compare(ctx context.Context) (learning.Verdict, error) {
	rounds, err := agreement.ReadRounds(os.DirFS(c.Evaluate))
	if err != nil {
		return learning.Verdict{}, err
	}
	before, after, err := c.attacks()
	if err != nil {
		return learning.Verdict{}, err
	}
	var pairs []learning.Pair
	incumbent, challenger := learning.Answers{}, learning.Answers{}
	for _, r := range rounds {
		old, err := c.live(ctx, r, c.Charter)
		if err != nil {
			return learning.Verdict{}, err
		}
		fresh, err := c.live(ctx, r, c.Against)
		if err != nil {
			return learning.Verdict{}, err
		}
		for _, p := range pairsOf(r) {
			pairs = append(pairs, p)
			incumbent[p.ID()] = answer(old.Scores, p)
			challenger[p.ID()] = answer(fresh.Scores, p)
		}
	}
	return learning.Compare(pairs, incumbent, challenger, before, after)
}

func (c *EvaluateCmd) attacks() (before, after learning.Attacks, err error) {
	if c.Attacks == "" {
		return nil, nil, nil
	}
	text, err := os.ReadFile(c.Attacks)
	if err != nil {
		return nil, nil, fmt.Errorf("attacks: %w", err)
	}
	var both struct{ Incumbent, Challenger learning.Attacks }
	if err := json.Unmarshal(text, &both); err != nil || len(both.Incumbent) == 0 {
		return nil, nil, errors.New("attacks: JSON with incumbent and challenger is wanted")
	}
	return both.Incumbent, both.Challenger, nil
}

// pairsOf puts the items of a round that at least two people judged into pairs
// of two, each item in one pair, so that pairs say something independently of
// each other. Which two come together depends on nothing but their ids.
func pairsOf(r agreement.Round) (out []learning.Pair) {
	items := agreement.Judged(r.Items, 2)
	lot := func(i agreement.Item) string {
		sum := sha256.Sum256([]byte(r.Name + " " + i.ID))
		return string(sum[:])
	}
	slices.SortFunc(items, func(a, b agreement.Item) int { return cmp.Compare(lot(a), lot(b)) })
	for pair := range slices.Chunk(items, 2) {
		if len(pair) < 2 || pair[0].ID == pair[1].ID {
			continue
		}
		a, b := pair[0], pair[1]
		if a.ID > b.ID {
			a, b = b, a
		}
		out = append(out, learning.Pair{First: a.ID, Second: b.ID, Group: r.Name, Period: r.Name, Said: []string{order(a.Mean(), b.Mean())}})
	}
	return out
}

func order(a, b float64) string { return learning.Of(int64(cmp.Compare(a, b)), 0) }

// answer is what a judge makes of a pair; a tie where it says nothing of one.
func answer(scores agreement.Scores, p learning.Pair) string {
	a, known := scores[p.First]
	b, also := scores[p.Second]
	if !known || !also {
		return learning.Tie
	}
	return order(a, b)
}

// tell writes a verdict for people.
func tell(w io.Writer, v learning.Verdict) {
	for _, sentence := range v.Sentences {
		fmt.Fprintln(w, sentence)
	}
	fmt.Fprintf(w, "95 %% interval of the challenger's part of the pairs on which only one agrees: %d to %d thousandths; 500 is no difference.\n", v.Low, v.High)
}

package appraisal

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"distributed.ai/datacoop/internal/fault"
)

// Judge weighs blinded dossiers. Implementations may ask models, people or
// nobody; whatever they answer, Close keeps payouts inside the fence.
//
// Weigh returns scores for any subset of the task's dossiers; those left out
// are neutral. An error means no opinion, and the baseline pays.
type Judge interface {
	Weigh(ctx context.Context, t Task) (Opinion, error)
}

// Opinion is what a judge answers. Scores run from 0 to 1000; 500 changes
// nothing, and what lies outside is clamped.
type Opinion struct {
	Commitment string      `json:"commitment"` // Task.SHA256 logged before the first call; "" when none was
	Models     []Model     `json:"models"`
	Scores     []Score     `json:"scores"`
	Split      []PartScore `json:"split"`
	Trace      string      `json:"trace"` // SHA-256 of the recorded questions and answers in hex; "" when there are none
}

// Model names one family that judged.
type Model struct {
	Digest string `json:"digest"` // as the endpoint states it, "" where it states none
	Family string `json:"family"`
	Name   string `json:"name"`
}

// Flags of a score. A flag waits for a person and costs nobody anything: what
// nobody could tell, or families saw too differently, is neutral, never zero.
// What is suspect counts as it was scored, but never above neutral, so that an
// attempt that was noticed gains nothing either.
const (
	FlagSuspect   = "suspect"   // looks like an attempt to steer the judge
	FlagAbstained = "abstained" // the judge could not tell
	FlagDisagreed = "disagreed" // families were too far apart
)

// Score is the opinion of one dossier.
type Score struct {
	Dossier string `json:"dossier"`
	Flag    string `json:"flag"`   // "" or one of the flags
	Reason  string `json:"reason"` // at most MaxReason bytes of plain text, one line
	Score   int64  `json:"score"`

	Voices []Voice `json:"voices,omitempty"` // what it was made of, by family
}

// PartScore is the opinion of one part of the split: data, work or governance.
type PartScore struct {
	Part   string `json:"part"`
	Reason string `json:"reason"`
	Score  int64  `json:"score"`

	Voices []Voice `json:"voices,omitempty"` // what it was made of, by family
}

// MaxReason bounds every text in an opinion, in bytes.
const MaxReason = 500

var errOpinion = fault.New(fault.Invalid, "opinion-invalid", "The judge's opinion does not fit the evidence, so the baseline pays.")

// normal returns the opinion in canonical order with scores clamped.
func (op *Opinion) normal() *Opinion {
	if op == nil {
		return nil
	}
	out := *op
	out.Models = sorted(op.Models, func(a, b Model) int {
		return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Digest, b.Digest))
	})
	out.Scores = sorted(op.Scores, func(a, b Score) int { return cmp.Compare(a.Dossier, b.Dossier) })
	out.Split = sorted(op.Split, func(a, b PartScore) int { return cmp.Compare(a.Part, b.Part) })
	for i := range out.Scores {
		out.Scores[i].Score = min(max(out.Scores[i].Score, 0), 1000)
	}
	for i := range out.Split {
		out.Split[i].Score = min(max(out.Split[i].Score, 0), 1000)
	}
	return &out
}

// check expects normal order, and the dossiers of the evidence with their kinds.
func (op *Opinion) check(known map[string]string) error {
	for _, digest := range []string{op.Commitment, op.Trace} {
		if digest != "" && !hexPattern.MatchString(digest) {
			return errOpinion.With("a digest is not a SHA-256")
		}
	}
	for _, m := range op.Models {
		if m.Family == "" || !plain(m.Family, m.Name, m.Digest) {
			return errOpinion.With("models")
		}
	}
	if err := op.checkScores(known); err != nil {
		return err
	}
	for _, part := range op.Split {
		if part.Part != KindData && part.Part != KindWork && part.Part != KindGovernance || !plain(part.Reason) {
			return errOpinion.With("split")
		}
	}
	if repeated(op.Split, func(a, b PartScore) bool { return a.Part == b.Part }) {
		return errOpinion.With("split: a part occurs twice")
	}
	return nil
}

func (op *Opinion) checkScores(known map[string]string) error {
	for _, s := range op.Scores {
		flag := s.Flag == "" || s.Flag == FlagSuspect || s.Flag == FlagAbstained || s.Flag == FlagDisagreed
		switch _, ok := known[s.Dossier]; {
		case !ok:
			return errOpinion.With("scores: unknown dossier")
		case !flag || !plain(s.Reason):
			return errOpinion.With("scores")
		}
	}
	if repeated(op.Scores, func(a, b Score) bool { return a.Dossier == b.Dossier }) {
		return errOpinion.With("scores: a dossier occurs twice")
	}
	return nil
}

// plain reports whether every text is short, valid UTF-8 on one line, without
// characters that cannot be seen or that reorder what can.
func plain(all ...string) bool {
	return !slices.ContainsFunc(all, func(s string) bool {
		return len(s) > MaxReason || !utf8.ValidString(s) || strings.ContainsFunc(s, hidden)
	})
}

func hidden(r rune) bool {
	if r >= ' ' && r <= '~' {
		return false // most there is, and looked up fastest
	}
	return !unicode.IsPrint(r) || unicode.Is(unicode.Cf, r)
}

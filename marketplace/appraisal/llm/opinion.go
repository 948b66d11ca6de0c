package llm

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"distributed.ai/datacoop/marketplace/appraisal"
)

// neutral is the score that changes nothing.
const neutral = 500

// farApart is how far, in thousandths, a score lies from the others' before it
// counts as far.
const farApart = 350

// fewestCompared is the fewest dossiers that tell an odd family from chance.
const fewestCompared = 6

// opinion joins what families said into one. It fails when none can be heard.
func (p *panel) opinion(all []verdict) (appraisal.Opinion, []string, error) {
	heard := p.hearable(all)
	if len(heard) == 0 {
		return appraisal.Opinion{}, nil, ErrUnavailable
	}
	op := appraisal.Opinion{Models: []appraisal.Model{}, Scores: []appraisal.Score{}, Split: []appraisal.PartScore{}}
	var names []string
	for _, v := range heard {
		names = append(names, v.name)
		op.Models = append(op.Models, appraisal.Model{Digest: v.digest, Family: v.name, Name: v.model})
	}
	for _, s := range p.members() {
		op.Scores = append(op.Scores, scoreOf(s, checklists.Sheets[s.sheet], heard))
	}
	for _, d := range p.silent {
		op.Scores = append(op.Scores, appraisal.Score{Dossier: d.ID, Flag: appraisal.FlagAbstained, Score: neutral,
			Reason: "No text came with this work, so the model could not tell what to make of it."})
	}
	for _, s := range p.split.subjects {
		op.Split = append(op.Split, partScoreOf(s, heard))
	}
	slices.SortFunc(op.Models, func(a, b appraisal.Model) int { return cmp.Compare(a.Family, b.Family) })
	slices.SortFunc(op.Scores, func(a, b appraisal.Score) int { return cmp.Compare(a.Dossier, b.Dossier) })
	slices.SortFunc(op.Split, func(a, b appraisal.PartScore) int { return cmp.Compare(a.Part, b.Part) })
	return op, names, nil
}

type listed struct {
	subject
	sheet string
}

// members are all subjects but the canaries.
func (p *panel) members() []listed {
	var out []listed
	for _, g := range p.groups {
		for _, s := range g.subjects {
			if _, ok := p.canaries[s.id]; !ok {
				out = append(out, listed{s, g.sheet})
			}
		}
	}
	return out
}

// hearable leaves out families that fail on canaries or cannot tell anything
// about most dossiers, and then, while there are three, the one that stands far
// from the others on more than a third of the dossiers.
func (p *panel) hearable(all []verdict) []verdict {
	members := p.members()
	heard := slices.DeleteFunc(slices.Clone(all), func(v verdict) bool {
		told := 0
		for _, s := range members {
			if v.ranks[s.id].told {
				told++
			}
		}
		return v.fails() || 2*told < len(members)
	})
	slices.SortFunc(heard, func(a, b verdict) int { return cmp.Compare(a.name, b.name) })
	for len(heard) >= 3 && len(members) >= fewestCompared {
		odd, most := -1, len(members)/3
		for i := range heard {
			if n := strangeness(heard, i, members); n > most {
				odd, most = i, n
			}
		}
		if odd < 0 {
			break
		}
		heard = slices.Delete(heard, odd, odd+1)
	}
	return heard
}

// strangeness counts the dossiers on which one family lies far from the median
// of the others.
func strangeness(heard []verdict, at int, members []listed) int {
	n := 0
	for _, s := range members {
		own := heard[at].ranks[s.id]
		if !own.told {
			continue
		}
		var others []int64
		for i, v := range heard {
			if r := v.ranks[s.id]; i != at && r.told {
				others = append(others, r.score)
			}
		}
		if len(others) > 0 && distance(own.score, median(others)) > farApart {
			n++
		}
	}
	return n
}

func distance(a, b int64) int64 { return max(a-b, b-a) }

// median is the middle, or the middle between two, rounded down.
func median(scores []int64) int64 {
	s := slices.Sorted(slices.Values(scores))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// scattered reports whether no two scores lie near each other, or the only two do
// not.
func scattered(scores []int64) bool {
	s := slices.Sorted(slices.Values(scores))
	for i := 1; i < len(s); i++ {
		if s[i]-s[i-1] <= farApart {
			return false
		}
	}
	return len(s) > 1
}

// gather lists every family's score of a subject; one that could not tell says
// neutral.
func gather(id string, heard []verdict) (scores []int64, told int, suspect bool) {
	for _, v := range heard {
		r := v.ranks[id]
		suspect = suspect || r.suspect
		if !r.told {
			scores = append(scores, neutral)
			continue
		}
		told++
		scores = append(scores, r.score)
	}
	return scores, told, suspect
}

// scoreOf joins the families' scores: the lowest where a member wrote a text,
// the median elsewhere.
func scoreOf(s listed, sheet []question, heard []verdict) appraisal.Score {
	scores, told, suspect := gather(s.id, heard)
	out := appraisal.Score{Dossier: s.id, Score: neutral}
	switch {
	case suspect:
		out.Flag, out.Reason = appraisal.FlagSuspect, "The text looks as if it tried to steer the model; people will look at it."
		out.Score = min(slices.Min(scores), neutral)
	case 2*told < len(heard) || told == 0:
		out.Flag, out.Reason = appraisal.FlagAbstained, "The model could not tell what to make of it."
	case !s.text && scattered(scores):
		out.Flag, out.Reason = appraisal.FlagDisagreed, "The model families were too far apart: "+tally(s.id, sheet, heard)+"."
	case s.text:
		out.Score = slices.Min(scores)
		out.Reason = sentence(s.id, sheet, heard, "the lowest", out.Score)
	default:
		out.Score = median(scores)
		out.Reason = sentence(s.id, sheet, heard, "the median", out.Score)
	}
	return out
}

func partScoreOf(s subject, heard []verdict) appraisal.PartScore {
	scores, told, _ := gather(s.id, heard)
	out := appraisal.PartScore{Part: s.id, Score: neutral}
	switch {
	case 2*told < len(heard) || told == 0:
		out.Reason = "The model could not tell what to make of this part."
	case scattered(scores):
		out.Reason = "The model families were too far apart: " + tally(s.id, checklists.Sheets[kindSplit], heard) + "."
	default:
		out.Score = median(scores)
		out.Reason = sentence(s.id, checklists.Sheets[kindSplit], heard, "the median", out.Score)
	}
	return out
}

// tally says how many questions every family answered yes.
func tally(id string, sheet []question, heard []verdict) string {
	said := make([]string, len(heard))
	for i, v := range heard {
		r := v.ranks[id]
		said[i] = fmt.Sprintf("%s %d of %d", v.name, len(r.yes), len(sheet))
		if !r.told {
			said[i] = v.name + " could not tell"
		}
	}
	return strings.Join(said, ", ")
}

// sentence is the reason of a score: how many questions were answered yes, which
// score counts, and what no family, or not every one, found.
func sentence(id string, sheet []question, heard []verdict, which string, score int64) string {
	out := "Questions answered yes: " + tally(id, sheet, heard) + "."
	if len(heard) > 1 {
		out += fmt.Sprintf(" Of these %s counts, %d thousandths.", which, score)
	}
	var not []string
	for _, q := range sheet {
		if slices.ContainsFunc(heard, func(v verdict) bool { return v.ranks[id].told && !v.ranks[id].yes[q.ID] }) {
			not = append(not, q.Label)
		}
	}
	if len(not) == 0 {
		return out
	}
	const shown = 4
	more := ""
	if len(not) > shown {
		more = fmt.Sprintf(" and %d more", len(not)-shown)
	}
	missing := " Not found by all: "
	if len(heard) == 1 {
		missing = " Not found: "
	}
	return out[:min(len(out), appraisal.MaxReason-250)] + missing + strings.Join(not[:min(len(not), shown)], ", ") + more + "."
}

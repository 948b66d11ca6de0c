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
		op.Scores = append(op.Scores, p.scoreOf(s, heard))
	}
	for _, d := range p.silent {
		op.Scores = append(op.Scores, appraisal.Score{Dossier: d.ID, Flag: appraisal.FlagAbstained, Score: neutral,
			Reason: "No text came with this work, so the model could not tell what to make of it."})
	}
	for _, s := range p.split.subjects {
		op.Split = append(op.Split, p.partScoreOf(s, heard))
	}
	slices.SortFunc(op.Models, func(a, b appraisal.Model) int { return cmp.Compare(a.Family, b.Family) })
	slices.SortFunc(op.Scores, func(a, b appraisal.Score) int { return cmp.Compare(a.Dossier, b.Dossier) })
	slices.SortFunc(op.Split, func(a, b appraisal.PartScore) int { return cmp.Compare(a.Part, b.Part) })
	return op, names, nil
}

type listed struct {
	subject
	kind, sheet string
}

// members are all subjects but the canaries.
func (p *panel) members() []listed {
	var out []listed
	for _, g := range p.groups {
		for _, s := range g.subjects {
			if _, ok := p.canaries[s.id]; !ok {
				out = append(out, listed{s, g.kind, g.sheet})
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

// gather lists every family's voice about a subject; one that could not tell
// says neutral.
func gather(id string, heard []verdict) []appraisal.Voice {
	out := make([]appraisal.Voice, len(heard))
	for i, v := range heard {
		r := v.ranks[id]
		out[i] = appraisal.Voice{Family: v.name, Score: r.score, Suspect: r.suspect, Told: r.told}
		if !r.told {
			out[i].Score = neutral
		}
	}
	return out
}

// scoreOf joins the families' scores as appraisal.Combine does, and says why.
func (p *panel) scoreOf(s listed, heard []verdict) appraisal.Score {
	sheet := checklists.Sheets[s.sheet]
	out := appraisal.Score{Dossier: s.id, Voices: gather(s.id, heard)}
	out.Score, out.Flag = appraisal.Combine(s.kind, out.Voices, p.weights)
	switch {
	case out.Flag == appraisal.FlagSuspect:
		out.Reason = "The text looks as if it tried to steer the model; people will look at it."
	case out.Flag == appraisal.FlagAbstained:
		out.Reason = "The model could not tell what to make of it."
	case out.Flag == appraisal.FlagDisagreed:
		out.Reason = "The model families were too far apart: " + tally(s.id, sheet, heard) + "."
	case s.text:
		out.Reason = sentence(s.id, sheet, heard, "the lowest", out.Score)
	default:
		out.Reason = sentence(s.id, sheet, heard, p.middle(), out.Score)
	}
	return out
}

func (p *panel) partScoreOf(s subject, heard []verdict) appraisal.PartScore {
	out := appraisal.PartScore{Part: s.id, Voices: gather(s.id, heard)}
	var flag string
	out.Score, flag = appraisal.Combine(s.id+" part", out.Voices, p.weights)
	switch flag {
	case appraisal.FlagAbstained:
		out.Reason = "The model could not tell what to make of this part."
	case appraisal.FlagDisagreed:
		out.Reason = "The model families were too far apart: " + tally(s.id, checklists.Sheets[kindSplit], heard) + "."
	default:
		out.Reason = sentence(s.id, checklists.Sheets[kindSplit], heard, p.middle(), out.Score)
	}
	return out
}

// middle names the score that counts where no member wrote a text.
func (p *panel) middle() string {
	if len(p.weights) > 0 {
		return "the median, weighed by how often each family agreed with people,"
	}
	return "the median"
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
	if len(heard) == 1 && strings.HasPrefix(which, "the lowest") && heard[0].ranks[id].score > score {
		out += " One family alone raises nothing above neutral."
	}
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

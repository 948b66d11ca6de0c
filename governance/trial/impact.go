package trial

import (
	"cmp"
	"fmt"
	"slices"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
)

// Impact is what a policy would have meant for the decisions of the last year,
// what it would change for requests nobody has made yet, and whose data would
// be concerned now.
type Impact struct {
	Decisions  int // replayed
	Flips      int // that would have come out otherwise
	NowRefused int // flips from granted to refused
	NowAllowed int // flips from refused to granted
	Requests   int // access requests with a flip
	Members    int // members with a flip
	Sentences  []string
	Changes    []string        // who would newly get data, and who no longer
	PerRequest []RequestImpact // by request, oldest first
	Cohorts    []Cohort        // the open datasets that kinds of requests would gain and lose
	Counted    string          // a sentence about what Cohorts counts; empty where nothing was counted
}

// RequestImpact is the part of an impact that concerns one access request.
type RequestImpact struct {
	Request    coop.RequestID
	Pool       coop.PoolID
	Purpose    coop.Purpose
	NowRefused int
	NowAllowed int
	Reasons    []string // why refused, in plain words, each once
}

// Summarise counts what a replay found, among total decisions.
func Summarise(flips []consent.Flip, total int) Impact {
	im := Impact{Decisions: total, Flips: len(flips), PerRequest: []RequestImpact{}}
	members, requests := map[coop.MemberID]bool{}, map[coop.RequestID]*RequestImpact{}
	for _, f := range flips {
		members[f.Decision.Member] = true
		r, ok := requests[f.Decision.Request]
		if !ok {
			r = &RequestImpact{
				Request: f.Decision.Request, Pool: f.Decision.Pool,
				Purpose: f.Decision.Purpose, Reasons: []string{},
			}
			requests[f.Decision.Request] = r
		}
		r.add(f)
	}
	for _, r := range requests {
		im.NowRefused += r.NowRefused
		im.NowAllowed += r.NowAllowed
		im.PerRequest = append(im.PerRequest, *r)
	}
	slices.SortFunc(im.PerRequest, func(a, b RequestImpact) int { return cmp.Compare(a.Request, b.Request) })
	im.Requests, im.Members = len(requests), len(members)
	im.Sentences = im.sentences()
	return im
}

func (r *RequestImpact) add(f consent.Flip) {
	if f.Now {
		r.NowAllowed++
		return
	}
	r.NowRefused++
	for _, reason := range f.Reasons {
		if !slices.Contains(r.Reasons, reason.Sentence) {
			r.Reasons = append(r.Reasons, reason.Sentence)
		}
	}
}

func (im Impact) sentences() []string {
	past := fmt.Sprintf("of %s", plural(im.Decisions, "past decision", "past decisions"))
	switch {
	case im.Decisions == 0:
		return []string{"Nothing has been decided in the past year, so there is nothing to compare with."}
	case im.Flips == 0:
		return []string{fmt.Sprintf("None %s would have come out otherwise.", past)}
	}
	var out []string
	if im.NowRefused > 0 {
		out = append(out, fmt.Sprintf("%d %s would now be refused.", im.NowRefused, past))
	}
	if im.NowAllowed > 0 {
		out = append(out, fmt.Sprintf("%d %s would now be granted.", im.NowAllowed, past))
	}
	out = append(out, fmt.Sprintf("This concerns %s and the data of %s.",
		plural(im.Requests, "access request", "access requests"), plural(im.Members, "member", "members")))
	return append(out, im.reasons()...)
}

// reasons lists why requests would now be refused, each reason once.
func (im Impact) reasons() []string {
	var out []string
	for _, r := range im.PerRequest {
		for _, reason := range r.Reasons {
			if !slices.Contains(out, reason) {
				out = append(out, reason)
			}
		}
	}
	return out
}

func plural(n int, one, many string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, one)
	}
	return fmt.Sprintf("%d %s", n, many)
}

package veil

import (
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace/appraisal"
)

// Names leads back from a period's pseudonyms to ids, for members' own pages.
type Names struct {
	members map[string]coop.MemberID
	refs    map[string]string
}

// Blind replaces all ids of a period's evidence by its pseudonyms under the
// secret, and returns what leads back.
func Blind(ev appraisal.Evidence, secret []byte) (appraisal.Evidence, Names) {
	n := Names{map[string]coop.MemberID{}, map[string]string{}}
	member := func(id string) { n.members[appraisal.Pseudonym(secret, ev.Period, "member", id)] = coop.MemberID(id) }
	ref := func(kind, id string) { n.refs[appraisal.Pseudonym(secret, ev.Period, kind, id)] = id }
	for _, d := range ev.Data {
		member(d.Member)
		ref("dataset", d.Dataset)
		ref("request", d.Request)
	}
	for _, a := range ev.Available {
		member(a.Member)
		ref("dataset", a.Dataset)
	}
	for _, w := range ev.Work {
		member(w.Member)
		ref("contribution", w.Contribution)
	}
	for _, d := range ev.Duties {
		member(d.Member)
		ref("duty", d.Ref)
	}
	return appraisal.Blind(ev, secret), n
}

// Share is one member's part of a statement, with its references resolved. It
// is shown to that member alone.
type Share struct {
	Member coop.MemberID
	Amount coop.Money
	appraisal.MemberShare
}

// ByDataset adds to sums what each dataset brought.
func (s Share) ByDataset(sums map[coop.DatasetID]coop.Money) {
	for _, line := range s.Lines {
		if line.Kind == appraisal.KindData || line.Kind == appraisal.KindStipend {
			sums[coop.DatasetID(line.Ref)] += coop.Money(line.Amount)
		}
	}
}

// Resolve leads from a line's reference to the id; a duty's stands behind its
// kind and a colon.
func (n Names) Resolve(ref string) string {
	kind, pseudonym, ok := strings.Cut(ref, ":")
	if id := n.refs[pseudonym]; ok && id != "" {
		return kind + ":" + id
	}
	if id := n.refs[ref]; id != "" {
		return id
	}
	return ref
}

// Shares are a statement's parts with all references resolved.
func (n Names) Shares(st appraisal.Statement) []Share {
	out := make([]Share, 0, len(st.Shares))
	for _, share := range st.Shares {
		own := share
		own.Lines = make([]appraisal.Line, len(share.Lines))
		for i, line := range share.Lines {
			line.Ref, line.Request = n.Resolve(line.Ref), n.Resolve(line.Request)
			own.Lines[i] = line
		}
		out = append(out, Share{Member: n.members[share.Member], Amount: coop.Money(share.Amount), MemberShare: own})
	}
	return out
}

// Stated reports whether shares are the statement's, each its member's, by the
// secret of its pseudonyms.
func Stated(st appraisal.Statement, shares []Share, secret []byte) bool {
	amounts := make(map[string]int64, len(st.Shares))
	for _, share := range st.Shares {
		amounts[share.Member] = share.Amount
	}
	for _, share := range shares {
		name := appraisal.Pseudonym(secret, st.Period, "member", string(share.Member))
		if amount, known := amounts[name]; !known || amount != int64(share.Amount) {
			return false
		}
	}
	return len(shares) == len(st.Shares)
}

package governance

import (
	"context"
	"slices"

	"distributed.ai/datacoop/governance/gitsource"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/once"
)

// Reading a repository is done where the repository is, on a member's machine:
// the server fetches nothing for anybody. These names lead to the room's annex.
type (
	// GitHistory is what a repository says about itself.
	GitHistory = gitsource.History
	// GitContribution is a piece of work found in a repository.
	GitContribution = gitsource.Contribution
	// GitOptions says what to read and how far to go.
	GitOptions = gitsource.Options
	// GitOrigin says which piece of a history a contribution is, and who made it.
	GitOrigin = gitsource.Origin
	// GitSettings is what a repository is set up with.
	GitSettings = gitsource.Settings
)

// ReadGit reads a repository. See gitsource.Read.
func ReadGit(ctx context.Context, location string, o GitOptions) (GitHistory, error) {
	return gitsource.Read(ctx, location, o)
}

// ConfiguredGit is what the repository at a location is set up with.
func ConfiguredGit(location string) GitSettings { return gitsource.Configured(location) }

// GitFacts is what is kept of a GitOrigin.
type GitFacts struct {
	Source  string
	Authors int             // people who made it, members or not
	Members []coop.MemberID // those whose confirmed addresses it carries, in order of appearance

	places []int // of Members, among all authors
}

// part is what one of a number of authors gets of a contribution's points:
// equal parts, of which those earlier in line get the rest that does not
// divide. The parts of authors who are not members go to nobody.
func part(points int64, authors, place int) int64 {
	share := points / int64(authors)
	if int64(place) < points%int64(authors) {
		share++
	}
	return share
}

// SubmitGit puts a piece of a repository's history before the members for
// review, like any other work; its kind is git. One of its authors' addresses
// must be confirmed as the submitter's, see [Service.Claim]: otherwise
// [ErrGitIdentity], or [ErrClaimContested] where two members claim it. What
// the server cannot see is whether the commits carry these addresses. That is
// what the two reviewers look up, by the commit ids in the evidence.
//
// A piece of history counts once: while it waits, after it was accepted, and
// for a member whose submission of it was declined, it is [ErrGitKnown]. What
// several people made is one contribution and its points are divided: equal
// parts for all authors, whatever each of them wrote, and nothing for anybody
// in place of those who are not members. Who of them is a member is settled
// when it is submitted.
func (s *Service) SubmitGit(ctx context.Context, by coop.MemberID, w Work, o GitOrigin) (Contribution, error) {
	w.Kind = WorkGit
	if err := w.check(); err != nil {
		return Contribution{}, err
	}
	if err := o.Check(); err != nil {
		return Contribution{}, err
	}
	return write(ctx, s, "submit from git", func(tx *db.Tx) (Contribution, error) {
		return once.Do(tx, func() (Contribution, error) { return s.submitGit(tx, by, w, o) })
	})
}

func (s *Service) submitGit(tx *db.Tx, by coop.MemberID, w Work, o GitOrigin) (Contribution, error) {
	facts, err := s.people(tx, by, o)
	if err != nil {
		return Contribution{}, err
	}
	if known, err := gitKnown(tx, o.Source, by); err != nil {
		return Contribution{}, err
	} else if known {
		return Contribution{}, ErrGitKnown
	}
	c, err := s.submit(tx, by, w)
	if err != nil {
		return Contribution{}, err
	}
	c.Git = &facts
	return c, insertGitFacts(tx, c.ID, facts)
}

// people finds the members among a contribution's authors. Two addresses of
// one member are one author.
func (s *Service) people(tx *db.Tx, by coop.MemberID, o GitOrigin) (GitFacts, error) {
	facts := GitFacts{Source: o.Source}
	var seen []string
	contested := false
	for _, a := range o.Authors {
		address, _ := gitsource.Address(a)
		if address != "" && slices.Contains(seen, address) {
			continue
		}
		seen = append(seen, address)
		owner, disputed, err := s.holder(tx, address)
		if err != nil {
			return GitFacts{}, err
		}
		contested = contested || slices.Contains(disputed, by)
		if owner == "" {
			facts.Authors++
			continue
		}
		if !slices.Contains(facts.Members, owner) {
			facts.Members, facts.places = append(facts.Members, owner), append(facts.places, facts.Authors)
			facts.Authors++
		}
	}
	switch {
	case slices.Contains(facts.Members, by):
		return facts, nil
	case contested:
		return GitFacts{}, ErrClaimContested
	}
	return GitFacts{}, ErrGitIdentity
}

// MadeBy reports whether a member made a contribution, alone or with others.
func (c Contribution) MadeBy(by coop.MemberID) bool {
	return c.Member == by || c.Git != nil && slices.Contains(c.Git.Members, by)
}

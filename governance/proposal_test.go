package governance

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/policies"
)

func TestAVoteBecomesLaw(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(10)
	before := w.Engine.Current().Hash()

	p, err := w.Propose(t.Context(), ids[0], Draft{"No companies", "Because we want it.", narrower("no-companies")})
	must(t, err)
	if p.State != Rehearsing || p.Electorate != 10 || p.ClosesAt-p.OpenedAt != week.Milliseconds() || p.Tally != nil {
		t.Fatalf("proposed as %+v", p)
	}
	w.pass(0)
	if p = w.state(p.ID); p.State != Voting || p.ClosesAt-p.OpenedAt != week.Milliseconds() || p.Tally != nil {
		t.Fatalf("opened as %+v", p)
	}
	if !slices.ContainsFunc(p.Sentences, func(s string) bool { return strings.Contains(s, "is a company") }) {
		t.Errorf("the members read %q", p.Sentences)
	}
	w.vote(p, Yes, ids[0], ids[1], ids[2], ids[3])
	w.vote(p, No, ids[4], ids[5])
	w.vote(p, Abstain, ids[6])

	w.pass(week)
	p = w.state(p.ID)
	if p.State != Passed || p.Tally.Yes != 4 || p.Tally.No != 2 || p.Tally.Abstain != 1 || p.Tally.Needed != 3 {
		t.Fatalf("counted as %s %+v", p.State, p.Tally)
	}
	if w.Engine.Current().Hash() != before {
		t.Error("it was law before the timelock ended")
	}
	w.pass(pause - time.Second)
	if got := w.state(p.ID).State; got != Passed {
		t.Errorf("a second too early it is %s", got)
	}
	w.pass(time.Second)
	if got := w.state(p.ID); got.State != Enacted || got.Revision != w.Engine.Current().Hash() || got.Revision == before {
		t.Errorf("enacted: %s %s, in force %s", got.State, got.Revision, w.Engine.Current().Hash())
	}
	source, err := w.RevisionSource(t.Context(), p.Revision)
	must(t, err)
	if !bytes.Equal(source, p.Source) {
		t.Error("the source of the revision is not what was voted on")
	}
	laws, err := w.Revisions(t.Context(), 0, 10)
	must(t, err)
	if len(laws) != 2 || laws[0].Proposal != p.ID || laws[1].Proposal != "" || laws[1].Revision != before {
		t.Errorf("laws: %+v", laws)
	}
	if votes, err := w.Verify(t.Context()); err != nil || votes != 1 {
		t.Errorf("verify: %d, %v", votes, err)
	}
}

func TestHowAVoteEnds(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(10)
	before := w.Engine.Current().Hash()
	for _, c := range []struct {
		name             string
		yes, no, abstain int
		want             State
		says             string
	}{
		{"more no than yes", 3, 4, 0, Rejected, "More than 50 %"},
		{"a tie", 3, 3, 4, Rejected, "More than 50 %"},
		{"too few", 2, 0, 5, NoQuorum, "At least 3 had to say yes"},
		{"nobody came", 0, 0, 0, NoQuorum, "0 yes, 0 no and 0 abstained, of 10 members"},
		{"only abstentions", 0, 0, 10, NoQuorum, "At least 3"},
	} {
		p := w.propose(ids[9], narrower("no-companies"))
		w.vote(p, Yes, ids[:c.yes]...)
		w.vote(p, No, ids[c.yes:c.yes+c.no]...)
		w.vote(p, Abstain, ids[c.yes+c.no:c.yes+c.no+c.abstain]...)
		w.pass(week)
		w.pass(pause)
		got := w.state(p.ID)
		if got.State != c.want || !strings.Contains(got.Reason, c.says) || got.ExecutableAt != 0 {
			t.Errorf("%s: %s (%s), want %s", c.name, got.State, got.Reason, c.want)
		}
		if w.Engine.Current().Hash() != before {
			t.Errorf("%s: the law changed", c.name)
		}
	}
}

func TestTheTallyIsHiddenUntilTheClose(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(4)
	p := w.propose(ids[0], narrower("no-companies"))
	w.vote(p, Yes, ids[0], ids[1], ids[2])
	w.clock.Advance(week) // closed, but not counted
	_, err := w.Result(t.Context(), p.ID)
	refused(t, err, ErrVotingOpen)
	_, err = w.Ballots(t.Context(), p.ID, "", 100)
	refused(t, err, ErrVotingOpen)
	if got := w.state(p.ID); got.Tally != nil || got.Reason != "" {
		t.Errorf("before the count the proposal says %+v %q", got.Tally, got.Reason)
	}
	list, err := w.Proposals(t.Context(), Page{})
	must(t, err)
	if len(list) != 1 || list[0].Tally != nil || len(list[0].Source) != 0 {
		t.Errorf("the list says %+v", list)
	}
	w.pass(0)
	if tally, err := w.Result(t.Context(), p.ID); err != nil || tally.Yes != 3 {
		t.Errorf("%+v, %v", tally, err)
	}
}

func TestABallotThatIsRefused(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(5)
	p := w.propose(ids[0], narrower("no-companies"))
	late := w.join("late")
	w.vote(p, Yes, ids[0])

	cast := func(m coop.MemberID, id coop.ProposalID, choice string) error {
		_, err := w.Cast(t.Context(), m, id, choice)
		return err
	}
	for _, choice := range []string{"", "maybe", "YES", "yes "} {
		refused(t, cast(ids[1], p.ID, choice), ErrChoice)
	}
	refused(t, cast(ids[1], "x", Yes), ErrProposalNotFound)
	refused(t, cast(ids[1], coop.ProposalID(coop.NewID()), Yes), ErrProposalNotFound)
	refused(t, cast("nobody", p.ID, Yes), ErrNotAMember)
	refused(t, cast(late, p.ID, Yes), ErrNotOnRoll)
	refused(t, cast(ids[0], p.ID, Yes), ErrAlreadyVoted)
	refused(t, cast(ids[0], p.ID, No), ErrAlreadyVoted)
	w.clock.Advance(week - time.Millisecond)
	must(t, cast(ids[1], p.ID, Yes))
	w.clock.Advance(time.Millisecond)
	refused(t, cast(ids[2], p.ID, Yes), ErrVotingClosed)
	w.pass(0)
	refused(t, cast(ids[2], p.ID, Yes), ErrVotingClosed)
	if got := w.state(p.ID).Tally; got.Yes != 2 || got.No != 0 || got.Abstain != 0 {
		t.Errorf("refused ballots were counted: %+v", got)
	}
}

func TestOneMemberVotingAtOnceFromEverywhereVotesOnce(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(3)
	p := w.propose(ids[0], narrower("no-companies"))
	results := make(chan error)
	for range 16 {
		go func() {
			_, err := w.Cast(t.Context(), ids[1], p.ID, Yes)
			results <- err
		}()
	}
	taken := 0
	for range 16 {
		if err := <-results; err == nil {
			taken++
		} else {
			refused(t, err, ErrAlreadyVoted)
		}
	}
	w.pass(week)
	if got := w.state(p.ID).Tally.Yes; taken != 1 || got != 1 {
		t.Errorf("%d ballots taken, %d counted", taken, got)
	}
}

func TestAProposalThatIsRefused(t *testing.T) {
	w := newWorld(t)
	eva := w.join("eva")
	good := narrower("no-companies")
	for _, c := range []struct {
		draft Draft
		want  error
	}{
		{Draft{"", "why", good}, ErrProposalTitle},
		{Draft{" \t", "why", good}, ErrProposalTitle},
		{Draft{"two\nlines", "why", good}, ErrProposalTitle},
		{Draft{"safe \u202e reversed", "why", good}, ErrProposalTitle},
		{Draft{strings.Repeat("x", 121), "why", good}, ErrProposalTitle},
		{Draft{"title", "", good}, ErrProposalText},
		{Draft{"title", "\xff", good}, ErrProposalText},
		{Draft{"title", strings.Repeat("x", 4001), good}, ErrProposalText},
		{Draft{"title", "why", nil}, ErrPolicySize},
		{Draft{"title", "why", bytes.Repeat([]byte("x"), policies.MaxAccess+1)}, ErrPolicySize},
		{Draft{"title", "why", []byte("not Rego at all")}, ErrPolicyRefused},
		{Draft{"title", "why", []byte("package coop.decision\n\nresult := {\"allow\": true}\n")}, ErrPolicyRefused},
		{Draft{"title", "why", policies.Default()}, ErrAlreadyLaw},
		{Draft{"title", "why", append(policies.Default(), "\n\n\n"...)}, ErrAlreadyLaw},
	} {
		_, err := w.Propose(t.Context(), eva, c.draft)
		refused(t, err, c.want)
		var f *fault.Error
		if errors.Is(c.want, ErrPolicyRefused) && (!errors.As(err, &f) || len(f.Detail) == 0) {
			t.Error("the gate gives no finding")
		}
	}
	_, err := w.Propose(t.Context(), "nobody", Draft{"title", "why", good})
	refused(t, err, ErrNotAMember)
	list, err := w.Proposals(t.Context(), Page{})
	must(t, err)
	if len(list) != 0 {
		t.Errorf("refused proposals were kept: %d", len(list))
	}
}

func TestNobodyFloodsTheBallot(t *testing.T) {
	w := newWorld(t)
	eva := w.join("eva")
	for range mostOpenVotes {
		w.propose(eva, narrower("no-companies"))
	}
	_, err := w.Propose(t.Context(), eva, Draft{"one more", "why", narrower("no-companies")})
	refused(t, err, ErrTooManyOpen)
	w.pass(week)
	w.propose(eva, narrower("no-companies"))
}

func TestTheRollIsFrozenAtOpening(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(4)
	p := w.propose(ids[0], narrower("no-companies"))
	w.joinMany(40) // 36 more; with them three would not be a quorum of 12 %
	must(t, w.CloseAccount(t.Context(), ids[3]))
	w.vote(p, Yes, ids[:3]...)
	w.pass(week)
	if got := w.state(p.ID); got.State != Passed || got.Electorate != 4 {
		t.Errorf("%s of %d", got.State, got.Electorate)
	}
}

func TestRepealIsAnOrdinaryVote(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(5)
	first := w.Engine.Current().Hash()
	w.enact(narrower("no-companies"), ids...)
	if w.Engine.Current().Hash() == first {
		t.Fatal("nothing was enacted")
	}
	w.enact(policies.Default(), ids...)
	if got := w.Engine.Current().Hash(); got != first {
		t.Errorf("in force %s, want the first law %s", got, first)
	}
	w.enact(narrower("no-companies"), ids...)
	laws, err := w.Revisions(t.Context(), 0, 10)
	must(t, err)
	if len(laws) != 4 || laws[0].Revision != laws[2].Revision || laws[1].Revision != first {
		t.Errorf("laws: %+v", laws)
	}
	if older, err := w.Revisions(t.Context(), laws[1].Seq, 1); err != nil || len(older) != 1 || older[0] != laws[2] {
		t.Errorf("the page before: %+v, %v", older, err)
	}
	_, err = w.Revisions(t.Context(), 0, 0)
	refused(t, err, errCursor)
}

func TestALawIsNotUndoneUnnoticed(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(5)
	one, other := w.propose(ids[0], narrower("one")), w.propose(ids[1], narrower("other"))
	w.vote(one, Yes, ids...)
	w.vote(other, Yes, ids...)
	w.pass(week)
	w.pass(pause)
	one, other = w.state(one.ID), w.state(other.ID)
	if one.State != Enacted || other.State != Void || other.Reason != voidStale {
		t.Errorf("first %s, second %s (%s)", one.State, other.State, other.Reason)
	}
	if got := w.Engine.Current().Hash(); got != one.Revision {
		t.Error("the second law is in force")
	}
}

func TestTheGateIsAskedAgainBeforeEnactment(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(5)
	before := w.Engine.Current().Hash()
	p := w.propose(ids[0], narrower("no-companies"))
	w.vote(p, Yes, ids...)
	w.pass(week)
	w.tamper(`UPDATE governance_proposals SET source = ? WHERE id = ?`, []byte("package coop.decision\n"), p.ID)
	w.pass(pause)
	if got := w.state(p.ID); got.State != Void || !strings.HasPrefix(got.Reason, voidGate) || len(got.Reason) == len(voidGate) {
		t.Errorf("%s: %s", got.State, got.Reason)
	}
	if w.Engine.Current().Hash() != before {
		t.Error("the law changed")
	}
}

func TestJobsThatRunAgainChangeNothing(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(4)
	p := w.propose(ids[0], narrower("no-companies"))
	payload, err := json.Marshal(about{p.ID})
	must(t, err)
	refused(t, w.tallyJob(t.Context(), payload), errEarly)
	must(t, w.enactJob(t.Context(), payload)) // not passed: nothing to do
	w.vote(p, Yes, ids...)
	w.pass(week)
	counted := w.state(p.ID)
	must(t, w.tallyJob(t.Context(), payload))
	refused(t, w.enactJob(t.Context(), payload), errEarly)
	if got := w.state(p.ID); got.State != Passed || *got.Tally != *counted.Tally || got.ExecutableAt != counted.ExecutableAt {
		t.Errorf("counted again: %+v", got)
	}
	w.pass(pause)
	for range 3 {
		must(t, w.enactJob(t.Context(), payload))
	}
	if laws, err := w.Revisions(t.Context(), 0, 10); err != nil || len(laws) != 2 {
		t.Errorf("%d laws, %v", len(laws), err)
	}
	if w.tallyJob(t.Context(), []byte("{")) == nil || w.enactJob(t.Context(), []byte("{")) == nil {
		t.Error("a job without a proposal is no failure")
	}
	refused(t, w.tallyJob(t.Context(), []byte(`{"proposal":"x"}`)), ErrProposalNotFound)
}

func TestALateCountStillLeavesTheWholeTimelock(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(4)
	p := w.propose(ids[0], narrower("no-companies"))
	w.vote(p, Yes, ids...)
	w.pass(week + 1000*time.Hour) // the server was down
	p = w.state(p.ID)
	if p.State != Passed || p.ExecutableAt != w.now()+pause.Milliseconds() {
		t.Errorf("%s, executable at %d, now %d", p.State, p.ExecutableAt, w.now())
	}
}

func TestARepeatedProposalIsOneProposal(t *testing.T) {
	w := newWorld(t)
	eva := w.join("eva")
	d := Draft{"title", "why", narrower("no-companies")}
	first, err := w.Propose(keyed(t.Context(), eva, "k"), eva, d)
	must(t, err)
	again, err := w.Propose(keyed(t.Context(), eva, "k"), eva, d)
	must(t, err)
	if first.ID != again.ID {
		t.Error("the same call opened two votes")
	}
	if list, err := w.Proposals(t.Context(), Page{}); err != nil || len(list) != 1 {
		t.Errorf("%d proposals, %v", len(list), err)
	}
}

func TestUnknownProposalsAndRevisionsAreNotFound(t *testing.T) {
	w := newWorld(t)
	for _, id := range []coop.ProposalID{"", "x", coop.ProposalID(coop.NewID())} {
		_, err := w.Proposal(t.Context(), id)
		refused(t, err, ErrProposalNotFound)
		_, err = w.Result(t.Context(), id)
		refused(t, err, ErrProposalNotFound)
		_, err = w.Impact(t.Context(), id)
		refused(t, err, ErrProposalNotFound)
		_, err = w.Ballots(t.Context(), id, "", 1)
		refused(t, err, ErrProposalNotFound)
	}
	for _, hash := range []string{"", "x", strings.Repeat("0", 64)} {
		_, err := w.RevisionSource(t.Context(), hash)
		refused(t, err, ErrRevisionNotFound)
	}
}

package governance

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/db"
)

func TestAReceiptFindsTheBallotItWasGivenFor(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(4)
	p := w.propose(ids[0], narrower("no-companies"))
	mine, err := w.Cast(t.Context(), ids[1], p.ID, No)
	must(t, err)
	w.vote(p, Yes, ids[0], ids[2], ids[3])
	found, err := w.Receipt(t.Context(), " "+strings.ToUpper(mine.Receipt)+"\n")
	must(t, err)
	if found.Proposal != p.ID || found.Choice != No || found.Leaf != mine.Leaf || found.Receipt != "" {
		t.Errorf("found %+v", found)
	}
	for _, bad := range []string{"", "x", mine.ReceiptSHA256, mine.Receipt[1:]} {
		_, err := w.Receipt(t.Context(), bad)
		refused(t, err, ErrReceiptNotFound)
	}
	w.pass(week)
	list, err := w.Ballots(t.Context(), p.ID, "", 100)
	must(t, err)
	if !slices.ContainsFunc(list, func(b Ballot) bool { return b.ReceiptSHA256 == mine.ReceiptSHA256 && b.Choice == No }) {
		t.Error("the voter's ballot is not in the published list")
	}
}

func TestAnybodyCanCountAgain(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(7)
	p := w.propose(ids[0], narrower("no-companies"))
	w.vote(p, Yes, ids[:4]...)
	w.vote(p, No, ids[4:6]...)
	w.vote(p, Abstain, ids[6])
	w.pass(week)
	var all []Ballot
	for after := ""; ; {
		page, err := w.Ballots(t.Context(), p.ID, after, 2)
		must(t, err)
		if len(page) == 0 {
			break
		}
		all = append(all, page...)
		after = page[len(page)-1].ReceiptSHA256
	}
	h, votes := sha256.New(), map[string]int{}
	for _, b := range all {
		votes[b.Choice]++
		fmt.Fprintf(h, "%s %s\n", b.ReceiptSHA256, b.Choice)
	}
	got, err := w.Result(t.Context(), p.ID)
	must(t, err)
	if got.Yes != votes[Yes] || got.No != votes[No] || got.Abstain != votes[Abstain] || got.BallotsSHA256 != hex.EncodeToString(h.Sum(nil)) {
		t.Errorf("counted %+v, the list gives %v", got, votes)
	}
	for _, limit := range []int{0, -1, 101} {
		_, err := w.Ballots(t.Context(), p.ID, "", limit)
		refused(t, err, errCursor)
	}
}

func TestARepeatedBallotIsOneBallotAndLeavesNoTrace(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(3)
	p := w.propose(ids[0], narrower("no-companies"))
	first, err := w.Cast(keyed(t.Context(), ids[0], "k"), ids[0], p.ID, Yes)
	must(t, err)
	again, err := w.Cast(keyed(t.Context(), ids[0], "k"), ids[0], p.ID, Yes)
	must(t, err)
	if first != again || first.Receipt == "" {
		t.Errorf("first %+v, again %+v", first, again)
	}
	if found := w.grep(first.Receipt); found != "" {
		t.Errorf("the receipt lies in %s", found)
	}
	if found := w.grep(first.ReceiptSHA256, "once_"); found != "" {
		t.Errorf("the idempotency key leads to the ballot, in %s", found)
	}
}

func TestTheTablesDoNotSayWhoVotedWhat(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(3)
	p := w.propose(ids[0], narrower("no-companies"))
	w.vote(p, Yes, ids...)
	for _, id := range ids {
		if found := w.grep(string(id), "governance_ballots"); found != "" {
			t.Errorf("a voter is named in %s", found)
		}
		voted, err := w.Voted(t.Context(), id, p.ID)
		if err != nil || !voted {
			t.Errorf("a voter is not ticked off: %v", err)
		}
	}
	if voted, err := w.Voted(t.Context(), "nobody", p.ID); err != nil || voted {
		t.Errorf("nobody has voted: %v, %v", voted, err)
	}
}

func TestTheLogSaysNothingAboutAnybody(t *testing.T) {
	w := newWorld(t)
	eva, err := w.Admit(t.Context(), Identity{Issuer: issuer, Subject: "subject-of-eva", Name: "Eva Unforgettable"})
	must(t, err)
	ids := append(w.joinMany(3), eva.ID)
	p := w.propose(eva.ID, narrower("no-companies"))
	w.vote(p, Yes, ids...)
	c := w.submitted(eva.ID)
	w.reviewed(c.ID, Verdict{Accept: true, Size: 2}, ids[0], ids[1])
	w.pass(week)
	w.pass(pause)
	var leaves string
	must(t, w.DB.View(t.Context(), func(tx *db.Tx) error {
		leaves = dump(t, tx, "audit_leaves")
		return nil
	}))
	for _, kind := range []string{"admit", "propose", "ballot", "tally", "enact", "contribution"} {
		if !strings.Contains(leaves, `"governance.`+kind+`"`) {
			t.Errorf("there is no entry for %s", kind)
		}
	}
	secrets := []string{"subject-of-eva", "Eva", `"yes"`, string(p.ID), string(c.ID)}
	for _, id := range ids {
		secrets = append(secrets, string(id))
	}
	for _, secret := range secrets {
		if strings.Contains(leaves, secret) {
			t.Errorf("an entry holds %s", secret)
		}
	}
}

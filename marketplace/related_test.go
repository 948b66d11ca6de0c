package marketplace

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/ledger"
)

// relative is a university that a member runs, as the steward who vetted it says.
func (h *house) relative() scientist {
	h.t.Helper()
	s := h.vetted(Researcher{Name: "University of a Member", Kind: "university", Region: "DE", Related: true})
	if !must[Researcher](h.t)(h.Researcher(h.ctx(), s.ID)).Related {
		h.t.Fatal("what the steward said is not kept")
	}
	return s
}

// of sums what a statement pays for a kind of evidence.
func (p Published) of(kind string) (sum int64) {
	for _, s := range p.Statement.Shares {
		for _, l := range s.Lines {
			if l.Kind == kind {
				sum += l.Amount
			}
		}
	}
	return sum
}

// paid counts the lines of a kind of evidence for which a statement pays anything.
func (p Published) paid(kind string) (n int) {
	for _, s := range p.Statement.Shares {
		for _, l := range s.Lines {
			if l.Kind == kind && l.Amount > 0 {
				n++
			}
		}
	}
	return n
}

// noted counts how often the last tile of the log names a kind of event.
func (h *house) noted(kind string) int {
	h.t.Helper()
	var size int
	must[int](h.t)(fmt.Sscan(strings.Split(string(must[[]byte](h.t)(h.log.Checkpoint(h.ctx()))), "\n")[1], &size))
	return bytes.Count(must[[]byte](h.t)(h.log.Tile(h.ctx(), fmt.Sprintf("tile/entries/%03d.p/%d", size/256, size%256))), []byte(kind))
}

// Whoever buys their own data pays for it and gets nothing back: neither for the
// use nor, from then on, for keeping the data there.
func TestWhatARelatedPartyBuysEarnsNobodyAShare(t *testing.T) {
	h := story(t)
	members, _ := h.shared(4)
	s := h.relative()
	_, files := h.paid(s)
	h.fetchAll(s, files)
	if got := must[int64](t)(h.SoFar(h.ctx(), members[0])); got != 0 {
		t.Errorf("%d thousandths are promised for a purchase by a related party", got)
	}
	p := h.closed("P0001")
	pub := h.statement("P0001")
	if p.Revenue != 4*price || pub.of(appraisal.KindData) != 0 || pub.of(appraisal.KindStipend) != 0 {
		t.Fatalf("of %d, %d is paid for the uses and %d for keeping", p.Revenue, pub.of(appraisal.KindData), pub.of(appraisal.KindStipend))
	}
	share := must[MemberStatement](t)(h.MemberStatement(h.ctx(), members[0], "P0001")).Share
	if len(share.Lines) != 1 || !strings.Contains(share.Lines[0].Sentence, "a party related to a member bought it") {
		t.Errorf("the member is not told why: %+v", share.Lines)
	}
	h.ok(appraisal.Verify(pub.Bundle))
	h.settled("P0001")
	h.holds(ledger.Access, 0)
	for _, m := range members {
		h.holds(ledger.Member(m), 0)
	}
}

// Beside an ordinary purchase, what a related party pays is divided by what the
// ordinary one weighs: the dataset that it read gets no more than the others.
func TestARelatedPurchaseMovesNothingToWhatItRead(t *testing.T) {
	h := story(t)
	members, _ := h.shared(4)
	s, kin := h.scientist(), h.relative()
	_, files := h.paid(s)
	h.fetchAll(s, files)
	_, files = h.paid(kin)
	for _, f := range files { // only the file of the member who stands behind the buyer
		if h.sealedBy(f.SHA256) == members[0] {
			h.fetch(kin, f.ID)
		}
	}
	if p := h.closed("P0001"); p.Revenue != 5*price {
		t.Fatalf("%d came in", p.Revenue)
	}
	least, most := int64(1)<<62, int64(0)
	for _, one := range h.statement("P0001").Statement.Shares {
		least, most = min(least, one.Amount), max(most, one.Amount)
	}
	if most-least > 1 || most == 0 {
		t.Errorf("equal data earn between %d and %d", least, most)
	}
}

// relate has the steward of vetting say whether a member stands behind a researcher.
func (h *house) relate(s scientist, yes bool) {
	h.t.Helper()
	h.ok(h.Relate(h.ctx(), h.ada, s.ID, yes))
	if must[Researcher](h.t)(h.Researcher(h.ctx(), s.ID)).Related != yes {
		h.t.Fatalf("%v is not kept", yes)
	}
}

// What a steward learns after vetting holds for the whole of the running period,
// whatever was promised in it so far, and for no period before: a statement that
// was published comes out the same when it is computed again.
func TestALaterWordHoldsFromTheRunningPeriodOn(t *testing.T) {
	h := story(t)
	members, _ := h.shared(4)
	s := h.scientist()
	use := func(n int) {
		_, files := h.paid(s)
		for _, f := range files[:n] {
			h.fetch(s, f.ID)
		}
	}
	promised := func() (sum int64) {
		for _, m := range members {
			sum += must[int64](t)(h.SoFar(h.ctx(), m))
		}
		return sum
	}
	use(2)
	h.closed("P0001")
	before := h.statement("P0001")
	if before.of(appraisal.KindData) == 0 {
		t.Fatal("an ordinary purchase pays nothing")
	}
	use(3)
	if promised() == 0 {
		t.Fatal("an ordinary purchase promises nothing")
	}
	h.relate(s, true)
	use(4)
	if got := promised(); got != 0 {
		t.Errorf("%d thousandths stay promised for purchases by a related party", got)
	}
	h.closed("P0002")
	if second := h.statement("P0002"); second.Period.Revenue != 7*price || second.of(appraisal.KindData) != 0 {
		t.Errorf("%d, of which %d for the uses", second.Period.Revenue, second.of(appraisal.KindData))
	} else if n := second.paid(appraisal.KindStipend); n != 2 {
		t.Errorf("2 datasets were confirmed in a closed period, and %d earn the stipend", n)
	}
	for _, id := range []coop.PeriodID{"P0001", "P0002"} { // computed again while something else is in force
		h.relate(s, id == "P0001")
		pub := h.statement(id)
		ev, err := h.evidence(h.ctx(), pub.Period)
		h.ok(err)
		for _, r := range ev.Requests {
			if r.Related != (id == "P0002") {
				t.Errorf("%s is another when computed again: %+v", id, r)
			}
		}
	}
	h.relate(s, false) // it is over, within the third period
	use(4)
	if promised() == 0 {
		t.Error("what is over goes on")
	}
	h.closed("P0003")
	if third := h.statement("P0003"); third.of(appraisal.KindData) == 0 {
		t.Error("what is over goes on")
	}
}

func TestOnlyAStewardOfVettingSaysWhoStandsBehindWhom(t *testing.T) {
	h := story(t)
	s, far := h.scientist(), h.scientist()
	for _, m := range []coop.MemberID{h.bea, h.member("eva"), ""} {
		h.refused(h.Relate(h.ctx(), m, s.ID, true), ErrOffice)
	}
	h.refused(h.Relate(h.ctx(), h.ada, "nobody", true), ErrNotFound)
	said := func() int { return h.noted("researcher.related") }
	h.relate(s, false) // as it is
	if said() != 0 {
		t.Error("nothing new is noted")
	}
	h.relate(s, true)
	h.relate(s, true)
	h.relate(s, false)
	if said() != 2 {
		t.Errorf("%d notes in the log of two changes", said())
	}
	if must[Researcher](t)(h.Researcher(h.ctx(), far.ID)).Related {
		t.Error("somebody else became related")
	}
}

package marketplace

import (
	"errors"
	"strings"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace/appeals"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/vault"
)

// dataShare is what a member's data earned in the first period.
func (h *house) dataShare(m coop.MemberID) (amount int64, said string) {
	h.t.Helper()
	share := must[MemberStatement](h.t)(h.MemberStatement(h.ctx(), m, "P0001")).Share
	for _, line := range share.Lines {
		if line.Kind == appraisal.KindData {
			amount, said = amount+line.Amount, said+line.Sentence
		}
	}
	return amount, said
}

// read has a scientist pay for and fetch whatever is shared.
func (h *house) read() {
	h.t.Helper()
	s := h.scientist()
	_, files := h.paid(s)
	h.fetchAll(s, files)
}

// TestTwoAccountsOfOneBankAccountEarnAsOne: five members share; two of them are
// paid to one bank account. They earn together what any other earns alone, and
// are told why. A steward whom one of them convinces takes them apart.
func TestTwoAccountsOfOneBankAccountEarnAsOne(t *testing.T) {
	h := story(t)
	members, datasets := h.shared(5)
	for _, m := range members[:2] {
		must[PayoutAccount](t)(h.SetPayoutAccount(h.ctx(), m, "Ada Adams", ibanDE))
	}
	must[PayoutAccount](t)(h.SetPayoutAccount(h.ctx(), members[2], "Bob Brown", ibanGB))
	h.read()
	h.carried("P0001")
	h.read()
	h.closed("P0002")
	first, said := h.lineOf(members[0], "P0002")
	second, _ := h.lineOf(members[1], "P0002")
	other, plain := h.lineOf(members[2], "P0002")
	if together := first + second; together < other-1 || together > other+1 {
		t.Errorf("two accounts earn %d together and another member %d", together, other)
	}
	if !strings.Contains(said, "paid to the same bank account") || strings.Contains(plain, "bank account") {
		t.Errorf("told: %q and %q", said, plain)
	}
	a := must[Appeal](t)(h.Appeal(h.ctx(), members[1], "P0002", "We share an account, and are two."))
	for name, bad := range map[string]AppealCorrection{
		"twice alone":   {Line: AppealLine{Kind: appraisal.KindData, Ref: string(datasets[1])}, Field: "alone", Value: 2, Source: "s"},
		"somebody else": {Line: AppealLine{Kind: appraisal.KindData, Ref: string(datasets[0])}, Field: "alone", Value: 1, Source: "s"},
		"not data":      {Line: AppealLine{Kind: appraisal.KindWork, Ref: string(datasets[1])}, Field: "alone", Value: 1, Source: "s"},
	} {
		if _, err := h.DecideAppeal(h.ctx(), h.dan, a.ID, true, "Yes.", bad); !errors.Is(err, appeals.ErrCorrection) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must[Appeal](t)(h.DecideAppeal(h.ctx(), h.dan, a.ID, true, "Two persons.",
		AppealCorrection{Line: AppealLine{Kind: appraisal.KindData, Ref: string(datasets[1])}, Field: "alone", Value: 1, Source: "minutes of 3 May"}))
	first, _ = h.lineOf(members[0], "P0002")
	second, said = h.lineOf(members[1], "P0002")
	if other, _ = h.lineOf(members[2], "P0002"); first < other-1 || second < other-1 || strings.Contains(said, "bank account") {
		t.Errorf("after the appeal %d and %d beside %d: %q", first, second, other, said)
	}
}

// TestWhatAStewardTookApartStaysApart: an appeal that was upheld about one period
// holds for the next ones, and says so, until a payout tells something new of the
// accounts; then they count together once more.
func TestWhatAStewardTookApartStaysApart(t *testing.T) {
	h := story(t)
	members, datasets := h.shared(5)
	for _, m := range members[:2] {
		must[PayoutAccount](t)(h.SetPayoutAccount(h.ctx(), m, "Ada Adams", ibanDE))
	}
	must[PayoutAccount](t)(h.SetPayoutAccount(h.ctx(), members[2], "Bob Brown", ibanGB))
	h.read()
	h.carried("P0001")
	h.read()
	h.closed("P0002")
	a := must[Appeal](t)(h.Appeal(h.ctx(), members[1], "P0002", "We share an account, and are two."))
	must[Appeal](t)(h.DecideAppeal(h.ctx(), h.dan, a.ID, true, "Two persons.",
		AppealCorrection{Line: AppealLine{Kind: appraisal.KindData, Ref: string(datasets[1])}, Field: "alone", Value: 1, Source: "minutes of 3 May"}))
	h.settled("P0002")
	h.read()
	h.closed("P0003")
	first, _ := h.lineOf(members[0], "P0003")
	second, said := h.lineOf(members[1], "P0003")
	other, plain := h.lineOf(members[2], "P0003")
	if first < other-1 || second < other-1 || !strings.Contains(said, "an appeal about P0002 was upheld") || strings.Contains(plain, "appeal") {
		t.Errorf("a period later %d and %d beside %d: %q, %q", first, second, other, said, plain)
	}
	named := 0
	for _, u := range must[appraisal.Bundle](t)(appraisal.ParseBundle(h.statement("P0003").Bundle)).Evidence.Data {
		if u.Alone == "P0002" && u.Cluster == "" {
			named++
		}
	}
	if named != 1 {
		t.Errorf("%d uses in the bundle rest on the appeal", named)
	}
	must[PayoutAccount](t)(h.SetPayoutAccount(h.ctx(), members[3], "Ada Adams", ibanDE)) // named, and not reached yet
	h.settled("P0003")
	h.read()
	h.carried("P0004")
	if _, said = h.lineOf(members[1], "P0004"); !strings.Contains(said, "an appeal about P0002 was upheld") {
		t.Errorf("a number that was only named undoes it: %q", said)
	}
	h.read()
	h.closed("P0005")
	together := int64(0)
	for _, m := range []coop.MemberID{members[0], members[1], members[3]} {
		n, said := h.lineOf(m, "P0005")
		if together += n; !strings.Contains(said, "counts together") {
			t.Errorf("three are paid to one account now: %q", said)
		}
	}
	if other, _ = h.lineOf(members[2], "P0005"); together < other-2 || together > other+2 {
		t.Errorf("three accounts earn %d together and another member %d", together, other)
	}
}

// earns is what one kind of line brought a member in a period.
func (h *house) earns(m coop.MemberID, id coop.PeriodID, kind string) (amount int64, said string) {
	h.t.Helper()
	for _, line := range must[MemberStatement](h.t)(h.MemberStatement(h.ctx(), m, id)).Share.Lines {
		if line.Kind == kind {
			amount, said = amount+line.Amount, said+line.Sentence
		}
	}
	return amount, said
}

// joined are six members, of whom the first two have been paid for work, to one bank
// account, and the next three share something.
func (h *house) joined() []coop.MemberID {
	h.t.Helper()
	members := h.members(6)
	for _, m := range members[2:5] {
		h.share(m, yes())
	}
	for _, m := range members[:2] {
		h.worked(m)
		must[PayoutAccount](h.t)(h.SetPayoutAccount(h.ctx(), m, "Ada Adams", ibanDE))
	}
	must[PayoutAccount](h.t)(h.SetPayoutAccount(h.ctx(), members[2], "Bob Brown", ibanGB))
	h.read()
	h.carried("P0001")
	return members
}

// alone has a steward take a member's lines about a dataset out of a cluster.
func (h *house) alone(m coop.MemberID, id coop.PeriodID, d coop.DatasetID, kinds ...string) {
	h.t.Helper()
	a := must[Appeal](h.t)(h.Appeal(h.ctx(), m, id, "We share an account, and are two."))
	var fixes []AppealCorrection
	for _, kind := range kinds {
		fixes = append(fixes, AppealCorrection{Line: AppealLine{Kind: kind, Ref: string(d)}, Field: "alone", Value: 1, Source: "minutes of 3 May"})
	}
	must[Appeal](h.t)(h.DecideAppeal(h.ctx(), h.dan, a.ID, true, "Two persons.", fixes...))
}

// fingerprint makes what is shared the same table as all others with it.
func fingerprint(in *vault.SealInput) { in.Profile.Fingerprint = strings.Repeat("5a", 32) }

// TestWhoStandsAloneIsCopiedByAnother: once a steward found that two who share a
// bank account are two persons, what one of them copies from the other earns
// nothing, in that period and the next, for use and for being kept available: whoever
// of them appealed.
func TestWhoStandsAloneIsCopiedByAnother(t *testing.T) {
	for who, appellant := range []string{"the copier", "the copied"} {
		t.Run(appellant, func(t *testing.T) { copied(t, who) })
	}
}

func copied(t *testing.T, appellant int) {
	h := story(t)
	members := h.joined()
	h.share(members[5], yes())
	original := h.share(members[1], yes(), fingerprint)
	h.clock.Advance(time.Minute)
	datasets := []coop.DatasetID{h.share(members[0], yes(), fingerprint), original}
	h.read()
	h.closed("P0002")
	for _, kind := range []string{appraisal.KindData, appraisal.KindStipend} {
		if n, _ := h.earns(members[0], "P0002", kind); n == 0 {
			t.Errorf("%s: as one person's, the copy has a part of it", kind)
		}
	}
	h.alone(members[appellant], "P0002", datasets[appellant], appraisal.KindStipend)
	check := func(id coop.PeriodID) {
		t.Helper()
		for _, kind := range []string{appraisal.KindData, appraisal.KindStipend} {
			first, _ := h.earns(members[1], id, kind)
			copied, said := h.earns(members[0], id, kind)
			if other, _ := h.earns(members[5], id, kind); first == 0 || first < other-1 || copied != 0 || !strings.Contains(said, "another member shared first") {
				t.Errorf("%s, %s: %d, a copy %d, others %d: %q", id, kind, first, copied, other, said)
			}
		}
	}
	check("P0002")
	h.settled("P0002")
	h.read()
	h.closed("P0003")
	check("P0003")
}

// TestWhoStandsAloneIsOnePerson: what a steward decided about one dataset decides
// for all of the member's, those shared later too, so that nobody counts once by
// themselves and once more in a cluster.
func TestWhoStandsAloneIsOnePerson(t *testing.T) {
	h := story(t)
	members := h.joined()
	h.share(members[5], yes())
	h.share(members[0], yes())
	d := h.share(members[1], yes())
	h.share(members[1], yes())
	h.read()
	h.closed("P0002")
	h.alone(members[1], "P0002", d, appraisal.KindData)
	check := func(id coop.PeriodID) {
		t.Helper()
		for _, kind := range []string{appraisal.KindData, appraisal.KindStipend} {
			other, _ := h.earns(members[5], id, kind)
			for _, m := range members[:2] {
				if n, said := h.earns(m, id, kind); n < other-2 || n > other+2 || strings.Contains(said, "counts together") {
					t.Errorf("%s, %s: %d, and others %d: %q", id, kind, n, other, said)
				}
			}
		}
	}
	check("P0002")
	h.settled("P0002")
	h.share(members[1], yes())
	h.read()
	h.closed("P0003")
	check("P0003")
}

// TestACorrectionThatTookNobodyOutOfAClusterDecidesNothingLater: neither where a
// dataset was in none, nor where it only undid that a copy earns no stipend.
func TestACorrectionThatTookNobodyOutOfAClusterDecidesNothingLater(t *testing.T) {
	h := story(t)
	members := h.joined()
	h.share(members[3], yes(), fingerprint)
	h.clock.Advance(time.Minute)
	d := h.share(members[1], yes(), fingerprint)
	own := h.share(members[1], yes())
	h.read()
	h.closed("P0002")
	was, _ := h.earns(members[1], "P0002", appraisal.KindStipend)
	a := must[Appeal](t)(h.Appeal(h.ctx(), members[1], "P0002", "It is no copy."))
	fix := func(kind string, d coop.DatasetID) AppealCorrection {
		return AppealCorrection{Line: AppealLine{Kind: kind, Ref: string(d)}, Field: "alone", Value: 1, Source: "minutes of 3 May"}
	}
	must[Appeal](t)(h.DecideAppeal(h.ctx(), h.dan, a.ID, true, "So it is.", fix(appraisal.KindStipend, d), fix(appraisal.KindData, d), fix(appraisal.KindData, own)))
	copies := func(id coop.PeriodID) (n int) {
		for _, v := range must[appraisal.Bundle](t)(appraisal.ParseBundle(h.statement(id).Bundle)).Evidence.Available {
			if v.Copy {
				n++
			}
		}
		return n
	}
	if n := copies("P0002"); n != 0 || was == 0 {
		t.Errorf("%d copies after the correction; the stipend was %d", n, was)
	}
	h.settled("P0002")
	h.share(members[0], yes())
	h.read()
	h.closed("P0003")
	for _, m := range members[:2] {
		if _, said := h.lineOf(m, "P0003"); !strings.Contains(said, "counts together") {
			t.Errorf("two are paid to one account, and no steward looked at that: %q", said)
		}
	}
	if n := copies("P0003"); n != 1 {
		t.Errorf("%d copies a period later", n)
	}
}

// TestACopyIsPaidOnce: the second of two equal tables earns nothing, whoever
// holds it, the first loses nothing by it, and the vault keeps no digest that
// anybody could try tables against.
func TestACopyIsPaidOnce(t *testing.T) {
	h := story(t)
	members, print := h.members(4), strings.Repeat("5a", 32)
	for i, m := range members {
		d := h.share(m, yes(), func(in *vault.SealInput) {
			if i < 2 {
				in.Profile.Fingerprint = print
			}
		})
		if kept := must[vault.Dataset](t)(h.vault.Get(h.ctx(), m, d)).Profile.Fingerprint; kept == print || i < 2 && kept == "" {
			t.Errorf("the vault keeps %q", kept)
		}
		h.clock.Advance(time.Minute)
	}
	h.read()
	h.closed("P0001")
	first, _ := h.dataShare(members[0])
	second, said := h.dataShare(members[1])
	other, _ := h.dataShare(members[2])
	if first < other-1 || second != 0 || !strings.Contains(said, "another member shared first") {
		t.Errorf("%d, %d: %q; others %d", first, second, said, other)
	}
}

// TestWhereAnybodyMayJoinAnArrivedPayoutVouches: in a co-op that is open and whose
// identity provider tells nobody apart, data of a member earn once money for work
// has reached them, and never by a number that is only named.
func TestWhereAnybodyMayJoinAnArrivedPayoutVouches(t *testing.T) {
	h := story(t, func(c *coop.Charter) { c.Identified = false })
	members, _ := h.shared(3)
	must[PayoutAccount](t)(h.SetPayoutAccount(h.ctx(), members[0], "Ada Adams", ibanDE))
	must[PayoutAccount](t)(h.SetPayoutAccount(h.ctx(), members[1], "Bob Brown", ibanGB))
	h.worked(members[0])
	h.read()
	h.carried("P0001")
	if first, _ := h.dataShare(members[0]); first != 0 {
		t.Errorf("a number that was only named earns %d", first)
	}
	h.read()
	h.closed("P0002")
	known, _ := h.lineOf(members[0], "P0002")
	unknown, said := h.lineOf(members[1], "P0002")
	if known == 0 || unknown != 0 || !strings.Contains(said, "own word") {
		t.Errorf("%d, %d: %q", known, unknown, said)
	}
}

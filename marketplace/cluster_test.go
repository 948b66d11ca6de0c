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

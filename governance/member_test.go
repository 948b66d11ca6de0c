package governance

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/vault/header"
)

// stock is a recipient from age's own documentation.
const stock = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"

func invitedOnly(c *coop.Charter) { c.Admission = "invited" }

func TestFirstSignInJoinsAndTheNextFindsTheSameMember(t *testing.T) {
	w := newWorld(t)
	first, again := w.join("eva"), w.join("eva")
	if first != again || !coop.ValidID(first) {
		t.Errorf("joined as %s, came back as %s", first, again)
	}
}

func TestANameIdentifiesNobody(t *testing.T) {
	w := newWorld(t)
	admit := func(subject, name string) Member {
		m, err := w.Admit(t.Context(), Identity{Issuer: issuer, Subject: subject, Name: name})
		must(t, err)
		return m
	}
	one, other := admit("one", "Ada"), admit("other", "Ada")
	if one.ID == other.ID {
		t.Error("two people of one name became one member")
	}
	if m := admit("one", "Ada L."); m.ID != one.ID || m.Name != "Ada L." {
		t.Errorf("after a change of name: %+v", m)
	}
	if m := admit("one", ""); m.Name != "Member" {
		t.Errorf("without a name: %q", m.Name)
	}
	if m := admit("one", "a\u202eb\x00c\n "+strings.Repeat("ä", 200)); len([]rune(m.Name)) > longestName || strings.ContainsAny(m.Name, "\u202e\x00\n") {
		t.Errorf("a name meant to harm is shown as %q", m.Name)
	}
}

func TestTheSameSubjectElsewhereIsSomebodyElse(t *testing.T) {
	w := newWorld(t)
	ada := w.join("ada")
	m, err := w.Admit(t.Context(), Identity{Issuer: "https://elsewhere.test", Subject: "ada"})
	must(t, err)
	if m.ID == ada || len(m.Offices) != 0 {
		t.Errorf("a stranger with a steward's subject became %+v", m)
	}
}

func TestOfficesAreTheCharters(t *testing.T) {
	w := newWorld(t)
	ada, bea, eva := w.join("ada"), w.join("bea"), w.join("eva")
	for _, c := range []struct {
		member coop.MemberID
		office coop.Office
		want   bool
	}{
		{ada, coop.Vetting, true}, {ada, coop.Treasury, false},
		{bea, coop.Treasury, true}, {eva, coop.Vetting, false},
		{"nobody", coop.Vetting, false}, {"", coop.Treasury, false},
	} {
		if got, err := w.Holds(t.Context(), c.member, c.office); err != nil || got != c.want {
			t.Errorf("%s holds %s: %v, %v", c.member, c.office, got, err)
		}
	}
	must(t, w.CloseAccount(t.Context(), ada))
	if got, err := w.Holds(t.Context(), ada, coop.Vetting); err != nil || got {
		t.Errorf("a closed account still holds its office: %v", err)
	}
}

func TestAnIdentityThatIsNoneIsRefused(t *testing.T) {
	w := newWorld(t)
	for _, who := range []Identity{
		{}, {Issuer: issuer}, {Subject: "x"}, {Issuer: issuer, Subject: " "},
		{Issuer: issuer, Subject: strings.Repeat("x", 256)},
		{Issuer: issuer, Subject: "a\x00b"}, {Issuer: issuer, Subject: "a\nb"}, {Issuer: "\xff", Subject: "a"},
	} {
		_, err := w.Admit(t.Context(), who)
		refused(t, err, ErrIdentity)
	}
}

func TestAStrangerIsNotAdmittedWhereMembersAreInvited(t *testing.T) {
	w := newWorld(t, invitedOnly)
	for _, code := range []string{"", "aaaa", strings.Repeat("a", 32)} {
		_, err := w.Admit(t.Context(), Identity{Issuer: issuer, Subject: "eva", Invitation: code})
		refused(t, err, ErrNotAdmitted)
	}
	ada := w.join("ada") // a steward of the charter lets the others in
	inv, err := w.Invite(t.Context(), ada)
	must(t, err)
	eva, err := w.Admit(t.Context(), Identity{Issuer: issuer, Subject: "eva", Invitation: " " + strings.ToUpper(inv.Code)})
	must(t, err)
	if got := w.join("eva"); got != eva.ID {
		t.Error("a member needs an invitation to come back")
	}
}

func TestAnInvitationIsForOnePerson(t *testing.T) {
	w := newWorld(t, invitedOnly)
	inv, err := w.Invite(t.Context(), w.join("ada"))
	must(t, err)
	_, err = w.Admit(t.Context(), Identity{Issuer: issuer, Subject: "eva", Invitation: inv.Code})
	must(t, err)
	_, err = w.Admit(t.Context(), Identity{Issuer: issuer, Subject: "fay", Invitation: inv.Code})
	refused(t, err, ErrInvitationUsed)
}

func TestAnInvitationExpires(t *testing.T) {
	w := newWorld(t, invitedOnly)
	inv, err := w.Invite(t.Context(), w.join("ada"))
	must(t, err)
	w.clock.Advance(invitationLife)
	_, err = w.Admit(t.Context(), Identity{Issuer: issuer, Subject: "eva", Invitation: inv.Code})
	refused(t, err, ErrInvitationExpired)
}

func TestWhoMayInvite(t *testing.T) {
	w := newWorld(t)
	eva := w.join("eva")
	_, err := w.Invite(t.Context(), eva)
	refused(t, err, ErrMayNotInvite)
	_, err = w.Invite(t.Context(), "nobody")
	refused(t, err, ErrNotAMember)
	must(t, w.CloseAccount(t.Context(), eva))
	_, err = w.Invite(t.Context(), eva)
	refused(t, err, ErrNotAMember)

	vouched := newWorld(t, func(c *coop.Charter) { c.Admission = "vouched" })
	inv, err := vouched.Invite(t.Context(), vouched.join("ada"))
	must(t, err)
	fay, err := vouched.Admit(t.Context(), Identity{Issuer: issuer, Subject: "fay", Invitation: inv.Code})
	must(t, err)
	_, err = vouched.Invite(t.Context(), fay.ID)
	must(t, err)
}

func TestARepeatedInvitationIsOneInvitation(t *testing.T) {
	w := newWorld(t, invitedOnly)
	ada := w.join("ada")
	first, err := w.Invite(keyed(t.Context(), ada, "k"), ada)
	must(t, err)
	again, err := w.Invite(keyed(t.Context(), ada, "k"), ada)
	must(t, err)
	if first != again {
		t.Error("the same call made two invitations")
	}
	other, err := w.Invite(t.Context(), ada)
	must(t, err)
	if other.Code == first.Code {
		t.Error("two calls made one invitation")
	}
	if found := w.grep(first.Code); found != "" {
		t.Errorf("the code lies in %s", found)
	}
}

func TestOnlyARecipientIsSetAsRecipient(t *testing.T) {
	w := newWorld(t)
	eva := w.join("eva")
	for _, bad := range []string{"", "age1", "age1" + strings.Repeat("q", 58), strings.ToUpper(stock), stock + "\n",
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIl", "AGE-SECRET-KEY-1QQPQQ"} {
		refused(t, w.SetRecipient(t.Context(), eva, "", bad), header.ErrRecipient)
	}
	must(t, w.SetRecipient(t.Context(), eva, "", stock))
	refused(t, w.SetRecipient(t.Context(), "nobody", "", stock), ErrMemberNotFound)
	if m, err := w.Member(t.Context(), eva); err != nil || m.Recipient != stock {
		t.Errorf("%q, %v", m.Recipient, err)
	}
}

// TestAKeyTakesThePlaceOfTheOneThatWasSeen: whoever has seen no key, or an old
// one, replaces none that came in the meantime. The same key twice is no conflict.
func TestAKeyTakesThePlaceOfTheOneThatWasSeen(t *testing.T) {
	w := newWorld(t)
	eva := w.join("eva")
	id, err := age.GenerateX25519Identity()
	must(t, err)
	other := id.Recipient().String()
	must(t, w.SetRecipient(t.Context(), eva, "", stock))
	must(t, w.SetRecipient(t.Context(), eva, "", stock))
	refused(t, w.SetRecipient(t.Context(), eva, "", other), db.ErrNoRow)
	must(t, w.SetRecipient(t.Context(), eva, stock, other))
	refused(t, w.SetRecipient(t.Context(), eva, "", stock), db.ErrNoRow)
	one, two := []byte(strings.Repeat("1", 32)), []byte(strings.Repeat("2", 32))
	must(t, w.SetSigningKey(t.Context(), eva, nil, one))
	must(t, w.SetSigningKey(t.Context(), eva, nil, one))
	refused(t, w.SetSigningKey(t.Context(), eva, nil, two), db.ErrNoRow)
	must(t, w.SetSigningKey(t.Context(), eva, one, two))
	refused(t, w.SetSigningKey(t.Context(), eva, one, bytes.Repeat([]byte{3}, 32)), db.ErrNoRow)
	if m, err := w.Member(t.Context(), eva); err != nil || m.Recipient != other || !slices.Equal(m.SigningKey, two) {
		t.Errorf("%q, %q, %v", m.Recipient, m.SigningKey, err)
	}
}

func TestASigningKeyHas32Bytes(t *testing.T) {
	w := newWorld(t)
	eva := w.join("eva")
	for _, n := range []int{0, 31, 33, 64} {
		refused(t, w.SetSigningKey(t.Context(), eva, nil, make([]byte, n)), ErrSigningKey)
	}
	key := []byte(strings.Repeat("k", 32))
	must(t, w.SetSigningKey(t.Context(), eva, nil, key))
	if m, err := w.Member(t.Context(), eva); err != nil || !slices.Equal(m.SigningKey, key) {
		t.Errorf("%x, %v", m.SigningKey, err)
	}
}

func TestAClosedAccountIsForgotten(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(3)
	eva, err := w.Admit(t.Context(), Identity{Issuer: issuer, Subject: "subject-of-eva", Name: "Eva Unforgettable"})
	must(t, err)
	must(t, w.SetRecipient(t.Context(), eva.ID, "", stock))
	p := w.propose(ids[0], narrower("no-companies"))
	w.clock.Advance(time.Hour)
	must(t, w.CloseAccount(t.Context(), eva.ID))

	for _, secret := range []string{"subject-of-eva", "Eva Unforgettable", stock} {
		if found := w.grep(secret); found != "" {
			t.Errorf("%q still lies in %s", secret, found)
		}
	}
	if found := w.grep(string(eva.ID), "audit_"); found != "" {
		t.Errorf("the log still keeps the admission in %s", found)
	}
	if _, err := w.log.Verify(t.Context()); err != nil {
		t.Errorf("the log does not verify: %v", err)
	}
	m, err := w.Member(t.Context(), eva.ID)
	must(t, err)
	if m.Open() || m.Name != "" {
		t.Errorf("%+v", m)
	}
	_, err = w.Cast(t.Context(), eva.ID, p.ID, Yes)
	refused(t, err, ErrNotAMember)
	_, err = w.Submit(t.Context(), eva.ID, work)
	refused(t, err, ErrNotAMember)
	refused(t, w.SetRecipient(t.Context(), eva.ID, "", stock), ErrAccountClosed)
	refused(t, w.CloseAccount(t.Context(), eva.ID), ErrAccountClosed)
	if back := w.join("subject-of-eva"); back == eva.ID {
		t.Error("who comes back is not a new member")
	}
}

func TestListsArePaged(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(7)
	slices.Reverse(ids)
	page := func(p Page) (got []coop.MemberID) {
		t.Helper()
		list, err := w.Members(t.Context(), p)
		must(t, err)
		for _, m := range list {
			got = append(got, m.ID)
		}
		return got
	}
	if got := page(Page{Limit: 3}); !slices.Equal(got, ids[:3]) {
		t.Errorf("first page: %v", got)
	}
	if got := page(Page{Limit: 3, Before: string(ids[2])}); !slices.Equal(got, ids[3:6]) {
		t.Errorf("second page: %v", got)
	}
	if got := page(Page{Limit: 3, Before: string(ids[5])}); !slices.Equal(got, ids[6:]) {
		t.Errorf("last page: %v", got)
	}
	if got := page(Page{Limit: 2, After: string(ids[5])}); !slices.Equal(got, ids[3:5]) {
		t.Errorf("page back: %v", got)
	}
	if got := page(Page{}); !slices.Equal(got, ids) {
		t.Errorf("all: %v", got)
	}
	for _, p := range []Page{{Limit: -1}, {Limit: 101}, {Before: "x"}, {After: "' OR 1"}, {Before: string(ids[0]), After: string(ids[1])}} {
		_, err := w.Members(t.Context(), p)
		refused(t, err, errCursor)
	}
}

func TestUnknownMembersAreNotFound(t *testing.T) {
	w := newWorld(t)
	for _, id := range []coop.MemberID{"", "x", coop.MemberID(coop.NewID())} {
		_, err := w.Member(t.Context(), id)
		refused(t, err, ErrMemberNotFound)
	}
}

func TestWithoutAKeyThereIsNoService(t *testing.T) {
	w := newWorld(t)
	c := w.Config
	c.Key = nil
	if _, err := New(t.Context(), c); err == nil || !strings.Contains(fmt.Sprint(err), "key is missing") {
		t.Errorf("got %v", err)
	}
}

func TestAnInvitationIsJudgedWithoutBeingUsed(t *testing.T) {
	w := newWorld(t, invitedOnly)
	inv, err := w.Invite(t.Context(), w.join("ada"))
	must(t, err)
	for range 2 {
		must(t, w.Invited(t.Context(), strings.ToUpper(inv.Code)))
	}
	refused(t, w.Invited(t.Context(), ""), ErrNotAdmitted)
	refused(t, w.Invited(t.Context(), inv.Code+"x"), ErrNotAdmitted)
	_, err = w.Admit(t.Context(), Identity{Issuer: issuer, Subject: "eva", Invitation: inv.Code})
	must(t, err)
	refused(t, w.Invited(t.Context(), inv.Code), ErrInvitationUsed)
	late, err := w.Invite(t.Context(), w.join("ada"))
	must(t, err)
	w.clock.Advance(invitationLife)
	refused(t, w.Invited(t.Context(), late.Code), ErrInvitationExpired)
	must(t, newWorld(t).Invited(t.Context(), "")) // open
}

func TestAdmissionThatIsUndoneLeavesTheInvitationUnused(t *testing.T) {
	w := newWorld(t, invitedOnly)
	inv, err := w.Invite(t.Context(), w.join("ada"))
	must(t, err)
	eva := Identity{Issuer: issuer, Subject: "eva", Invitation: inv.Code}
	undone := errors.New("undone")
	err = w.DB.Update(t.Context(), func(tx *db.Tx) error {
		if _, err := w.AdmitTx(tx, eva); err != nil {
			return err
		}
		return undone
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	_, err = w.Admit(t.Context(), eva)
	must(t, err)
}

func TestWhoMayInviteIsTold(t *testing.T) {
	w := newWorld(t)
	must(t, w.MayInvite(t.Context(), w.join("ada")))
	refused(t, w.MayInvite(t.Context(), w.join("eva")), ErrMayNotInvite)
	refused(t, w.MayInvite(t.Context(), "nobody"), ErrNotAMember)
	vouched := newWorld(t, func(c *coop.Charter) { c.Admission = "vouched" })
	ada := vouched.join("ada")
	must(t, vouched.MayInvite(t.Context(), ada))
}

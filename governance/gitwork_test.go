package governance

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"distributed.ai/datacoop/governance/gitsource"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

func address(m coop.MemberID) string { return string(m[len(m)-8:]) + "@coop.test" }

// claimed lets a member claim their address; confirmed also lets two others
// confirm it.
func (w *world) claimed(by coop.MemberID, email string) Claim {
	w.t.Helper()
	c, err := w.Claim(w.t.Context(), by, email)
	must(w.t, err)
	return c
}

func (w *world) confirmed(by coop.MemberID, email string, others ...coop.MemberID) Claim {
	w.t.Helper()
	c := w.claimed(by, email)
	for _, o := range others {
		var err error
		c, err = w.AnswerClaim(w.t.Context(), o, c.ID, ClaimAnswer{Confirm: true, Email: strings.ToUpper(email)})
		must(w.t, err)
	}
	return c
}

func (w *world) answer(by coop.MemberID, id ClaimID, confirm bool, email string) error {
	_, err := w.AnswerClaim(w.t.Context(), by, id, ClaimAnswer{Confirm: confirm, Email: email})
	return err
}

func (w *world) claim(by coop.MemberID, id ClaimID) Claim {
	w.t.Helper()
	list, err := w.MyClaims(w.t.Context(), by)
	must(w.t, err)
	i := slices.IndexFunc(list, func(c Claim) bool { return c.ID == id })
	if i < 0 {
		w.t.Fatal("the claim is gone")
	}
	return list[i]
}

// claimRows is everything kept about claims.
func (w *world) claimRows() (text string) {
	w.t.Helper()
	must(w.t, w.DB.View(w.t.Context(), func(tx *db.Tx) error {
		text = dump(w.t, tx, "governance_claims") + dump(w.t, tx, "governance_claim_answers")
		return nil
	}))
	return text
}

// source is the ID of an invented piece of history.
func source(n int) string { return fmt.Sprintf("%064x", n) }

var gitWork = Work{Title: "Count the steps", Evidence: "git:aaaaaaaaaaaa:bbbbbbbbbbbb..cccccccccccc 2 commits"}

func (w *world) fromGit(by coop.MemberID, n int, authors ...string) (Contribution, error) {
	return w.SubmitGit(w.t.Context(), by, gitWork, GitOrigin{Source: source(n), Authors: authors})
}

func TestTwoOthersConfirmAnAddress(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(4)
	c := w.claimed(ids[0], " Eva@Coop.Test ")
	if c.State != ClaimOpen || c.Member != ids[0] {
		t.Fatalf("claimed as %+v", c)
	}
	must(t, w.answer(ids[1], c.ID, true, "eva@coop.test"))
	if c = w.claim(ids[0], c.ID); c.State != ClaimOpen || c.Confirmations != 1 {
		t.Errorf("after one: %+v", c)
	}
	w.clock.Advance(time.Hour)
	must(t, w.answer(ids[2], c.ID, true, "EVA@coop.test"))
	if c = w.claim(ids[0], c.ID); c.State != ClaimConfirmed || c.DecidedAt != w.now() {
		t.Errorf("after two: %+v", c)
	}
	refused(t, w.answer(ids[3], c.ID, true, "eva@coop.test"), ErrClaimDecided)
	if again := w.claimed(ids[0], "eva@coop.test"); again.ID != c.ID || again.State != ClaimConfirmed {
		t.Errorf("claimed again as %+v", again)
	}
}

func TestAStewardOfVettingDecidesAlone(t *testing.T) {
	w := newWorld(t)
	steward, eva := w.join("ada"), w.join("eva")
	good, bad := w.claimed(eva, "eva@coop.test"), w.claimed(eva, "adam@coop.test")
	must(t, w.answer(steward, good.ID, true, "eva@coop.test"))
	must(t, w.answer(steward, bad.ID, false, ""))
	if a, b := w.claim(eva, good.ID).State, w.claim(eva, bad.ID).State; a != ClaimConfirmed || b != ClaimRefused {
		t.Errorf("%s and %s", a, b)
	}
	own := w.claimed(steward, "steward@coop.test")
	refused(t, w.answer(steward, own.ID, true, "steward@coop.test"), ErrOwnClaim)
	_, err := w.Claim(t.Context(), eva, "adam@coop.test")
	refused(t, err, ErrClaimRefused)
	refused(t, w.WithdrawClaim(t.Context(), eva, bad.ID), ErrClaimRefused)
}

func TestAnAnswerThatIsRefused(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(4)
	c := w.claimed(ids[0], "eva@coop.test")
	refused(t, w.answer(ids[0], c.ID, true, "eva@coop.test"), ErrOwnClaim)
	refused(t, w.answer(ids[0], c.ID, false, ""), ErrOwnClaim)
	refused(t, w.answer("nobody", c.ID, true, "eva@coop.test"), ErrNotAMember)
	refused(t, w.answer(ids[1], "x", true, "eva@coop.test"), ErrClaimNotFound)
	refused(t, w.answer(ids[1], c.ID, true, "eva"), ErrClaimInvalid)
	must(t, w.answer(ids[1], c.ID, true, "eva@coop.test"))
	refused(t, w.answer(ids[1], c.ID, true, "eva@coop.test"), ErrClaimAnswered)
	refused(t, w.answer(ids[1], c.ID, false, ""), ErrClaimAnswered)
	if c = w.claim(ids[0], c.ID); c.State != ClaimOpen || c.Confirmations != 1 || c.Refusals != 0 {
		t.Errorf("refused answers changed it: %+v", c)
	}
	must(t, w.answer(ids[2], c.ID, false, ""))
	must(t, w.answer(ids[3], c.ID, false, ""))
	if c = w.claim(ids[0], c.ID); c.State != ClaimRefused {
		t.Errorf("two refused: %+v", c)
	}
}

func TestWhoGuessesAnAddressIsStopped(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(3)
	c := w.claimed(ids[0], "eva@coop.test")
	for range mostMistakes {
		refused(t, w.answer(ids[1], c.ID, true, "adam@coop.test"), ErrClaimAddress)
	}
	refused(t, w.answer(ids[1], c.ID, true, "eva@coop.test"), ErrClaimMistaken)
	refused(t, w.answer(ids[2], c.ID, true, "adam@coop.test"), ErrClaimAddress)
	must(t, w.answer(ids[2], c.ID, true, "eva@coop.test"))
	if c = w.claim(ids[0], c.ID); c.Confirmations != 1 || c.Refusals != 0 {
		t.Errorf("%+v", c)
	}
	other := w.claimed(ids[0], "other@coop.test")
	for range 5 { // one mistake, repeated on the line
		_, err := w.AnswerClaim(keyed(t.Context(), ids[1], "k"), ids[1], other.ID, ClaimAnswer{Confirm: true, Email: "x@coop.test"})
		refused(t, err, ErrClaimAddress)
	}
	must(t, w.answer(ids[1], other.ID, true, "other@coop.test"))
}

func TestAnAddressThatTwoClaimIsNobodys(t *testing.T) {
	w := newWorld(t)
	steward := w.join("ada")
	ids := w.joinMany(4)
	first := w.confirmed(ids[0], "eva@coop.test", ids[2], ids[3])
	second := w.claimed(ids[1], "eva@coop.test")
	if second.State != ClaimContested || w.claim(ids[0], first.ID).State != ClaimContested {
		t.Fatalf("%s and %s", w.claim(ids[0], first.ID).State, second.State)
	}
	for _, by := range ids[:2] {
		_, err := w.fromGit(by, 1, "eva@coop.test")
		refused(t, err, ErrClaimContested)
	}
	refused(t, w.answer(ids[2], second.ID, true, "eva@coop.test"), ErrClaimContested)
	refused(t, w.answer(steward, second.ID, true, "eva@coop.test"), ErrClaimContested)
	refused(t, w.answer(ids[1], first.ID, false, ""), ErrClaimDecided)
	waiting, err := w.Claims(t.Context(), ids[2], Page{})
	must(t, err)
	if len(waiting) != 2 || waiting[0].ID != second.ID || waiting[0].State != ClaimContested {
		t.Errorf("waiting %+v", waiting)
	}
	must(t, w.answer(steward, second.ID, false, ""))
	if got := w.claim(ids[0], first.ID).State; got != ClaimConfirmed {
		t.Errorf("the first is %s", got)
	}
	_, err = w.fromGit(ids[0], 1, "eva@coop.test")
	must(t, err)
}

func TestAStewardUndoesAWrongConfirmation(t *testing.T) {
	w := newWorld(t)
	steward := w.join("ada")
	ids := w.joinMany(4)
	wrong := w.confirmed(ids[0], "eva@coop.test", steward)
	right := w.claimed(ids[1], "eva@coop.test")
	must(t, w.answer(steward, wrong.ID, false, ""))
	must(t, w.answer(steward, right.ID, true, "eva@coop.test"))
	if a, b := w.claim(ids[0], wrong.ID).State, w.claim(ids[1], right.ID).State; a != ClaimRefused || b != ClaimConfirmed {
		t.Errorf("%s and %s", a, b)
	}
}

func TestAClaimIsWithdrawnAndForgotten(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(4)
	c := w.confirmed(ids[0], "eva@coop.test", ids[1], ids[2])
	refused(t, w.WithdrawClaim(t.Context(), ids[3], c.ID), ErrClaimNotFound)
	refused(t, w.WithdrawClaim(t.Context(), ids[0], "x"), ErrClaimNotFound)
	must(t, w.WithdrawClaim(t.Context(), ids[0], c.ID))
	if left := w.claimRows(); left != "" {
		t.Errorf("left behind: %s", left)
	}
	if other := w.claimed(ids[3], "eva@coop.test"); other.State != ClaimOpen {
		t.Errorf("it is %s for the next", other.State)
	}
}

func TestAClosedAccountLeavesNoAddress(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(4)
	w.confirmed(ids[0], "eva@coop.test", ids[1], ids[2])
	bad := w.claimed(ids[0], "adam@coop.test")
	must(t, w.answer(ids[1], bad.ID, false, ""))
	must(t, w.CloseAccount(t.Context(), ids[0]))
	if left := w.claimRows(); left != "" {
		t.Errorf("left behind: %s", left)
	}
	_, err := w.Claim(t.Context(), ids[0], "eva@coop.test")
	refused(t, err, ErrNotAMember)
}

func TestClaimsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	eva := w.join("eva")
	for _, email := range []string{"", "eva", "eva@coop", "eva@@coop.test", "eva@coop.test, x@y.test", "<eva@coop.test>", "\u202eeva@coop.test", strings.Repeat("e", 300) + "@coop.test"} {
		_, err := w.Claim(t.Context(), eva, email)
		refused(t, err, ErrClaimInvalid)
	}
	_, err := w.Claim(t.Context(), "nobody", "eva@coop.test")
	refused(t, err, ErrNotAMember)
	for i := range mostClaims {
		w.claimed(eva, fmt.Sprintf("eva%d@coop.test", i))
	}
	_, err = w.Claim(t.Context(), eva, "eva@coop.test")
	refused(t, err, ErrTooManyClaims)
	must(t, w.WithdrawClaim(t.Context(), eva, w.claimed(eva, "eva0@coop.test").ID))
	w.claimed(eva, "eva@coop.test")
}

func TestAddressesAreNowhereInTheDatabase(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(4)
	w.confirmed(ids[0], "eva.lovelace@coop.test", ids[1], ids[2])
	_, err := w.SubmitGit(keyed(t.Context(), ids[0], "k"), ids[0], gitWork, GitOrigin{Source: source(1), Authors: []string{"eva.lovelace@coop.test", "stranger@elsewhere.test"}})
	must(t, err)
	for _, part := range []string{"lovelace", "elsewhere", "coop.test"} {
		if table := w.grep(part, "governance_c", "governance_g", "governance_r", "audit", "once", "jobs"); table != "" {
			t.Errorf("%s holds %s", table, part)
		}
	}
	if w.hide("a@coop.test") == w.hide("b@coop.test") || w.hide("a@coop.test") != w.hide("a@coop.test") { //nolint:staticcheck // two calls that must agree
		t.Error("digests of addresses are useless")
	}
}

func TestWorkFromGitIsSubmittedOnce(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(5)
	for i := range 2 {
		w.confirmed(ids[i], address(ids[i]), ids[3], ids[4])
	}
	c, err := w.fromGit(ids[0], 1, address(ids[0]))
	must(t, err)
	if c.Kind != WorkGit || c.State != Submitted || c.Git.Authors != 1 || !slices.Equal(c.Git.Members, ids[:1]) {
		t.Fatalf("submitted as %+v, %+v", c, c.Git)
	}
	_, err = w.fromGit(ids[0], 1, address(ids[0]))
	refused(t, err, ErrGitKnown)
	_, err = w.fromGit(ids[1], 1, address(ids[1])) // whoever claims to have made it
	refused(t, err, ErrGitKnown)
	w.reviewed(c.ID, nope, ids[3], ids[4])
	_, err = w.fromGit(ids[0], 1, address(ids[0]))
	refused(t, err, ErrGitKnown)
	c, err = w.fromGit(ids[1], 1, address(ids[1])) // a false claim does not block the true one
	must(t, err)
	w.reviewed(c.ID, yes(3), ids[3], ids[4])
	_, err = w.fromGit(ids[2], 1, address(ids[2]))
	refused(t, err, ErrGitIdentity)
	first, err := w.SubmitGit(keyed(t.Context(), ids[0], "k"), ids[0], gitWork, GitOrigin{Source: source(2), Authors: []string{address(ids[0])}})
	must(t, err)
	again, err := w.SubmitGit(keyed(t.Context(), ids[0], "k"), ids[0], gitWork, GitOrigin{Source: source(2), Authors: []string{address(ids[0])}})
	must(t, err)
	if first.ID != again.ID {
		t.Error("the same call submitted twice")
	}
}

func TestWorkFromGitThatIsRefused(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(4)
	mine := address(ids[0])
	_, err := w.fromGit(ids[0], 1, mine)
	refused(t, err, ErrGitIdentity) // claimed by nobody
	w.claimed(ids[0], mine)
	_, err = w.fromGit(ids[0], 1, mine)
	refused(t, err, ErrGitIdentity) // confirmed by nobody
	w.confirmed(ids[0], mine, ids[1], ids[2])
	for want, o := range map[error]GitOrigin{
		gitsource.ErrSource:  {Source: "1", Authors: []string{mine}},
		gitsource.ErrAuthors: {Source: source(1)},
	} {
		_, err := w.SubmitGit(t.Context(), ids[0], gitWork, o)
		refused(t, err, want)
	}
	for _, s := range []string{"", strings.Repeat("g", 64), strings.Repeat("A", 64), strings.Repeat("a", 66)} {
		_, err := w.SubmitGit(t.Context(), ids[0], gitWork, GitOrigin{Source: s, Authors: []string{mine}})
		refused(t, err, gitsource.ErrSource)
	}
	for _, list := range [][]string{{mine, "no address"}, slices.Repeat([]string{mine}, 51)} {
		_, err := w.fromGit(ids[0], 1, list...)
		refused(t, err, gitsource.ErrAuthors)
	}
	_, err = w.fromGit(ids[0], 1, address(ids[1]), "")
	refused(t, err, ErrGitIdentity)
	_, err = w.SubmitGit(t.Context(), ids[0], Work{Title: "x"}, GitOrigin{Source: source(1), Authors: []string{mine}})
	refused(t, err, ErrWorkEvidence)
	for n := range mostOpenWork {
		_, err = w.fromGit(ids[0], n, mine)
		must(t, err)
	}
	_, err = w.fromGit(ids[0], 99, mine)
	refused(t, err, ErrTooManyOpen)
	must(t, w.CloseAccount(t.Context(), ids[0]))
	_, err = w.fromGit(ids[0], 100, mine)
	refused(t, err, ErrGitIdentity)
}

func TestWhatSeveralMadeIsDividedBetweenThem(t *testing.T) {
	w := newWorld(t)
	ids := w.joinMany(6)
	for _, m := range ids[:2] {
		w.confirmed(m, address(m), ids[4], ids[5])
	}
	w.confirmed(ids[1], "second@coop.test", ids[4], ids[5])
	c, err := w.fromGit(ids[1], 1, address(ids[0]), "stranger@elsewhere.test", address(ids[1]), "second@coop.test", "SECOND@coop.test")
	must(t, err)
	if c.Git.Authors != 3 || !slices.Equal(c.Git.Members, ids[:2]) {
		t.Fatalf("%+v", c.Git)
	}
	for _, m := range ids[:2] {
		_, err := w.Review(t.Context(), m, c.ID, yes(5))
		refused(t, err, ErrOwnWork)
	}
	c = w.reviewed(c.ID, yes(5), ids[2], ids[3])
	if c.Points != 8 || c.Git.Authors != 3 {
		t.Errorf("accepted as %+v", c)
	}
	got, err := w.AcceptedWork(t.Context(), 0, math.MaxInt64)
	must(t, err)
	at := w.now()
	want := []AcceptedWork{
		{Contribution: c.ID, Member: ids[0], Kind: WorkGit, Size: 5, Points: 3, AcceptedAt: at}, // the first of three gets 3
		{Contribution: c.ID, Member: ids[1], Kind: WorkGit, Size: 5, Points: 2, AcceptedAt: at}, // the stranger's 3 are nobody's
	}
	if !slices.Equal(got, want) {
		t.Errorf("work %+v, want %+v", got, want)
	}
	list, err := w.Contributions(t.Context(), Filter{}, Page{})
	must(t, err)
	if len(list) != 1 || list[0].Git == nil || list[0].Git.Source != source(1) {
		t.Errorf("listed as %+v", list)
	}
}

func TestPartsNeverAddUpToMoreThanTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		points, authors := rapid.Int64Range(0, 1000).Draw(t, "points"), rapid.IntRange(1, 60).Draw(t, "authors")
		sum, before := int64(0), int64(math.MaxInt64)
		for place := range authors {
			p := part(points, authors, place)
			if p < 0 || p > before || points/int64(authors)+1 < p {
				t.Fatalf("part %d of %d is %d after %d", place, authors, p, before)
			}
			sum, before = sum+p, p
		}
		if sum != points {
			t.Fatalf("%d became %d", points, sum)
		}
	})
}

// A run of random answers never confirms without two others or a steward.
func TestNoClaimIsConfirmedByTooFew(t *testing.T) {
	w := newWorld(t)
	steward := w.join("ada")
	ids := w.joinMany(5)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		owner, email := ids[n%5], fmt.Sprintf("x%d@coop.test", n)
		c := w.claimed(owner, email)
		yes, no := map[coop.MemberID]bool{}, map[coop.MemberID]bool{}
		for range rapid.IntRange(0, 6).Draw(t, "answers") {
			by := append(ids, steward)[rapid.IntRange(0, 5).Draw(t, "by")]
			confirm, typed := rapid.Bool().Draw(t, "confirm"), email
			if rapid.IntRange(0, 3).Draw(t, "typo") == 0 {
				typed = "typo@coop.test"
			}
			if w.answer(by, c.ID, confirm, typed) == nil {
				map[bool]map[coop.MemberID]bool{true: yes, false: no}[confirm][by] = true
			}
		}
		got := w.claim(owner, c.ID).State
		want := ClaimOpen
		switch {
		case len(yes) >= agreeing || yes[steward]:
			want = ClaimConfirmed
		case len(no) >= agreeing || no[steward]:
			want = ClaimRefused
		}
		if got != want || yes[owner] || no[owner] {
			t.Fatalf("%s with %d for and %d against", got, len(yes), len(no))
		}
		if err := w.WithdrawClaim(w.t.Context(), owner, c.ID); err != nil && !errors.Is(err, ErrClaimRefused) {
			t.Fatal(err)
		}
	})
}

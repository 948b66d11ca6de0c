package marketplace

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"filippo.io/age"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/ledger"
	"distributed.ai/datacoop/vault"
	"distributed.ai/datacoop/vault/header"
)

// keeper is a member who keeps the only key to a dataset.
type keeper struct {
	h       *house
	id      coop.MemberID
	key     *age.X25519Identity
	dataset coop.DatasetID
}

// keeps seals a file that the member alone can open.
func (h *house) keeps(m coop.MemberID) keeper {
	h.t.Helper()
	k := keeper{h: h, id: m, key: must[*age.X25519Identity](h.t)(age.GenerateX25519Identity())}
	d := must[vault.Dataset](h.t)(h.vault.OpenSelfCustody(h.ctx(), m, "wearables", k.key.Recipient().String()))
	var file bytes.Buffer
	w := must[io.WriteCloser](h.t)(age.Encrypt(&file, k.key.Recipient()))
	must[int](h.t)(w.Write(plain(m)))
	h.ok(w.Close())
	up := must[vault.Upload](h.t)(h.vault.CreateUpload(h.ctx(), m, d.ID, int64(file.Len())))
	up = must[vault.Upload](h.t)(h.vault.Append(h.ctx(), m, up.ID, 0, &file))
	must[vault.Dataset](h.t)(h.vault.Seal(h.ctx(), m, d.ID, vault.SealInput{Terms: yes(), Manifest: vault.Manifest{Dataset: string(d.ID),
		SHA256: up.PayloadSHA256, Size: up.PayloadSize, HeaderSHA256: up.HeaderSHA256, Terms: "t"}}))
	k.dataset = d.ID
	return k
}

// kept is a pool of two vaulted datasets and one whose member keeps the key, and
// a researcher who has paid for all three.
func (h *house) kept() (k keeper, s scientist, req Request, file FileView) {
	h.t.Helper()
	h.shared(2)
	k, s = h.keeps(h.member("keeper")), h.scientist()
	req, _ = h.paid(s)
	return k, s, req, k.file(s, req)
}

// file is what the researcher sees of the keeper's.
func (k keeper) file(s scientist, req Request) FileView {
	k.h.t.Helper()
	for _, f := range must[[]FileView](k.h.t)(k.h.Files(k.h.ctx(), s.ID, req.ID)) {
		if k.h.sealedBy(f.SHA256) == k.id {
			return f
		}
	}
	k.h.t.Fatal("the file is not listed")
	return FileView{}
}

func (k keeper) waiting() []Approval {
	k.h.t.Helper()
	return must[[]Approval](k.h.t)(k.h.Approvals(k.h.ctx(), k.id, "", 10))
}

func (k keeper) rewrap(a Approval) []byte {
	k.h.t.Helper()
	to, _, err := header.ParseRecipient(a.Recipient)
	k.h.ok(err)
	return must[[]byte](k.h.t)(header.Rewrap(a.Header, k.key, to))
}

func (k keeper) approve(a Approval) error {
	k.h.t.Helper()
	_, err := k.h.Approve(k.h.ctx(), k.id, a.ID, a.Recipient, k.rewrap(a))
	return err
}

func TestAPaidRequestWaitsForTheMemberAndEarnsNothingBefore(t *testing.T) {
	h := story(t)
	k, s, req, file := h.kept()
	if file.State != FileAwaiting || file.Gone {
		t.Errorf("listed as %+v", file)
	}
	waiting := k.waiting() // before anybody has tried to fetch
	if len(waiting) != 1 || waiting[0].Researcher != "Example University" || waiting[0].Title != s.draft().Title ||
		waiting[0].Kind != "university" || waiting[0].Request != req.ID || waiting[0].ExpiresAt == 0 || waiting[0].Recipient != s.key.Recipient().String() {
		t.Fatalf("%+v", waiting)
	}
	for range 2 {
		_, err := h.Deliver(h.ctx(), s.ID, file.ID)
		h.refused(err, vault.ErrAwaiting)
	}
	h.holds(ledger.Access, 0)
	if n := len(h.decisions(k.id)); n != 1 {
		t.Errorf("waiting left %d decisions", n)
	}
	h.ok(k.approve(waiting[0]))
	h.holds(ledger.Access, 0) // approved is not fetched
	if file = k.file(s, req); file.State != FileReady {
		t.Errorf("listed as %+v", file)
	}
	if got := h.fetch(s, file.ID); !bytes.Equal(got, plain(k.id)) {
		t.Errorf("decrypted %q", got)
	}
	h.holds(ledger.Access, price)
	seen := h.decisions(k.id)
	if len(seen) != 3 || seen[0].Stage != consent.StageDelivery || seen[1].Stage != consent.StageApproval || !seen[0].Allow || !seen[1].Allow {
		t.Errorf("the member sees %+v", seen)
	}
	h.refused(k.approve(waiting[0]), vault.ErrAnswered)
	_, err := h.Decline(h.ctx(), k.id, waiting[0].ID)
	h.refused(err, vault.ErrAnswered)
}

func TestADeclinedFileIsRefusedOnTheRecordAndPaidBack(t *testing.T) {
	h := story(t)
	k, s, req, file := h.kept()
	a := k.waiting()[0]
	said := must[Answered](t)(h.Decline(h.ctx(), k.id, a.ID))
	if said.State != vault.ApprovalDeclined || said.Dataset != k.dataset || len(k.waiting()) != 0 {
		t.Errorf("%+v", said)
	}
	if file = k.file(s, req); file.State != FileDeclined {
		t.Errorf("listed as %+v", file)
	}
	_, err := h.Deliver(h.ctx(), s.ID, file.ID)
	h.refused(err, ErrRefused)
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Detail) != 1 || f.Detail[0] != "The member has declined this request." {
		t.Errorf("%v", err)
	}
	seen := h.decisions(k.id)
	if len(seen) != 3 || seen[0].Stage != consent.StageDelivery || seen[1].Stage != consent.StageApproval || seen[0].Allow || seen[1].Allow ||
		seen[1].Reasons[0].Code != consent.CodeDeclined {
		t.Errorf("the member sees %+v", seen)
	}
	h.refused(k.approve(a), vault.ErrAnswered)
	_, err = h.Decline(h.ctx(), k.id, a.ID)
	h.refused(err, vault.ErrAnswered)
	for _, other := range must[[]FileView](t)(h.Files(h.ctx(), s.ID, req.ID)) {
		if other.ID != file.ID {
			h.fetch(s, other.ID)
		}
	}
	h.clock.Advance(31 * 24 * time.Hour)
	must[int](t)(h.queue.RunDue(h.ctx()))
	h.holds(ledger.Access, 2*price)
	h.holds(ledger.Credit, price)
	h.holds(ledger.Prepaid, 0)
}

func TestWhatHappensBetweenGrantAndApprovalCounts(t *testing.T) {
	for name, c := range map[string]struct {
		act  func(h *house, k keeper) error
		want *fault.Error
		then *fault.Error // what the researcher gets
		kept int          // refusals on the record
	}{
		"withdrawn": {func(h *house, k keeper) error {
			_, err := h.con.WithdrawDataset(h.ctx(), k.id, k.dataset)
			return err
		}, ErrRefused, ErrRefused, 2},
		"paused":  {func(h *house, k keeper) error { return h.con.Pause(h.ctx(), k.id) }, ErrRefused, ErrRefused, 2},
		"revoked": {func(h *house, k keeper) error { _, err := h.vault.Revoke(h.ctx(), k.id, k.dataset); return err }, ErrShredded, ErrShredded, 2},
		"expired": {func(h *house, _ keeper) error {
			h.clock.Advance(31 * 24 * time.Hour)
			return nil
		}, ErrExpired, ErrExpired, 0},
		"expired and swept": {func(h *house, _ keeper) error {
			h.clock.Advance(31 * 24 * time.Hour)
			_, err := h.queue.RunDue(h.ctx())
			return err
		}, ErrExpired, ErrExpired, 0},
	} {
		t.Run(name, func(t *testing.T) {
			h := story(t)
			k, s, _, file := h.kept()
			a := k.waiting()[0]
			hdr := k.rewrap(a)
			h.ok(c.act(h, k))
			_, err := h.Approve(h.ctx(), k.id, a.ID, a.Recipient, hdr)
			h.refused(err, c.want)
			_, err = h.Deliver(h.ctx(), s.ID, file.ID)
			h.refused(err, c.then)
			h.holds(ledger.Access, 0)
			refusals := 0
			for _, d := range h.decisions(k.id) {
				if !d.Allow {
					refusals++
				}
			}
			if refusals != c.kept {
				t.Errorf("%d refusals on the record, want %d", refusals, c.kept)
			}
		})
	}
}

func TestDecliningComesTooLateWithAReason(t *testing.T) {
	h := story(t)
	k, _, _, _ := h.kept()
	a := k.waiting()[0]
	must[vault.Receipt](t)(h.vault.Revoke(h.ctx(), k.id, k.dataset))
	_, err := h.Decline(h.ctx(), k.id, a.ID)
	h.refused(err, ErrShredded)
	h.clock.Advance(31 * 24 * time.Hour)
	_, err = h.Decline(h.ctx(), k.id, a.ID)
	h.refused(err, ErrExpired)
	if n := len(h.decisions(k.id)); n != 1 {
		t.Errorf("%d decisions", n)
	}
}

func TestAWithdrawalThatIsTakenBackLetsTheMemberApprove(t *testing.T) {
	h := story(t)
	k, s, _, file := h.kept()
	h.ok(h.con.Pause(h.ctx(), k.id))
	a := k.waiting()[0]
	h.refused(k.approve(a), ErrRefused)
	h.ok(h.con.Resume(h.ctx(), k.id))
	_, err := h.Deliver(h.ctx(), s.ID, file.ID)
	h.refused(err, vault.ErrAwaiting)
	h.ok(k.approve(a))
	h.ok(h.con.Pause(h.ctx(), k.id))
	_, err = h.Deliver(h.ctx(), s.ID, file.ID) // an approval does not stand above consent
	h.refused(err, ErrRefused)
	h.ok(h.con.Resume(h.ctx(), k.id))
	h.fetch(s, file.ID)
}

func TestOthersKnowNothingOfAnApproval(t *testing.T) {
	h := story(t)
	k, _, _, _ := h.kept()
	a := k.waiting()[0]
	for _, m := range []coop.MemberID{h.ada, "", coop.MemberID(coop.NewID())} {
		if list := must[[]Approval](t)(h.Approvals(h.ctx(), m, "", 10)); len(list) != 0 {
			t.Errorf("somebody else sees %+v", list)
		}
		_, err := h.Approve(h.ctx(), m, a.ID, a.Recipient, k.rewrap(a))
		h.refused(err, vault.ErrNotAwaited)
		_, err = h.Decline(h.ctx(), m, a.ID)
		h.refused(err, vault.ErrNotAwaited)
	}
	for _, id := range []string{"", "x", coop.NewID(), string(k.dataset)} {
		_, err := h.Decline(h.ctx(), k.id, id)
		h.refused(err, vault.ErrNotAwaited)
	}
	if n := must[int](t)(h.Waiting(h.ctx(), k.id)); n != 1 || len(h.decisions(k.id)) != 1 {
		t.Errorf("%d wait, %d decisions", n, len(h.decisions(k.id)))
	}
}

func TestAHeaderThatIsNotTakenLeavesNoTrace(t *testing.T) {
	h := story(t)
	k, s, _, file := h.kept()
	a := k.waiting()[0]
	key := must[[]byte](t)(header.FileKey(a.Header, k.key))
	other := must[*age.X25519Identity](t)(age.GenerateX25519Identity())
	two := must[[]byte](t)(header.Build(key, s.key.Recipient(), other.Recipient()))
	for name, c := range map[string]struct {
		to   string
		hdr  []byte
		want *fault.Error
	}{
		"garbage":           {a.Recipient, []byte("garbage"), header.ErrNotAge},
		"two recipients":    {a.Recipient, two, vault.ErrApproval},
		"for somebody else": {other.Recipient().String(), k.rewrap(a), ErrOtherRecipient},
		"for nobody":        {"", k.rewrap(a), ErrOtherRecipient},
	} {
		_, err := h.Approve(h.ctx(), k.id, a.ID, c.to, c.hdr)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := h.Deliver(h.ctx(), s.ID, file.ID)
	h.refused(err, vault.ErrAwaiting)
	if n := len(h.decisions(k.id)); n != 1 {
		t.Errorf("%d decisions", n)
	}
	h.ok(k.approve(a))
}

func TestAnApprovalIsOfTheRecipientThatWasShown(t *testing.T) {
	h := story(t)
	k, s, req, file := h.kept()
	shown := k.waiting()[0]
	other := h.scientist()
	h.ok(h.DB.Update(h.ctx(), func(tx *db.Tx) error { // no call does this; a database can
		_, err := tx.Exec(`UPDATE marketplace_recipients SET researcher = ? WHERE id = ?`, s.ID, other.recipient)
		if err == nil {
			err = tx.ExecOne(`UPDATE marketplace_requests SET recipient = ? WHERE id = ?`, other.recipient, req.ID)
		}
		return err
	}))
	h.refused(k.approve(shown), ErrOtherRecipient)
	_, err := h.Deliver(h.ctx(), s.ID, file.ID) // tells the member anew
	h.refused(err, vault.ErrAwaiting)
	anew := k.waiting()[0]
	if anew.ID != shown.ID || anew.Recipient != other.key.Recipient().String() {
		t.Fatalf("%+v", anew)
	}
	h.refused(k.approve(shown), ErrOtherRecipient)
	h.ok(k.approve(anew))
	s.key = other.key
	h.fetch(s, file.ID)
}

func TestAnAnswerSentTwiceCountsOnce(t *testing.T) {
	h := story(t)
	k, _, _, _ := h.kept()
	a, hdr := k.waiting()[0], []byte(nil)
	ctx := h.keyed("approve")
	_, err := h.Approve(ctx, k.id, a.ID, a.Recipient, []byte("garbage")) // a refusal leaves no key
	h.refused(err, header.ErrNotAge)
	hdr = k.rewrap(a)
	first := must[Answered](t)(h.Approve(ctx, k.id, a.ID, a.Recipient, hdr))
	again := must[Answered](t)(h.Approve(ctx, k.id, a.ID, a.Recipient, hdr))
	if first != again || len(h.decisions(k.id)) != 2 {
		t.Errorf("%+v and %+v, %d decisions", first, again, len(h.decisions(k.id)))
	}
}

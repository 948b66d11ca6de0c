package vault

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
	"distributed.ai/datacoop/vault/header"
)

// kept is a sealed dataset that its member alone can open.
func (h *house) kept(by person, plain []byte) draft {
	h.t.Helper()
	d := draft{Dataset: must[Dataset](h.t)(h.OpenSelfCustody(h.t.Context(), by.id, "wearables", by.age.Recipient().String())), by: by,
		file: encrypt(h.t, plain, by.age.Recipient())}
	h.uploaded(d)
	d.Dataset = must[Dataset](h.t)(h.Seal(h.t.Context(), by.id, d.ID, d.input(h.t)))
	return d
}

// await asks as a delivery does, and commits although nothing comes of it.
func (h *house) await(r researcher, ds coop.DatasetID) (err error) {
	h.t.Helper()
	commit := h.db.Update(h.t.Context(), func(tx *db.Tx) error {
		decision, permit, failed := h.consent.Decide(tx, r.ask(), ds)
		if failed != nil || !decision.Allow {
			h.t.Fatalf("%v, %v", decision.Reasons, failed)
		}
		_, err = h.Rewrap(tx, permit)
		return nil
	})
	if commit != nil {
		h.t.Fatal(commit)
	}
	return err
}

// approve stores what the member's client has made, under a permit of its own.
func (h *house) approve(r researcher, ds coop.DatasetID, hdr []byte) error {
	h.t.Helper()
	return h.db.Update(h.t.Context(), func(tx *db.Tx) error {
		decision, permit, err := h.consent.Decide(tx, r.ask(), ds)
		if err != nil {
			return err
		}
		if !decision.Allow {
			return errRefused
		}
		return h.Approve(tx, permit, hdr)
	})
}

// waiting is what waits for a member.
func (h *house) waiting(m coop.MemberID) (out []Approval) {
	h.t.Helper()
	err := h.db.View(h.t.Context(), func(tx *db.Tx) (err error) {
		out, err = h.Approvals(tx, m, "", 10)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

// answer says where a request stands with the member.
func (h *house) answer(r researcher, ds coop.DatasetID) (out string) {
	h.t.Helper()
	err := h.db.View(h.t.Context(), func(tx *db.Tx) (err error) {
		out, err = h.Answer(tx, r.request, ds, r.recipient)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

// rewrapped is what the member's client does at home.
func (d draft) rewrapped(t testing.TB, a Approval) []byte {
	t.Helper()
	to, _, err := header.ParseRecipient(a.Recipient)
	if err != nil {
		t.Fatal(err)
	}
	return must[[]byte](t)(header.Rewrap(a.Header, d.by.age, to))
}

func TestWithSelfCustodyARequestWaitsForTheMember(t *testing.T) {
	h := newHouse(t)
	d := h.kept(newPerson(t), noise(100_000))
	if !d.SelfCustody || d.VaultRecipient != "" || h.keyCount() != 0 {
		t.Fatalf("the vault holds %d keys, recipient %q", h.keyCount(), d.VaultRecipient)
	}
	r := newResearcher(t)
	for range 2 { // asking again does not queue twice
		wants(t, h.await(r, d.ID), ErrAwaiting)
	}
	h.restart()
	waiting := h.waiting(d.by.id)
	if len(waiting) != 1 || waiting[0].Request != r.request || waiting[0].Recipient != r.recipient {
		t.Fatalf("%+v", waiting)
	}
	if others := h.waiting(newMember()); len(others) != 0 {
		t.Errorf("a stranger sees %+v", others)
	}
	if err := h.approve(r, d.ID, d.rewrapped(t, waiting[0])); err != nil {
		t.Fatal(err)
	}
	h.Lock() // the vault's key has nothing to do with it
	got := must[Delivery](t)(h.fetch(r, d.ID))
	if plain := decrypt(t, readAll(t, got), r.age); !bytes.Equal(plain, noise(100_000)) {
		t.Error("the researcher reads something else")
	}
	h.clock.Advance(30 * 24 * time.Hour)
	h.sweep()
	again := must[Delivery](t)(h.fetch(r, d.ID))
	if again.ETag != got.ETag || len(h.waiting(d.by.id)) != 0 {
		t.Error("a month later the member is asked again")
	}
	if now := must[Dataset](t)(h.Get(t.Context(), d.by.id, d.ID)); now.Deliveries != 1 {
		t.Errorf("%d deliveries", now.Deliveries)
	}
}

func TestAnApprovalTakesAPermitOfItsOwnTransaction(t *testing.T) {
	h := newHouse(t)
	d := h.kept(newPerson(t), noise(1_000))
	r := newResearcher(t)
	wants(t, h.await(r, d.ID), ErrAwaiting)
	a := h.waiting(d.by.id)[0]
	hdr := d.rewrapped(t, a)
	var kept consent.Permit
	err := h.db.Update(t.Context(), func(tx *db.Tx) (err error) {
		_, kept, err = h.consent.Decide(tx, r.ask(), d.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]consent.Permit{"none": {}, "of another transaction": kept} {
		err := h.db.Update(t.Context(), func(tx *db.Tx) error { return h.Approve(tx, p, hdr) })
		if wants(t, err, ErrPermit); err == nil {
			t.Error(name)
		}
	}
	if _, err := h.consent.WithdrawDataset(t.Context(), d.by.id, d.ID); err != nil {
		t.Fatal(err)
	}
	wants(t, h.approve(r, d.ID, hdr), errRefused)
}

func TestOnlyAHeaderForTheOneRecipientIsStored(t *testing.T) {
	h := newHouse(t)
	d := h.kept(newPerson(t), noise(1_000))
	r := newResearcher(t)
	wants(t, h.approve(r, d.ID, []byte("x")), ErrNotAwaited) // nobody has asked yet
	wants(t, h.await(r, d.ID), ErrAwaiting)
	a := h.waiting(d.by.id)[0]
	good := d.rewrapped(t, a)
	key := must[[]byte](t)(header.FileKey(a.Header, d.by.age))
	to, _, _ := header.ParseRecipient(r.recipient)
	second := must[*age.HybridIdentity](t)(age.GenerateHybridIdentity())
	classic := must[*age.X25519Identity](t)(age.GenerateX25519Identity())
	for name, c := range map[string]struct {
		hdr  []byte
		want error
	}{
		"nothing":         {nil, header.ErrTruncated},
		"no header":       {[]byte("an approval"), header.ErrNotAge},
		"with a payload":  {append(bytes.Clone(good), 0), header.ErrMalformed},
		"the original":    {a.Header, ErrApproval},
		"two recipients":  {must[[]byte](t)(header.Build(key, to, second.Recipient())), ErrApproval},
		"a classic one":   {must[[]byte](t)(header.Build(key, classic.Recipient())), ErrApproval},
		"seventeen KiB":   {bytes.Repeat(good, 11), header.ErrTooLarge},
		"half the header": {good[:len(good)/2], header.ErrTruncated},
	} {
		if err := h.approve(r, d.ID, c.hdr); !isOneOf(err, c.want, header.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := newResearcher(t)
	wants(t, h.approve(other, d.ID, good), ErrNotAwaited)
	other.request = r.request // the same request under another key
	wants(t, h.approve(other, d.ID, good), ErrNotAwaited)
	wants(t, h.await(r, d.ID), ErrAwaiting) // and still nothing is delivered
	if err := h.approve(r, d.ID, good); err != nil {
		t.Fatal(err)
	}
	wants(t, h.approve(r, d.ID, good), ErrAnswered)
}

func isOneOf(err error, wanted ...error) bool {
	for _, w := range wanted {
		if err != nil && w != nil && errors.Is(err, w) {
			return true
		}
	}
	return false
}

func TestAnApprovalIsFoundByItsMemberAlone(t *testing.T) {
	h := newHouse(t)
	d := h.kept(newPerson(t), noise(1_000))
	wants(t, h.await(newResearcher(t), d.ID), ErrAwaiting)
	a := h.waiting(d.by.id)[0]
	find := func(m coop.MemberID, id string) error {
		return h.db.View(t.Context(), func(tx *db.Tx) error {
			_, err := h.Approval(tx, m, id)
			return err
		})
	}
	if err := find(d.by.id, a.ID); err != nil {
		t.Error(err)
	}
	wants(t, find(newMember(), a.ID), ErrNotAwaited)
	wants(t, find(d.by.id, coop.NewID()), ErrNotAwaited)
	wants(t, find(d.by.id, "../1"), ErrNotAwaited)
}

func TestRevokingWhatTheMemberKeepsEndsItsApprovals(t *testing.T) {
	h := newHouse(t)
	d := h.kept(newPerson(t), noise(50_000))
	r, waiting := newResearcher(t), newResearcher(t)
	wants(t, h.await(r, d.ID), ErrAwaiting)
	if err := h.approve(r, d.ID, d.rewrapped(t, h.waiting(d.by.id)[0])); err != nil {
		t.Fatal(err)
	}
	f := must[io.ReadSeekCloser](t)(must[Delivery](t)(h.fetch(r, d.ID)).Open())
	defer f.Close()
	wants(t, h.await(waiting, d.ID), ErrAwaiting)
	receipt := must[Receipt](t)(h.Revoke(t.Context(), d.by.id, d.ID))
	if !receipt.Complete || !says(receipt.Achieved, saidNoKey) || says(receipt.Achieved, saidKey) || receipt.BackupsDarkBy != "" ||
		says(receipt.NotAchieved, saidBackups) || !says(receipt.NotAchieved, saidOpeners) || receipt.GrantsDeleted != 1 {
		t.Errorf("%+v", receipt)
	}
	if _, err := f.Read(make([]byte, 10)); !errors.Is(err, ErrRevoked) {
		t.Errorf("a download under way: %v", err)
	}
	if left := h.waiting(d.by.id); len(left) != 0 {
		t.Errorf("%+v", left)
	}
}

func TestAClosedRequestWaitsForNobody(t *testing.T) {
	h := newHouse(t)
	d := h.kept(newPerson(t), noise(1_000))
	r := newResearcher(t)
	wants(t, h.await(r, d.ID), ErrAwaiting)
	if err := h.db.Update(t.Context(), func(tx *db.Tx) error { return h.CloseRequest(tx, r.request) }); err != nil {
		t.Fatal(err)
	}
	if left := h.waiting(d.by.id); len(left) != 0 {
		t.Errorf("%+v", left)
	}
}

func TestSelfCustodyNeedsAKeyToKeep(t *testing.T) {
	h := newHouse(t)
	for _, recipient := range []string{"", "age1nobody"} {
		_, err := h.OpenSelfCustody(t.Context(), newMember(), "wearables", recipient)
		wants(t, err, header.ErrRecipient)
	}
	_, err := h.OpenSelfCustody(t.Context(), newMember(), "No Pool", newPerson(t).age.Recipient().String())
	wants(t, err, ErrPool)
}

func TestARequestIsQueuedWhereTheMemberKeepsTheKeyAndNowhereElse(t *testing.T) {
	h := newHouse(t)
	eva, finn := newPerson(t), newPerson(t)
	kept, revoked, vaulted := h.kept(eva, noise(1_000)), h.kept(eva, noise(2_000)), h.sealed(finn, noise(3_000))
	must[Receipt](t)(h.Revoke(t.Context(), eva.id, revoked.ID))
	r := newResearcher(t)
	var queued []coop.DatasetID
	await := func(pool coop.PoolID, asked ...coop.DatasetID) {
		t.Helper()
		err := h.db.Update(t.Context(), func(tx *db.Tx) (err error) {
			queued, err = h.Await(tx, r.request, r.recipient, pool, asked)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	await("glucose", kept.ID, vaulted.ID)
	if len(queued) != 0 {
		t.Errorf("in another pool %v", queued)
	}
	await("wearables", revoked.ID, vaulted.ID)
	if len(queued) != 0 || len(h.waiting(eva.id)) != 0 || len(h.waiting(finn.id)) != 0 {
		t.Errorf("queued %v", queued)
	}
	for range 2 { // twice is once
		await("wearables", kept.ID, revoked.ID, vaulted.ID)
	}
	waiting := h.waiting(eva.id)
	if len(queued) != 1 || queued[0] != kept.ID || len(waiting) != 1 || waiting[0].Manifest != kept.Manifest() ||
		!bytes.Equal(waiting[0].Signature, kept.Signature) {
		t.Fatalf("queued %v, waiting %+v", queued, waiting)
	}
	if got := h.answer(r, kept.ID); got != ApprovalWaiting {
		t.Errorf("the request is %s", got)
	}
	if err := h.approve(r, kept.ID, kept.rewrapped(t, waiting[0])); err != nil {
		t.Fatal(err)
	}
	if got := h.answer(r, kept.ID); got != ApprovalGiven {
		t.Errorf("once approved the request is %s", got)
	}
	other := newResearcher(t)
	other.request = r.request
	if got := h.answer(other, kept.ID); got != ApprovalWaiting {
		t.Errorf("under another recipient the request is %s", got)
	}
	must[Delivery](t)(h.fetch(r, kept.ID))
}

func TestWhatIsDeclinedStaysDeclined(t *testing.T) {
	h := newHouse(t)
	d := h.kept(newPerson(t), noise(1_000))
	r, other := newResearcher(t), newResearcher(t)
	wants(t, h.await(r, d.ID), ErrAwaiting)
	a := h.waiting(d.by.id)[0]
	decline := func(m coop.MemberID, id string) error {
		return h.db.Update(t.Context(), func(tx *db.Tx) error { return h.Decline(tx, m, id) })
	}
	wants(t, decline(newMember(), a.ID), ErrNotAwaited)
	wants(t, decline(d.by.id, coop.NewID()), ErrNotAwaited)
	if err := decline(d.by.id, a.ID); err != nil {
		t.Fatal(err)
	}
	wants(t, decline(d.by.id, a.ID), ErrAnswered)
	wants(t, h.approve(r, d.ID, d.rewrapped(t, a)), ErrAnswered)
	for range 2 {
		wants(t, h.await(r, d.ID), ErrDeclined)
	}
	if got := h.answer(r, d.ID); got != ApprovalDeclined || len(h.waiting(d.by.id)) != 0 {
		t.Errorf("the request is %s, waiting %+v", got, h.waiting(d.by.id))
	}
	wants(t, h.await(other, d.ID), ErrAwaiting) // one request was declined, not all
}

func TestApprovalsAreListedPageByPageNewestFirst(t *testing.T) {
	h := newHouse(t)
	d := h.kept(newPerson(t), noise(1_000))
	for range 5 {
		wants(t, h.await(newResearcher(t), d.ID), ErrAwaiting)
	}
	all := h.waiting(d.by.id)
	var paged []string
	for before := ""; ; {
		var page []Approval
		err := h.db.View(t.Context(), func(tx *db.Tx) (err error) {
			page, err = h.Approvals(tx, d.by.id, before, 2)
			return err
		})
		if err != nil || len(page) > 2 {
			t.Fatalf("%d: %v", len(page), err)
		}
		if len(page) == 0 {
			break
		}
		for _, a := range page {
			if before != "" && a.ID >= before {
				t.Errorf("%s comes after %s", a.ID, before)
			}
			before = a.ID
			paged = append(paged, a.ID)
		}
	}
	if len(all) != 5 || len(paged) != 5 || paged[0] != all[0].ID || paged[4] != all[4].ID {
		t.Errorf("paged %v", paged)
	}
}

func TestApprovingForAClassicKeyNeedsTheCharter(t *testing.T) {
	h := newHouse(t)
	d := h.kept(newPerson(t), noise(1_000)) // post-quantum: the researcher's key would be the weaker one
	id := must[*age.X25519Identity](t)(age.GenerateX25519Identity())
	r := researcher{coop.RequestID(coop.NewID()), id.Recipient().String(), id}
	wants(t, h.await(r, d.ID), ErrAwaiting)
	hdr := d.rewrapped(t, h.waiting(d.by.id)[0])
	wants(t, h.approve(r, d.ID, hdr), ErrClassic)
	h.classic = true
	h.restart()
	if err := h.approve(r, d.ID, hdr); err != nil {
		t.Fatal(err)
	}
	if got := decrypt(t, readAll(t, must[Delivery](t)(h.fetch(r, d.ID))), id); !bytes.Equal(got, noise(1_000)) {
		t.Error("the plaintext is not the member's")
	}
}

package marketplace

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/ledger"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/vault"
)

func TestAFileIsDeliveredAsTheMemberHadIt(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	_, files := h.paid(s)
	for i, f := range files {
		m := h.sealedBy(f.SHA256)
		d := must[vault.Delivery](t)(h.Deliver(h.ctx(), s.ID, f.ID))
		if d.Size != f.Size || d.SHA256 != f.SHA256 || f.Gone || f.Raw {
			t.Errorf("listed as %+v, delivered %d bytes of %s", f, d.Size, d.SHA256)
		}
		if got := h.fetch(s, f.ID); !bytes.Equal(got, plain(m)) {
			t.Errorf("decrypted %q", got)
		}
		h.holds(ledger.Access, coop.Money(i+1)*price)
		seen := h.decisions(m)
		if len(seen) != 3 || seen[0].Stage != consent.StageDelivery || !seen[0].Allow || seen[2].Stage != consent.StageRequest {
			t.Errorf("the member sees %+v", seen)
		}
	}
	h.holds(ledger.Prepaid, 0)
}

func TestRevenueIsEarnedOnceOverManyFetches(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	_, files := h.paid(s)
	entries := h.entries()
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			if _, err := h.Deliver(h.ctx(), s.ID, files[0].ID); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	h.clock.Advance(time.Hour)
	h.fetch(s, files[0].ID)
	if got := h.entries() - entries; got != 1 {
		t.Errorf("%d entries", got)
	}
	h.holds(ledger.Access, price)
	if n := len(h.decisions(h.sealedBy(files[0].SHA256))); n != 14 { // one at submission
		t.Errorf("%d decisions", n)
	}
}

func TestFilesOfOthersAreNotFound(t *testing.T) {
	h := story(t)
	members, _ := h.shared(3)
	s, other := h.scientist(), h.scientist()
	_, files := h.paid(s)
	for _, id := range []coop.FileID{files[0].ID, coop.FileID(coop.NewID()), "", "x"} {
		_, err := h.Deliver(h.ctx(), other.ID, id)
		h.refused(err, ErrNotFound)
	}
	_, err := h.Deliver(h.ctx(), "", files[0].ID)
	h.refused(err, ErrNotFound)
	h.holds(ledger.Access, 0)
	if n := len(h.decisions(members[0])); n != 1 {
		t.Errorf("%d decisions", n)
	}
}

func TestNothingIsDeliveredBeforePaymentOrAfterTheTime(t *testing.T) {
	h := story(t)
	members, _ := h.shared(3)
	s := h.scientist()
	req := must[Request](t)(h.Submit(h.ctx(), s.draft()))
	files := must[[]FileView](t)(h.Files(h.ctx(), s.ID, req.ID))
	_, err := h.Deliver(h.ctx(), s.ID, files[0].ID)
	h.refused(err, ErrNotPaid)
	inv := must[Invoice](t)(h.Accept(h.ctx(), s.ID, req.ID))
	_, err = h.Deliver(h.ctx(), s.ID, files[0].ID)
	h.refused(err, ErrNotPaid)
	h.pay(inv)
	h.fetch(s, files[0].ID)
	h.clock.Advance(30*24*time.Hour - time.Millisecond)
	h.fetch(s, files[1].ID)
	h.clock.Advance(time.Millisecond)
	for range 2 { // before and after the job
		for _, f := range files {
			_, err = h.Deliver(h.ctx(), s.ID, f.ID)
			h.refused(err, ErrExpired)
		}
		if got := must[Decided](t)(h.Request(h.ctx(), s.ID, req.ID)); got.State != StateExpired {
			t.Errorf("the request is %s", got.State)
		}
		must[int](t)(h.queue.RunDue(h.ctx()))
	}
	h.holds(ledger.Access, 2*price)
	h.holds(ledger.Credit, price) // the third was never fetched
	h.holds(ledger.Prepaid, 0)
	n := 0
	for _, m := range members {
		n += len(h.decisions(m))
	}
	if n != 3+2 {
		t.Errorf("%d decisions", n)
	}
	if list := must[[]Request](t)(h.Requests(h.ctx(), s.ID, "", 10)); list[0].State != StateExpired {
		t.Errorf("listed as %s", list[0].State)
	}
}

func TestExpiryRunsOnceAndNotForOthers(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	req, _ := h.paid(s)
	payload := must[[]byte](t)(json.Marshal(expireJob{req.ID}))
	h.clock.Advance(31 * 24 * time.Hour)
	for range 3 {
		h.ok(h.expire(h.ctx(), payload))
	}
	h.holds(ledger.Credit, 3*price)
	h.holds(ledger.Prepaid, 0)
	for _, bad := range []string{"{", `{"request":"unknown"}`} {
		if h.expire(h.ctx(), []byte(bad)) == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

// refusals are what a member can do after a researcher has paid.
func TestAMembersNoAfterPaymentIsRecordedAndChargesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		act  func(h *house, m coop.MemberID, ds coop.DatasetID) error
		undo func(h *house, m coop.MemberID, ds coop.DatasetID) error
	}{
		"withdraws for the dataset": {
			func(h *house, m coop.MemberID, ds coop.DatasetID) error {
				_, err := h.con.WithdrawDataset(h.ctx(), m, ds)
				return err
			},
			func(h *house, m coop.MemberID, ds coop.DatasetID) error {
				_, err := h.con.PutDataset(h.ctx(), m, ds, *yes())
				return err
			},
		},
		"refuses for the pool": {
			func(h *house, m coop.MemberID, _ coop.DatasetID) error {
				_, err := h.con.PutPool(h.ctx(), m, "wearables", *no())
				return err
			},
			func(h *house, m coop.MemberID, _ coop.DatasetID) error {
				_, err := h.con.PutPool(h.ctx(), m, "wearables", *yes())
				return err
			},
		},
		"pauses": {
			func(h *house, m coop.MemberID, _ coop.DatasetID) error { return h.con.Pause(h.ctx(), m) },
			func(h *house, m coop.MemberID, _ coop.DatasetID) error { return h.con.Resume(h.ctx(), m) },
		},
		"asks a higher price": {
			func(h *house, m coop.MemberID, ds coop.DatasetID) error {
				terms := *yes()
				terms.MinPrice = price + 1
				_, err := h.con.PutDataset(h.ctx(), m, ds, terms)
				return err
			},
			func(h *house, m coop.MemberID, ds coop.DatasetID) error {
				_, err := h.con.PutDataset(h.ctx(), m, ds, *yes())
				return err
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := story(t)
			members, datasets := h.shared(3)
			s := h.scientist()
			_, files := h.paid(s)
			i := slices.IndexFunc(files, func(f FileView) bool { return h.sealedBy(f.SHA256) == members[0] })
			entries := h.entries()
			h.ok(c.act(h, members[0], datasets[0]))
			_, err := h.Deliver(h.ctx(), s.ID, files[i].ID)
			h.refused(err, ErrRefused)
			var f *fault.Error
			if !errors.As(err, &f) || len(f.Detail) == 0 {
				t.Errorf("no reason is given: %v", err)
			}
			seen := h.decisions(members[0])
			if seen[0].Allow || seen[0].Stage != consent.StageDelivery || len(seen[0].Reasons) == 0 {
				t.Errorf("the member sees %+v", seen[0])
			}
			if h.entries() != entries {
				t.Error("a refusal was charged")
			}
			h.fetch(s, files[(i+1)%3].ID) // others go on
			h.ok(c.undo(h, members[0], datasets[0]))
			h.fetch(s, files[i].ID)
			h.holds(ledger.Access, 2*price)
		})
	}
}

func TestARevokedDatasetIsGone(t *testing.T) {
	h := story(t)
	members, datasets := h.shared(3)
	s := h.scientist()
	req, files := h.paid(s)
	i := slices.IndexFunc(files, func(f FileView) bool { return h.sealedBy(f.SHA256) == members[0] })
	h.fetch(s, files[i].ID)
	must[vault.Receipt](t)(h.vault.Revoke(h.ctx(), members[0], datasets[0]))
	h.clock.Advance(time.Second)
	_, err := h.Deliver(h.ctx(), s.ID, files[i].ID)
	h.refused(err, ErrShredded)
	if fault.KindOf(err) != fault.Gone || h.decisions(members[0])[0].Allow {
		t.Errorf("got %v", err)
	}
	files = must[[]FileView](t)(h.Files(h.ctx(), s.ID, req.ID))
	if !files[i].Gone || files[(i+1)%3].Gone {
		t.Errorf("listed as %+v", files)
	}
	h.holds(ledger.Access, price) // what was delivered before stays earned
}

func TestANewLawHoldsForWhatWasPaidBefore(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	_, files := h.paid(s)
	h.fetch(s, files[0].ID)
	narrow := bytes.Replace(policies.Default(), []byte("input.request.requester.vetted == false"), []byte("input.request.retention_days > 90"), 1)
	h.engine.Swap(must[*policies.Revision](t)(policies.Compile(h.ctx(), narrow)))
	for _, f := range files {
		_, err := h.Deliver(h.ctx(), s.ID, f.ID)
		h.refused(err, ErrRefused)
	}
	h.engine.Seal()
	_, err := h.Deliver(h.ctx(), s.ID, files[0].ID)
	h.refused(err, ErrRefused)
	h.holds(ledger.Access, price)
}

func TestALockedVaultDeliversAndChargesNothing(t *testing.T) {
	h := story(t)
	members, _ := h.shared(3)
	s := h.scientist()
	_, files := h.paid(s)
	entries := h.entries()
	h.vault.Lock()
	_, err := h.Deliver(h.ctx(), s.ID, files[0].ID)
	h.refused(err, vault.ErrVaultSealed)
	if h.entries() != entries || len(h.decisions(members[0])) != 1 {
		t.Error("something was recorded")
	}
}

func TestAnInterruptedDeliveryLeavesNothing(t *testing.T) {
	h := story(t)
	members, _ := h.shared(3)
	s := h.scientist()
	_, files := h.paid(s)
	ctx, cancel := context.WithCancel(h.ctx())
	cancel()
	if _, err := h.Deliver(ctx, s.ID, files[0].ID); err == nil {
		t.Error("delivered to nobody")
	}
	h.holds(ledger.Access, 0)
	if len(h.decisions(members[0])) != 1 {
		t.Error("a decision was recorded")
	}
}

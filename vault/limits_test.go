package vault

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/fault"
)

// limited is a house with narrow limits.
func limited(t *testing.T, l Limits) *house {
	t.Helper()
	h := newHouse(t)
	c := h.config()
	c.Limits = l
	h.Service = must[*Service](t)(New(t.Context(), c))
	return h
}

func TestAMembersQuotaCountsWhatIsKeptAndWhatIsComing(t *testing.T) {
	h := limited(t, Limits{Bytes: 250_000})
	p, other := newPerson(t), newPerson(t)
	kept := h.sealed(p, noise(100_000))
	coming := h.open(p, noise(100_000))
	up := must[Upload](t)(h.CreateUpload(t.Context(), p.id, coming.ID, int64(len(coming.file)))) // not a byte of it is here
	third := h.open(p, noise(100_000))
	_, err := h.CreateUpload(t.Context(), p.id, third.ID, int64(len(third.file)))
	wants(t, err, ErrQuota)
	if fault.KindOf(err) != fault.TooLarge {
		t.Error("the caller is not told that it is too much")
	}
	_, err = h.CreateUpload(t.Context(), p.id, third.ID, maxBytes)
	wants(t, err, ErrQuota)
	h.sealed(other, noise(100_000)) // nobody else's business
	if err := h.Cancel(t.Context(), p.id, up.ID); err != nil {
		t.Fatal(err)
	}
	h.uploaded(third)
	must[Receipt](t)(h.Revoke(t.Context(), p.id, kept.ID))
	h.uploaded(coming)
}

func TestAMemberOpensOnlySoManyUploads(t *testing.T) {
	h := limited(t, Limits{Uploads: 2})
	p := newPerson(t)
	var last Upload
	for range 2 {
		last = must[Upload](t)(h.CreateUpload(t.Context(), p.id, h.open(p, nil).ID, 5_000))
	}
	third := h.open(p, nil)
	_, err := h.CreateUpload(t.Context(), p.id, third.ID, 5_000)
	wants(t, err, ErrTooManyUploads)
	other := newPerson(t)
	must[Upload](t)(h.CreateUpload(t.Context(), other.id, h.open(other, nil).ID, 5_000))
	if err := h.Cancel(t.Context(), p.id, last.ID); err != nil {
		t.Fatal(err)
	}
	must[Upload](t)(h.CreateUpload(t.Context(), p.id, third.ID, 5_000))
	h.clock.Advance(uploadLife + time.Minute)
	h.sweep() // abandoned uploads make room
	must[Upload](t)(h.CreateUpload(t.Context(), p.id, h.open(p, nil).ID, 5_000))
	must[Upload](t)(h.CreateUpload(t.Context(), p.id, h.open(p, nil).ID, 5_000))
}

func TestAMemberSendsOnlySoManyPartsAtOnce(t *testing.T) {
	h := limited(t, Limits{Parts: 2})
	p := newPerson(t)
	var feeds []*io.PipeWriter
	done := make(chan error, 2)
	for range 2 {
		d := h.open(p, noise(100_000))
		up := must[Upload](t)(h.CreateUpload(t.Context(), p.id, d.ID, int64(len(d.file))))
		slow, feed := io.Pipe()
		go func() {
			_, err := h.Append(context.Background(), p.id, up.ID, 0, slow)
			done <- err
		}()
		_, _ = feed.Write(d.file[:50_000]) // being received from here on
		feeds = append(feeds, feed)
	}
	d := h.open(p, noise(1_000))
	up := must[Upload](t)(h.CreateUpload(t.Context(), p.id, d.ID, int64(len(d.file))))
	_, err := h.Append(t.Context(), p.id, up.ID, 0, bytes.NewReader(d.file))
	wants(t, err, ErrTooManyParts)
	if fault.KindOf(err) != fault.Unavailable {
		t.Error("the caller is not told to come back")
	}
	other := h.open(newPerson(t), noise(1_000))
	h.uploaded(other)
	for _, feed := range feeds {
		_ = feed.Close()
	}
	for range feeds {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	must[Upload](t)(h.Append(t.Context(), p.id, up.ID, 0, bytes.NewReader(d.file)))
}

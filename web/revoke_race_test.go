package web_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"filippo.io/age"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/vault"
	"distributed.ai/datacoop/vault/header"
	"distributed.ai/datacoop/web/client"
)

// sealed stores a file of so many bytes for a member, beside HTTP.
func (h *house) sealed(c *client.Client, size int64) coop.DatasetID {
	h.t.Helper()
	ctx := context.Background()
	me, err := c.Me(ctx)
	ok(h.t, err)
	m := coop.MemberID(me.ID)
	d, err := h.vault.Open(ctx, m, "wearables", "")
	ok(h.t, err)
	to, _, err := header.ParseRecipient(d.VaultRecipient)
	ok(h.t, err)
	var file bytes.Buffer
	w, err := age.Encrypt(&file, to)
	ok(h.t, err)
	_, err = io.CopyN(w, zeros{}, size)
	ok(h.t, errors.Join(err, w.Close()))
	up, err := h.vault.CreateUpload(ctx, m, d.ID, int64(file.Len()))
	ok(h.t, err)
	up, err = h.vault.Append(ctx, m, up.ID, 0, &file)
	ok(h.t, err)
	_, err = h.vault.Seal(ctx, m, d.ID, vault.SealInput{Manifest: vault.Manifest{Dataset: string(d.ID), SHA256: up.PayloadSHA256,
		Size: up.PayloadSize, HeaderSHA256: up.HeaderSHA256, VaultRecipient: d.VaultRecipient}})
	ok(h.t, err)
	return d.ID
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestADownloadStopsWhenTheMemberRevokes reads 60 MB at 10 MB/s and revokes
// after a second: at most 1 MiB or one second more may come, and what came must
// not look like a whole file.
func TestADownloadStopsWhenTheMemberRevokes(t *testing.T) {
	const size, pace = 60_000_000, 10_000_000
	h := openHouse(t, func(h *house) { h.largest = 64 << 20 })
	eva, token := h.member("eva")
	ds := h.sealed(eva, size)
	resp := h.download("/v1/datasets/"+string(ds)+"/content", token)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.ContentLength < size {
		t.Fatalf("status %d, %d bytes announced", resp.StatusCode, resp.ContentLength)
	}
	acknowledged := make(chan time.Time, 1)
	time.AfterFunc(time.Second, func() {
		if _, err := eva.Revoke(context.Background(), string(ds)); err != nil {
			t.Error(err)
		}
		acknowledged <- time.Now()
	})
	var at time.Time
	var before, after int64
	part := make([]byte, pace/100)
	for {
		n, err := io.ReadFull(resp.Body, part)
		select {
		case at = <-acknowledged:
		default:
		}
		if at.IsZero() {
			before += int64(n)
		} else {
			after += int64(n)
		}
		if errors.Is(err, io.EOF) {
			t.Fatalf("after %d bytes the answer ends as if it were whole", before+after)
		}
		if err != nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if at.IsZero() { // it broke off before the receipt was back
		at = <-acknowledged
	}
	took := time.Since(at)
	t.Logf("%d bytes before the receipt, %d after it, the last %v later", before, after, took.Round(time.Millisecond))
	if after > 1<<20 && took > time.Second {
		t.Errorf("%d bytes and %v after the receipt", after, took)
	}
	if before == 0 || before+after >= size {
		t.Errorf("%d of %d bytes came: the race was not run", before+after, int64(size))
	}
	again := h.download("/v1/datasets/"+string(ds)+"/content", token)
	defer again.Body.Close()
	if again.StatusCode != http.StatusGone {
		t.Errorf("the next request is answered with %d", again.StatusCode)
	}
}

// download asks through a connection that buffers next to nothing on this side,
// so that what is counted is what the server let go of.
func (h *house) download(path, token string) *http.Response {
	h.t.Helper()
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return c, c.(*net.TCPConn).SetReadBuffer(32 << 10)
	}
	transport := &http.Transport{DialContext: dial, ReadBufferSize: 4 << 10}
	h.t.Cleanup(transport.CloseIdleConnections)
	req, err := http.NewRequest(http.MethodGet, h.base+path, nil)
	ok(h.t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := (&http.Client{Transport: transport}).Do(req)
	ok(h.t, err)
	return resp
}

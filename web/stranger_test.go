package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/vault"
)

// TestAStrangersTusClientIsInterruptedAndGoesOn uploads with tus-js-client,
// which knows nothing of us: interrupted within a chunk, resumed by the
// address alone, sealed; and the bytes are the same.
func TestAStrangersTusClientIsInterruptedAndGoesOn(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is missing: apt-get install nodejs")
	}
	if _, err := os.Stat("islands/node_modules/tus-js-client"); err != nil {
		t.Skip("tus-js-client is missing: npm ci in web/islands")
	}
	ctx := context.Background()
	h := openHouse(t, func(h *house) { h.largest = 8 << 20 })
	eva, token := h.member("eva")
	u := h.newUpload(eva, token, 3_000_000)
	file := filepath.Join(t.TempDir(), "export.age")
	ok(t, os.WriteFile(file, u.file, 0o600))
	const chunk = 1 << 20
	order, err := json.Marshal(map[string]any{"base": h.cutAfter(chunk + chunk/2), "token": token, "dataset": u.dataset, "file": file, "chunk": chunk})
	ok(t, err)
	run := exec.CommandContext(t.Context(), node, "judges/tus.mjs")
	run.Dir, run.Stdin, run.Stderr = "islands", bytes.NewReader(order), t.Output()
	out, err := run.Output()
	ok(t, err)
	var seen struct {
		Sent      int64
		URL       string
		ResumedAt int64
		Requests  []string
		Failed    string
	}
	ok(t, json.Unmarshal(out, &seen))
	t.Logf("resumed at %d of %d: %v", seen.ResumedAt, len(u.file), seen.Requests)
	if seen.Failed != "" || seen.Sent != int64(len(u.file)) || seen.ResumedAt <= chunk || seen.ResumedAt >= 2*chunk {
		t.Fatalf("%+v", seen)
	}
	if said := strings.Join(seen.Requests, ", "); !strings.HasPrefix(said, "POST 201, PATCH 204, HEAD 200, PATCH 204") {
		t.Errorf("it heard %s", said)
	}
	u.location = seen.URL[strings.Index(seen.URL, "/v1/"):]
	u.stands(len(u.file))
	me, err := eva.Me(ctx)
	ok(t, err)
	up, err := h.vault.Upload(ctx, coop.MemberID(me.ID), coop.UploadID(filepath.Base(u.location)))
	ok(t, err)
	d, err := h.vault.Get(ctx, coop.MemberID(me.ID), coop.DatasetID(u.dataset))
	ok(t, err)
	_, err = h.vault.Seal(ctx, coop.MemberID(me.ID), d.ID, vault.SealInput{Manifest: vault.Manifest{Dataset: string(d.ID), SHA256: up.PayloadSHA256,
		Size: up.PayloadSize, HeaderSHA256: up.HeaderSHA256, VaultRecipient: d.VaultRecipient}})
	ok(t, err)
	content, err := eva.Content(ctx, u.dataset)
	ok(t, err)
	defer content.Close()
	got, err := io.ReadAll(content)
	if err != nil || !bytes.Equal(got, u.file) {
		t.Errorf("%d bytes came back of %d, %v", len(got), len(u.file), err)
	}
	if a := u.do("HEAD"); a.status != http.StatusNotFound {
		t.Errorf("the upload is over, and HEAD says %d", a.status)
	}
}

// cutAfter is a way to the house that breaks down once, when so many bytes
// have gone there.
func (h *house) cutAfter(most int64) (base string) {
	h.t.Helper()
	listener, err := net.Listen("tcp", "localhost:0")
	ok(h.t, err)
	h.t.Cleanup(func() { _ = listener.Close() })
	var gone atomic.Int64
	var cut atomic.Bool
	pass := func(from net.Conn) {
		defer from.Close()
		to, err := net.Dial("tcp", strings.TrimPrefix(h.base, "http://"))
		if err != nil {
			return
		}
		defer to.Close()
		go func() { _, _ = io.Copy(from, to); _ = from.Close() }()
		part := make([]byte, 16<<10)
		for {
			n, err := from.Read(part)
			if _, lost := to.Write(part[:n]); err != nil || lost != nil {
				return
			}
			if gone.Add(int64(n)) > most && cut.CompareAndSwap(false, true) {
				return
			}
		}
	}
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go pass(c)
		}
	}()
	return "http://" + listener.Addr().String()
}

package web_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// dial opens a plain connection to the house.
func (h *house) dial() net.Conn {
	h.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(h.base, "http://"))
	ok(h.t, err)
	h.t.Cleanup(func() { _ = c.Close() })
	return c
}

// from gives a request an address of its own, so that no limit of requests
// per address helps.
func from(n int) string { return fmt.Sprintf("X-Forwarded-For: 203.0.%d.%d\r\n", n/250, n%250+1) }

// drip sends the head of a request and then its body byte by byte, as long as
// the server takes them, and answers what it said in the end.
func drip(c net.Conn, head string, body []byte) (*http.Response, error) {
	if _, err := io.WriteString(c, head); err != nil {
		return nil, err
	}
	over := make(chan struct{})
	defer close(over)
	go func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for _, b := range body {
			select {
			case <-over:
				return
			case <-tick.C:
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
			}
		}
	}()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp, err
}

// TestFourHundredSlowBodiesStarveNobody is D2 of the reliability plan: half of
// the slow senders are strangers, the others members with a token.
func TestFourHundredSlowBodiesStarveNobody(t *testing.T) {
	h := openHouse(t, func(h *house) { h.patience = 2 * time.Second })
	eva, token := h.member("eva")
	finn, _ := h.member("finn")
	var uploads []*tus
	for range 16 {
		u := h.newUpload(eva, token, 100_000)
		u.create()
		uploads = append(uploads, u)
	}
	type end struct {
		member bool
		resp   *http.Response
		err    error
	}
	ends := make(chan end, 400)
	for n := range cap(ends) {
		c, u, auth := h.dial(), uploads[n/2%len(uploads)], "Authorization: Bearer "+token+"\r\n"
		if n%2 == 1 {
			auth = ""
		}
		head := "PATCH " + u.location + " HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: " + parts +
			fmt.Sprintf("\r\nContent-Length: %d\r\n", len(u.file)) + from(n) + auth + "\r\n"
		go func() {
			resp, err := drip(c, head, u.file)
			ends <- end{auth != "", resp, err}
		}()
	}
	for seed := range 10 {
		h.share(finn, uint64(seed))
	}
	if _, err := eva.Me(context.Background()); err != nil {
		t.Errorf("the member whose token they use: %v", err)
	}
	said := map[string]int{}
	for range cap(ends) {
		select {
		case e := <-ends:
			what := fmt.Sprint(e.member, " ", e.err)
			if e.err == nil {
				what = fmt.Sprint(e.member, " ", e.resp.StatusCode)
			}
			if e.resp != nil && e.resp.StatusCode == http.StatusTooManyRequests && e.resp.Header.Get("Retry-After") == "" {
				t.Error("429 without Retry-After")
			}
			said[what]++
		case <-time.After(time.Minute):
			t.Fatalf("some are never cut; those that were: %v", said)
		}
	}
	t.Log(said)
	if said["false 401"] != cap(ends)/2 || said["true 429"] == 0 || said["true 408"] == 0 || said["true 408"]+said["true 409"]+said["true 429"] != cap(ends)/2 {
		t.Errorf("they hear %v", said)
	}
	for _, u := range uploads[:1] {
		if a := u.do("HEAD"); a.status != http.StatusOK {
			t.Errorf("the upload itself: %d", a.status)
		}
	}
}

func TestASlowButLivingUploadGoesOn(t *testing.T) {
	h := openHouse(t, func(h *house) { h.patience = time.Second })
	eva, token := h.member("eva")
	u := h.newUpload(eva, token, 40_000)
	u.create()
	c := h.dial()
	began := time.Now()
	fmt.Fprintf(c, "PATCH %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
		u.location, token, parts, len(u.file))
	for rest := u.file; len(rest) > 0; { // more than the pace, for longer than the patience
		n := min(len(rest), 8_000)
		_, err := c.Write(rest[:n])
		ok(t, err)
		rest = rest[n:]
		time.Sleep(400 * time.Millisecond)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	ok(t, err)
	if resp.StatusCode != http.StatusNoContent || time.Since(began) < 2*time.Second {
		t.Errorf("status %d after %v", resp.StatusCode, time.Since(began))
	}
	u.stands(len(u.file))
}

func TestOneCallerDownloadsOnlySoMuchAtOnce(t *testing.T) {
	h := openHouse(t, func(h *house) { h.largest = 8 << 20 })
	eva, token := h.member("eva")
	ds := h.sealed(eva, 4<<20)
	path := "/v1/datasets/" + string(ds) + "/content"
	var held []*http.Response
	for range 32 {
		resp := h.download(path, token)
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("download %d: %d", len(held), resp.StatusCode)
		}
		held = append(held, resp)
	}
	a := h.call("GET", path, token, "")
	refused(t, a, http.StatusTooManyRequests, "downloads-too-many")
	if a.header.Get("Retry-After") == "" {
		t.Error("429 without Retry-After")
	}
	finn, finns := h.member("finn")
	other := h.sealed(finn, 1000)
	if a := h.call("GET", "/v1/datasets/"+string(other)+"/content", finns, ""); a.status != http.StatusOK {
		t.Errorf("another member: %d", a.status)
	}
	_, err := io.Copy(io.Discard, held[0].Body)
	ok(t, err)
	h.until(func() bool { return h.web.Downloading() < 32 })
	if a := h.call("GET", path, token, ""); a.status != http.StatusOK {
		t.Errorf("when one is done: %d", a.status)
	}
	for _, resp := range held {
		_ = resp.Body.Close()
	}
}

// until waits for what has to come.
func (h *house) until(come func() bool) {
	h.t.Helper()
	for end := time.Now().Add(time.Minute); !come(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatal("it never came")
		}
	}
}

func TestAReaderWhoDoesNotReadIsLetGo(t *testing.T) {
	h := openHouse(t, func(h *house) { h.largest, h.patience = 8<<20, time.Second })
	eva, token := h.member("eva")
	path := "/v1/datasets/" + string(h.sealed(eva, 4<<20)) + "/content"
	resp := h.download(path, token)
	defer resp.Body.Close()
	h.until(func() bool { return h.web.Downloading() == 0 })
	n, err := io.Copy(io.Discard, resp.Body)
	if err == nil || n >= resp.ContentLength {
		t.Errorf("%d of %d bytes came, %v", n, resp.ContentLength, err)
	}
	var hold sync.WaitGroup
	for range 4 { // who reads slowly gets everything
		hold.Go(func() {
			slow := h.download(path, token)
			defer slow.Body.Close()
			part := make([]byte, 256<<10)
			var n int64
			for {
				m, err := io.ReadFull(slow.Body, part)
				n += int64(m)
				if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) && n == slow.ContentLength {
					break
				}
				if err != nil {
					t.Errorf("after %d bytes: %v", n, err)
					return
				}
				time.Sleep(150 * time.Millisecond)
			}
			if n != slow.ContentLength {
				t.Errorf("%d of %d bytes", n, slow.ContentLength)
			}
		})
	}
	hold.Wait()
}

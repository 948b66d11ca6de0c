package web_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"testing"
	"time"
)

// heap is how many bytes live objects and those not yet collected take.
func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// grown runs work and answers by how many bytes the heap had grown at its
// highest.
func grown(work func()) int64 {
	runtime.GC()
	before, highest := heap(), uint64(0)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			highest = max(highest, heap())
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	work()
	close(stop)
	<-stopped
	return int64(highest) - int64(before)
}

// raw sends a request as it is written, with a body of any kind behind it,
// while it reads the answer. Closed says that the server let go of the
// connection after it.
func (h *house) raw(request string, body io.Reader) (status int, closed bool, err error) {
	c, err := net.Dial("tcp", strings.TrimPrefix(h.base, "http://"))
	if err != nil {
		return 0, false, err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		return 0, false, err
	}
	go func() {
		_, _ = io.WriteString(c, request) // the server may refuse before it is through
		if body != nil {
			_, _ = io.Copy(c, body)
		}
	}()
	in := bufio.NewReader(c)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return 0, false, err
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0, false, err
	}
	if !resp.Close {
		return resp.StatusCode, false, nil
	}
	_, err = in.ReadByte()
	return resp.StatusCode, errors.Is(err, io.EOF) || isReset(err), nil
}

func isReset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && !op.Timeout()
}

// emptyTemp watches the directory for temporary files.
func emptyTemp(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Cleanup(func() {
		left, err := os.ReadDir(dir)
		if err != nil || len(left) != 0 {
			t.Errorf("temporary files are left: %v, %v", left, err)
		}
	})
}

func TestAHugeBodyIsRefusedAndHeldNowhere(t *testing.T) {
	emptyTemp(t)
	h := openHouse(t)
	_, token := h.member("eva")
	cookie := h.browse("eva").cookie()
	const huge = 70 << 20
	form := "Content-Type: application/x-www-form-urlencoded\r\n"
	cases := []struct {
		head string
		want int
	}{
		{"POST /v1/datasets HTTP/1.1\r\nContent-Type: application/json\r\nAuthorization: Bearer " + token, 413},
		{"POST /v1/datasets HTTP/1.1\r\nContent-Type: application/json\r\nIdempotency-Key: 0123456789\r\nAuthorization: Bearer " + token, 413},
		{"POST /v1/datasets HTTP/1.1\r\nContent-Type: application/json", 413},
		{"POST /v1/bank-statements HTTP/1.1\r\nContent-Type: application/xml\r\nAuthorization: Bearer " + token, 413},
		{"PUT /v1/me/consents/pools/wearables HTTP/1.1\r\nContent-Type: application/json\r\nAuthorization: Bearer " + token, 413},
		{"POST /work HTTP/1.1\r\n" + form + cookie, 413},
		{"POST /oauth/token HTTP/1.1\r\n" + form, 413},
		{"POST /nowhere HTTP/1.1\r\n" + form, 413},
		{"POST /v1/uploads HTTP/1.1\r\nTus-Resumable: 1.0.0\r\nUpload-Length: 1000\r\nAuthorization: Bearer " + token, 413},
		{"PATCH /v1/uploads/" + unknownID + " HTTP/1.1\r\nContent-Type: " + parts + "\r\nUpload-Offset: 0\r\nTus-Resumable: 1.0.0\r\nAuthorization: Bearer " + token, 404},
	}
	more := grown(func() {
		var all sync.WaitGroup
		for n, c := range cases {
			all.Go(func() {
				head := strings.TrimRight(c.head, "\r\n")
				status, _, err := h.raw(fmt.Sprintf("%s\r\nHost: localhost\r\n%sContent-Length: %d\r\n\r\n", head, from(n), huge), io.LimitReader(zeros{}, huge))
				if err != nil || status != c.want {
					t.Errorf("%s: %d, %v, want %d", strings.SplitN(c.head, " HTTP", 2)[0], status, err, c.want)
				}
			})
		}
		all.Wait()
	})
	t.Logf("ten bodies of 70 MB at once: the heap grew by %d KiB", more>>10)
	if more > 32<<20 {
		t.Errorf("the heap grew by %d MiB", more>>20)
	}
}

func TestBodiesThatDoNotEndWhereTheySayAreRefused(t *testing.T) {
	h := openHouse(t, func(h *house) { h.patience = time.Second })
	_, token := h.member("eva")
	const good = `{"pool":"wearables"}`
	head := "POST /v1/datasets HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer " + token + "\r\n"
	smuggled := "GET /v1/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token + "\r\n\r\n"
	for name, c := range map[string]struct {
		request string
		want    int
	}{
		"longer than said":        {head + "Content-Length: 10\r\n\r\n" + good, 400},
		"shorter than said":       {head + "Content-Length: 1000\r\n\r\n" + good, 408},
		"no number":               {head + "Content-Length: ten\r\n\r\n" + good, 400},
		"negative":                {head + "Content-Length: -20\r\n\r\n" + good, 400},
		"signed":                  {head + "Content-Length: +20\r\n\r\n" + good, 400},
		"beyond 64 bits":          {head + "Content-Length: 99999999999999999999\r\n\r\n" + good, 400},
		"two lengths":             {head + "Content-Length: 20\r\nContent-Length: 21\r\n\r\n" + good, 400},
		"a list of lengths":       {head + "Content-Length: 20, 20\r\n\r\n" + good, 400},
		"chunked":                 {head + "Transfer-Encoding: chunked\r\n\r\n14\r\n" + good + "\r\n0\r\n\r\n", 411},
		"CL.TE":                   {head + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, 411},
		"TE.CL":                   {head + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n" + smuggled + "\r\n0\r\n\r\n", 411},
		"obscured encoding":       {head + "Content-Length: 20\r\nTransfer-Encoding : chunked\r\n\r\n" + good, 400},
		"two encodings":           {head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + good, 501},
		"unknown encoding":        {head + "Transfer-Encoding: xchunked\r\n\r\n" + good, 501},
		"a line end of its own":   {strings.Replace(head, "\r\nHost", "\nX: y\rHost", 1) + "Content-Length: 20\r\n\r\n" + good, 400},
		"a folded header":         {head + "Content-Length: 20\r\n X: y\r\n\r\n" + good, 400},
		"no host":                 {strings.Replace(head, "Host: localhost\r\n", "", 1) + "Content-Length: 20\r\n\r\n" + good, 400},
		"a header of a megabyte":  {head + "X-Long: " + strings.Repeat("x", 1<<20) + "\r\nContent-Length: 20\r\n\r\n" + good, 431},
		"ten thousand headers":    {head + strings.Repeat("X: yyyyyy\r\n", 10_000) + "Content-Length: 20\r\n\r\n" + good, 431},
		"a path of a megabyte":    {strings.Replace(head, "/v1/datasets", "/v1/"+strings.Repeat("x", 1<<20), 1) + "\r\n", 431},
		"another protocol":        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 404},
		"nothing of the protocol": {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400},
	} {
		status, closed, err := h.raw(c.request, nil)
		if err != nil || status != c.want {
			t.Errorf("%s: %d, %v, want %d", name, status, err, c.want)
		}
		if name != "longer than said" && !closed {
			t.Errorf("%s: the connection is kept, and what follows would be believed", name)
		}
	}
	a := h.call("GET", "/v1/me/datasets", token, "")
	if !bytes.Contains(a.body, []byte(`"items":[]`)) {
		t.Errorf("something was made all the same: %s", a.body)
	}
}

func TestPackedBodiesAreNotUnpacked(t *testing.T) {
	emptyTemp(t)
	h := openHouse(t)
	eva, token := h.member("eva")
	u := h.newUpload(eva, token, 1_000)
	u.create()
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	_, err := io.CopyN(w, zeros{}, 64<<20)
	ok(t, errors.Join(err, w.Close()))
	more := grown(func() {
		for _, coding := range []string{"gzip", "deflate", "br", "zstd", "identity, gzip", "x"} {
			a := h.call("POST", "/v1/datasets", token, bomb.String(), "Content-Encoding", coding)
			refused(t, a, http.StatusUnsupportedMediaType, "unsupported-media-type")
			a = h.call("PATCH", u.location, token, bomb.String(), "Content-Encoding", coding, "Tus-Resumable", "1.0.0", "Content-Type", parts, "Upload-Offset", "0")
			refused(t, a, http.StatusUnsupportedMediaType, "unsupported-media-type")
			if v := h.browse("eva").post("/work", nil, "Content-Encoding", coding); v.status != http.StatusUnsupportedMediaType {
				t.Errorf("a packed form: %d", v.status)
			}
		}
	})
	if more > 32<<20 {
		t.Errorf("the heap grew by %d MiB", more>>20)
	}
	u.stands(0)
}

func TestAFormOfTenThousandPartsIsRefused(t *testing.T) {
	emptyTemp(t)
	h := openHouse(t)
	_, token := h.member("eva")
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for n := range 10_000 {
		part, err := w.CreateFormFile(fmt.Sprint("f", n), "x.xml")
		ok(t, err)
		_, err = part.Write([]byte("x"))
		ok(t, err)
	}
	ok(t, w.Close())
	more := grown(func() {
		for subject, path := range map[string]string{"eva": "/work", "bea": "/steward/treasury"} {
			v := h.browse(subject).postBody(path, w.FormDataContentType(), form.String())
			if v.status < 400 || v.status > 499 {
				t.Errorf("%s: %d", path, v.status)
			}
		}
		for _, path := range []string{"/v1/datasets", "/v1/requests/check", "/v1/bank-statements", "/oauth/token"} {
			a := h.call("POST", path, token, form.String(), "Content-Type", w.FormDataContentType())
			if a.status < 400 || a.status > 499 {
				t.Errorf("%s: %d", path, a.status)
			}
		}
	})
	if more > 32<<20 {
		t.Errorf("the heap grew by %d MiB", more>>20)
	}
}

// cookie is the header that makes a request the browser's member's.
func (b *browser) cookie() string {
	r, err := http.NewRequest(http.MethodGet, b.h.base, nil)
	ok(b.h.t, err)
	var pairs []string
	for _, c := range b.http.Jar.Cookies(r.URL) {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return "Cookie: " + strings.Join(pairs, "; ") + "\r\n"
}

func (b *browser) postBody(path, kind, body string) visited {
	b.h.t.Helper()
	r, err := http.NewRequest(http.MethodPost, b.h.base+path, strings.NewReader(body))
	ok(b.h.t, err)
	r.Header.Set("Content-Type", kind)
	return b.do(r)
}

package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// Download is a file on its way.
type Download struct {
	Body   io.ReadCloser
	Offset int64  // where Body starts in the file
	Total  int64  // bytes of the whole file, -1 if the server does not say
	ETag   string // names exactly these bytes; empty if the server gave none, or only a weak one
}

// Download opens a file. With an offset and the ETag of the part that is
// there, the answer goes on at that offset if the file is still the same, and
// starts over otherwise: look at Offset. The caller closes Body; reading it
// may fail at any byte.
func (c *Conn) Download(ctx context.Context, offset int64, etag string, segments ...string) (*Download, error) {
	at, err := c.At(segments...)
	if err != nil {
		return nil, err
	}
	// Without "identity" Go's transport would ask for gzip and hide the length.
	header := Accept("application/octet-stream")
	header.Set("Accept-Encoding", "identity")
	if offset > 0 && strong(etag) {
		header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
		header.Set("If-Range", etag)
	} else {
		offset = 0
	}
	resp, err := c.Do(ctx, Call{Method: http.MethodGet, URL: at, Header: header})
	if err != nil {
		return nil, err
	}
	d := &Download{Body: resp.Body, Total: resp.ContentLength}
	if tag := resp.Header.Get("ETag"); strong(tag) {
		d.ETag = tag
	}
	if resp.StatusCode != http.StatusPartialContent {
		return d, nil
	}
	start, total, ok := contentRange(resp.Header.Get("Content-Range"))
	if !ok || start != offset || offset == 0 {
		_ = resp.Body.Close() // it was not read
		return nil, errors.New("the server sent another part of the file than was asked for")
	}
	d.Offset, d.Total = start, total
	return d, nil
}

// strong reports whether an entity tag may be used with If-Range (RFC 9110,
// section 13.1.5).
func strong(etag string) bool {
	return len(etag) > 2 && strings.HasPrefix(etag, `"`) && strings.HasSuffix(etag, `"`)
}

var rangePattern = regexp.MustCompile(`^bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)$`)

// contentRange reads a Content-Range of a single part (RFC 9110, section
// 14.4). Total is -1 where it is not known.
func contentRange(text string) (start, total int64, ok bool) {
	m := rangePattern.FindStringSubmatch(text)
	if m == nil {
		return 0, 0, false
	}
	start, _ = strconv.ParseInt(m[1], 10, 64) // 18 digits always fit
	end, _ := strconv.ParseInt(m[2], 10, 64)
	total = -1
	if m[3] != "*" {
		total, _ = strconv.ParseInt(m[3], 10, 64)
	}
	if end < start || total >= 0 && end >= total {
		return 0, 0, false
	}
	return start, total, true
}

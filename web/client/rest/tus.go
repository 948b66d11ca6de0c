package rest

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Upload is an upload under way, by tus 1.0 (tus.io, core protocol with the
// creation, checksum and termination extensions).
type Upload struct {
	Location string // its address, of the server's own making
	Offset   int64  // bytes the server has
	Size     int64  // bytes of the whole file
}

// Sizes of one PATCH: what a server may suggest, and what is begun with if it
// does not. Two chunks are held in memory.
const (
	smallestChunk = 64 << 10
	usualChunk    = 8 << 20
	largestChunk  = 16 << 20
)

const statusChecksum = 460 // tus checksum extension: the chunk arrived altered

// CreateUpload begins the upload of a file of size bytes, with one pair of
// metadata, under an Idempotency-Key. The server answers where to send it.
func (c *Conn) CreateUpload(ctx context.Context, key string, size int64, name, value string, segments ...string) (Upload, error) {
	at, err := c.At(segments...)
	if err != nil {
		return Upload{}, err
	}
	header := tusHeader()
	header.Set("Upload-Length", strconv.FormatInt(size, 10))
	header.Set("Upload-Metadata", name+" "+base64.StdEncoding.EncodeToString([]byte(value)))
	header.Set("Idempotency-Key", key)
	resp, err := c.Do(ctx, Call{Method: http.MethodPost, URL: at, Header: header})
	if err != nil {
		return Upload{}, err
	}
	defer func() { _ = resp.Body.Close() }() // it was not needed
	location, err := at.Parse(resp.Header.Get("Location"))
	if err != nil || resp.Header.Get("Location") == "" {
		return Upload{}, errors.New("the server does not say where to upload to")
	}
	return Upload{Location: location.String(), Size: size}, nil
}

// UploadOffset asks how much of an upload the server has.
func (c *Conn) UploadOffset(ctx context.Context, u Upload) (Upload, error) {
	header, err := c.uploadCall(ctx, http.MethodHead, u, tusHeader(), nil)
	if err != nil {
		return u, err
	}
	offset, ok := uploadOffset(header)
	if !ok || offset > u.Size {
		return u, errOffset
	}
	u.Offset = offset
	return u, nil
}

// Append sends the bytes that follow u.Offset, with their SHA-256. It is tried
// once: after a failure ask UploadOffset where to go on, or use Upload.
func (c *Conn) Append(ctx context.Context, u Upload, data []byte) (Upload, error) {
	return c.send(ctx, u, chunk{at: u.Offset, data: data, sum: sha256.Sum256(data)})
}

func (c *Conn) send(ctx context.Context, u Upload, part chunk) (Upload, error) {
	header := tusHeader()
	header.Set("Content-Type", "application/offset+octet-stream")
	header.Set("Upload-Offset", strconv.FormatInt(u.Offset, 10))
	header.Set("Upload-Checksum", "sha256 "+base64.StdEncoding.EncodeToString(part.sum[:]))
	answer, err := c.uploadCall(ctx, http.MethodPatch, u, header, part.data)
	if err != nil {
		return u, err
	}
	offset, ok := uploadOffset(answer)
	if !ok || offset <= u.Offset || offset > u.Offset+int64(len(part.data)) {
		return u, errOffset
	}
	u.Offset = offset
	return u, nil
}

// CancelUpload ends an upload; what the server has of it is dropped.
func (c *Conn) CancelUpload(ctx context.Context, u Upload) error {
	_, err := c.uploadCall(ctx, http.MethodDelete, u, tusHeader(), nil)
	return err
}

// Upload sends the rest of from in chunks, of the suggested size at first, 0
// for a usual one, and larger ones while they are through quickly. After a lost connection it asks the server how far it got and
// goes on from there; it gives up after several failures without a byte of
// progress. Progress, which may be nil, is told the bytes the server has.
func (c *Conn) Upload(ctx context.Context, u Upload, from io.ReaderAt, suggested int64, progress func(done, total int64)) (Upload, error) {
	feed := &feeder{from: from, total: u.Size, size: chunkSize(suggested)}
	defer feed.wait()
	furthest, failures := u.Offset, 0
	for u.Offset < u.Size {
		next, err := feed.next(u.Offset)
		if err != nil {
			return u, err
		}
		begun := time.Now()
		sent, err := c.send(ctx, u, next)
		feed.paced(time.Since(begun), err != nil)
		if err != nil {
			if failures++; failures >= Attempts || !resumable(err) {
				return u, err
			}
			if sent, err = c.resync(ctx, u, failures, err); err != nil {
				return u, err
			}
		}
		if u = sent; u.Offset > furthest { // a server that keeps falling back makes no progress
			furthest, failures = u.Offset, 0
		}
		if progress != nil {
			progress(u.Offset, u.Size)
		}
	}
	return u, nil
}

func (c *Conn) resync(ctx context.Context, u Upload, failures int, failure error) (Upload, error) {
	if err := c.Pause(ctx, failures, failure); err != nil {
		return u, err
	}
	return c.UploadOffset(ctx, u)
}

func chunkSize(suggested int64) int64 {
	if suggested <= 0 {
		return usualChunk
	}
	return min(max(suggested, smallestChunk), largestChunk)
}

// resumable reports whether asking for the offset may help: the connection was
// lost, or the server has other bytes than we thought, is still busy with the
// last ones or got them altered.
func resumable(err error) bool {
	return Transient(err) || IsStatus(err, http.StatusConflict, http.StatusLocked, statusChecksum)
}

var errOffset = errors.New("the server reports an offset that cannot be")

func tusHeader() http.Header {
	return http.Header{"Tus-Resumable": {"1.0.0"}, "Accept": {"application/problem+json"}}
}

func (c *Conn) uploadCall(ctx context.Context, method string, u Upload, header http.Header, body []byte) (http.Header, error) {
	at, err := url.Parse(u.Location)
	if err != nil {
		return nil, errors.New("the upload's address is not a URL")
	}
	if !c.sameOrigin(at) {
		return nil, errElsewhere
	}
	resp, err := c.Do(ctx, Call{Method: method, URL: at, Header: header, Body: body, Once: method == http.MethodPatch})
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close() // what matters is in the header
	return resp.Header, nil
}

func uploadOffset(h http.Header) (int64, bool) {
	n, err := strconv.ParseInt(h.Get("Upload-Offset"), 10, 64)
	return n, err == nil && n >= 0
}

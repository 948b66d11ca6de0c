package vault

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/vault/blobs"
)

// How far a download may run before the database is asked again whether the
// dataset still stands. Revocations of this process are seen at once.
const (
	recheckBytes = 512 << 10 // with what is buffered on the way, still under the mebibyte that is promised
	recheckAfter = time.Second
	askPatience  = 5 * time.Second
	mostAtOnce   = recheckBytes / 2 // a Read under way when the revocation commits is not called back
)

// Delivery is one file for one reader: header and payload together are an
// ordinary age file.
type Delivery struct {
	Dataset    coop.DatasetID
	Header     []byte
	Size       int64  // of the file: header and payload
	SHA256     string // of the payload after the header, hex; headers differ by recipient
	ETag       string // strong, quoted, of header and payload (RFC 9110)
	Manifest   Manifest
	Signature  []byte
	SigningKey ed25519.PublicKey

	// Payload opens the payload alone. It stops like Open.
	Payload func() (io.ReadSeekCloser, error)
	// Revoked asks whether the member has withdrawn the dataset, or stewards have
	// frozen the co-op; it says yes when it cannot find out.
	Revoked func() bool
	open    func() (io.ReadSeekCloser, error)
}

// Open opens the file, fit for http.ServeContent. Its Read answers ErrRevoked
// once the member has withdrawn the dataset, and for a researcher another error
// once stewards have frozen the co-op: within 1 MiB or a second, in every process. A server then breaks the connection off, so that the reader
// does not take the torso for the file. The caller closes it.
//
// Error: ErrRevoked, also if the payload has been unlinked already.
func (d Delivery) Open() (io.ReadSeekCloser, error) { return d.open() }

// delivery hands out a dataset under a header for as long as it stands and held
// has no objection.
func (s *Service) delivery(d Dataset, hdr []byte, held func(*db.Tx) error) Delivery {
	sum := sha256.Sum256([]byte(hexSHA256(hdr) + d.PayloadSHA256))
	return Delivery{
		Dataset: d.ID, Header: hdr, Size: int64(len(hdr)) + d.PayloadSize, SHA256: d.PayloadSHA256,
		ETag:     `"` + hex.EncodeToString(sum[:16]) + `"`,
		Manifest: d.Manifest(), Signature: d.Signature, SigningKey: d.SigningKey,
		Payload: func() (io.ReadSeekCloser, error) { return s.stream(d, nil, held) },
		Revoked: func() bool { return s.standing(d.ID, held) != nil },
		open:    func() (io.ReadSeekCloser, error) { return s.stream(d, hdr, held) },
	}
}

// standing answers nil while a dataset may be delivered.
func (s *Service) standing(ds coop.DatasetID, held func(*db.Tx) error) error {
	if s.revoked.has(ds) {
		return ErrRevoked
	}
	ctx, cancel := context.WithTimeout(context.Background(), askPatience)
	defer cancel()
	var state string
	err := s.db.View(ctx, func(tx *db.Tx) (err error) {
		state, err = stateOf(tx, ds)
		return errors.Join(err, held(tx))
	})
	switch {
	case err != nil:
		return fmt.Errorf("vault: delivery: %w", err)
	case state != StateAvailable:
		return ErrRevoked
	}
	return nil
}

func (s *Service) stream(d Dataset, hdr []byte, held func(*db.Tx) error) (io.ReadSeekCloser, error) {
	if err := s.standing(d.ID, held); err != nil {
		return nil, err
	}
	file, err := s.cfg.Blobs.Open(context.Background(), d.blob)
	if errors.Is(err, os.ErrNotExist) {
		if gone := s.standing(d.ID, held); gone != nil { // revoked in between
			return nil, gone
		}
	}
	if err != nil {
		return nil, err
	}
	return &stream{hdr: hdr, file: file, size: int64(len(hdr)) + d.PayloadSize, asked: time.Now(),
		revoked:  func() bool { return s.revoked.has(d.ID) },
		standing: func() error { return s.standing(d.ID, held) }}, nil
}

// stream reads header and payload as one file and keeps asking whether it may.
type stream struct {
	hdr      []byte
	file     blobs.Payload
	size, at int64
	revoked  func() bool  // cheap, asked at every Read
	standing func() error // asked every recheckBytes or recheckAfter
	since    int64        // bytes handed out since it was asked
	asked    time.Time
}

// Read implements io.Reader.
func (r *stream) Read(p []byte) (int, error) {
	if err := r.allowed(); err != nil {
		return 0, err
	}
	left := r.size - r.at
	if left <= 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), left, recheckBytes-r.since, mostAtOnce)]
	n, err := r.readAt(p)
	r.at += int64(n)
	r.since += int64(n)
	return n, err
}

func (r *stream) allowed() error {
	if r.revoked() {
		return ErrRevoked
	}
	if r.since < recheckBytes && time.Since(r.asked) < recheckAfter {
		return nil
	}
	if err := r.standing(); err != nil {
		return err
	}
	r.since, r.asked = 0, time.Now()
	return nil
}

func (r *stream) readAt(p []byte) (int, error) {
	if r.at < int64(len(r.hdr)) {
		return copy(p, r.hdr[r.at:]), nil
	}
	n, err := r.file.ReadAt(p, r.at-int64(len(r.hdr)))
	switch {
	case n == len(p):
		return n, nil
	case errors.Is(err, io.EOF): // the file is shorter than was sealed
		err = io.ErrUnexpectedEOF
	}
	return n, fmt.Errorf("vault: delivery: %w", err)
}

var errSeek = errors.New("vault: seek outside the file")

// Seek implements io.Seeker.
func (r *stream) Seek(offset int64, whence int) (int64, error) {
	base := map[int]int64{io.SeekStart: 0, io.SeekCurrent: r.at, io.SeekEnd: r.size}
	from, ok := base[whence]
	if !ok || from+offset < 0 {
		return 0, errSeek
	}
	r.at = from + offset
	return r.at, nil
}

// Close implements io.Closer.
func (r *stream) Close() error { return r.file.Close() }

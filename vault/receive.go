package vault

import (
	"context"
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/vault/blobs"
	"distributed.ai/datacoop/vault/header"
)

// ErrDiscard is what a reader returns to have Append forget
// everything it read: the way to refuse a part whose checksum is wrong.
var ErrDiscard = errors.New("vault: discard this part")

// readBuffer is half of what Append holds in memory of a part of any size: one
// buffer is read and written while the other is hashed.
const readBuffer = 128 << 10

var buffers = sync.Pool{New: func() any { return new([2][readBuffer]byte) }}

// hastenBytes is how much is received before its way to the disk begins. What a
// part waits for at its end is then the rest, and not all of it.
const hastenBytes = 1 << 20

// Append receives the next part of an upload from r, which must begin at byte
// offset of the file. When it returns, Offset of the answer is how far the
// upload has come, and all of that is on disk.
//
// If r fails, what came before the failure is kept and r's error is returned
// along with the answer: a broken connection costs no byte. Anything that can
// be seen to be no acceptable age file is refused at once, and then nothing of
// this part is kept; the upload stands where it stood.
//
// An earlier part of the upload that is still being received is interrupted
// if its reader is an Interrupter, and what has come of it is kept: offset then
// is checked against that.
//
// Errors: ErrUploadNotFound, ErrUploadExpired, ErrUploadBusy, ErrTooManyParts,
// ErrUploadComplete, ErrOffset, ErrOverLength, ErrStorage, ErrStorageFull, ErrRevoked, those of
// header.Scan and header.Inspect, header.ErrTruncated, header.ErrPayloadSize.
func (s *Service) Append(ctx context.Context, m coop.MemberID, id coop.UploadID, offset int64, r io.Reader) (Upload, error) {
	row, err := s.ownUpload(ctx, m, id)
	if err != nil {
		return Upload{}, err
	}
	s.writing.succeed(ctx, id)
	release, err := s.writing.take(id, m, s.cfg.Limits.Parts, r)
	if err != nil {
		return row.public(), err
	}
	defer release()
	if row, err = s.ownUpload(ctx, m, id); err != nil { // as the last writer left it
		return Upload{}, err
	}
	switch {
	case s.ballast.Gone():
		return row.public(), ErrStorageFull
	case row.Complete:
		return row.public(), ErrUploadComplete
	case row.Received != offset:
		return row.public(), ErrOffset
	}
	out, err := s.receive(ctx, row, r)
	if out.ID == "" {
		out = row.public()
	}
	return out, err
}

func (s *Service) receive(ctx context.Context, row upload, r io.Reader) (Upload, error) {
	in, err := s.resume(row)
	if err != nil {
		return Upload{}, err
	}
	defer func() { _ = in.file.Close() }() // everything that counts was synced
	broken, err := in.take(ctx, r)
	if err == nil {
		err = in.settle(ctx, s)
	}
	if err == nil {
		// What has been received is kept even if the caller has gone away.
		err = s.record(context.WithoutCancel(ctx), in)
	}
	if err != nil {
		return Upload{}, errors.Join(err, s.abandon(context.WithoutCancel(ctx), row))
	}
	return in.row.public(), broken
}

// incoming is an upload while a part of it is being received.
type incoming struct {
	row     upload
	from    int64 // where this part began
	file    *os.File
	hash    resumable
	digest  chan []byte // to the goroutine that hashes
	begun   int64       // bytes of the file whose way to the disk has begun
	stopped func() bool
}

// resumable is a hash whose state can be kept, as that of crypto/sha256 can.
type resumable interface {
	hash.Hash
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}

// resume opens the file at the acknowledged offset and brings the hash back
// to where it stood.
func (s *Service) resume(row upload) (*incoming, error) {
	in := &incoming{row: row, from: row.Received, begun: row.payloadStored(), stopped: func() bool { return s.revoked.has(row.Dataset) }}
	var ok bool
	if in.hash, ok = sha256.New().(resumable); !ok {
		return nil, errors.New("vault: resume: this SHA-256 cannot be continued")
	}
	if len(row.HashState) > 0 {
		if err := in.hash.UnmarshalBinary(row.HashState); err != nil {
			return nil, fmt.Errorf("vault: resume: %w", err)
		}
	}
	var err error
	in.file, err = s.cfg.Blobs.Append(row.Blob, row.payloadStored())
	return in, err
}

// take reads r to its end. Broken is r's own failure, after which what came
// before still counts; err means that nothing counts.
func (in *incoming) take(ctx context.Context, r io.Reader) (broken, err error) {
	in.digest = make(chan []byte)
	hashed := make(chan struct{})
	go func() {
		defer close(hashed)
		for p := range in.digest {
			in.hash.Write(p)
		}
	}()
	buf, _ := buffers.Get().(*[2][readBuffer]byte) // the pool holds nothing else
	defer buffers.Put(buf)
	defer func() { close(in.digest); <-hashed }()
	for turn := 0; ; turn = 1 - turn {
		n, end := r.Read(buf[turn][:])
		switch {
		case errors.Is(end, ErrDiscard):
			return nil, end
		case in.stopped():
			return nil, ErrRevoked
		case in.row.Received+int64(n) > in.row.Total:
			return nil, ErrOverLength
		}
		if err := in.feed(buf[turn][:n]); err != nil {
			return nil, err
		}
		switch {
		case errors.Is(end, io.EOF):
			return nil, nil
		case end != nil:
			return fmt.Errorf("vault: receive: %w", end), nil
		case ctx.Err() != nil:
			return fmt.Errorf("vault: receive: %w", ctx.Err()), nil
		}
	}
}

// feed takes the next bytes: first into the header, then into the file. They
// may be hashed until the next call but one.
func (in *incoming) feed(p []byte) error {
	in.row.Received += int64(len(p))
	if !in.row.HeadWhole {
		var err error
		if p, err = in.feedHead(p); err != nil {
			return err
		}
	}
	if len(p) == 0 {
		return nil
	}
	in.digest <- p
	if _, err := in.file.Write(p); err != nil {
		return fmt.Errorf("vault: receive: %w", blobs.Explain(err))
	}
	if end := in.row.payloadStored(); end-in.begun >= hastenBytes {
		blobs.Hasten(in.file, in.begun, end-in.begun)
		in.begun = end
	}
	return nil
}

// feedHead collects the header and answers what follows it. A header that is
// complete is judged at once: nobody uploads a gigabyte to be told then.
func (in *incoming) feedHead(p []byte) (rest []byte, err error) {
	head := append(in.row.Head[:len(in.row.Head):len(in.row.Head)], p...)
	end, err := header.Scan(head)
	if err != nil {
		return nil, err
	}
	if end == 0 {
		in.row.Head = head
		return nil, nil
	}
	if _, err := header.Inspect(head[:end]); err != nil {
		return nil, err
	}
	in.row.Head, in.row.HeadWhole = head[:end:end], true
	return head[end:], nil
}

// settle makes the part durable and, if it was the last one, closes the file.
func (in *incoming) settle(ctx context.Context, s *Service) (err error) {
	if in.row.Received == in.row.Total {
		if err := in.row.whole(); err != nil {
			return err
		}
	}
	if err := s.cfg.Blobs.Sync(in.file); err != nil {
		return err
	}
	if in.row.HashState, err = in.hash.MarshalBinary(); err != nil {
		return fmt.Errorf("vault: receive: %w", err)
	}
	in.row.ExpiresAt = s.after(uploadLife)
	if in.row.Received < in.row.Total {
		return nil
	}
	in.row.ExpiresAt = s.after(completeLife)
	in.row.Complete, in.row.PayloadSHA256 = true, hex.EncodeToString(in.hash.Sum(nil))
	return s.cfg.Blobs.Finish(context.WithoutCancel(ctx), in.row.Blob)
}

// record commits the new offset, unless the upload was cancelled or revoked
// meanwhile.
func (s *Service) record(ctx context.Context, in *incoming) error {
	err := s.db.Update(ctx, func(tx *db.Tx) error {
		if err := updateUpload(tx, in.row, in.from); err != nil {
			return err
		}
		if !in.row.Complete {
			return nil
		}
		return setState(tx, in.row.Dataset, StateUploading, StateReceived)
	})
	if errors.Is(err, db.ErrNoRow) {
		return ErrUploadNotFound
	}
	if err != nil {
		return fmt.Errorf("vault: receive: %w", err)
	}
	if in.row.Complete {
		s.tidy(ctx, in.row)
	}
	return nil
}

// tidy removes the file of an upload whose payload is where it stays. What
// fails is left to the sweeper.
func (s *Service) tidy(ctx context.Context, row upload) {
	if err := s.cfg.Blobs.RemovePartial(row.Blob); err != nil {
		s.cfg.Logger.WarnContext(ctx, "vault: the file of a finished upload stays until it is swept", "error", err)
	}
}

// abandon cleans up after a part that does not count. Its bytes are cut off
// when the upload goes on; if the upload is gone, so must the file be.
func (s *Service) abandon(ctx context.Context, row upload) error {
	err := s.db.View(ctx, func(tx *db.Tx) error {
		_, err := getUpload(tx, row.ID)
		return err
	})
	if errors.Is(err, db.ErrNoRow) {
		return s.cfg.Blobs.Remove(ctx, row.Blob)
	}
	return nil // anything else will be met again by the next call
}

func hexSHA256(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

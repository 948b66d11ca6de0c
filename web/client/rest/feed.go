package rest

import (
	"crypto/sha256"
	"fmt"
	"io"
	"time"
)

// brisk is how quickly a chunk has to be through for the next to be larger:
// each costs the server a write to the disk of its own.
const brisk = time.Second

// feeder reads an upload's chunks, each while the one before is on its way.
type feeder struct {
	from  io.ReaderAt
	total int64
	size  int64 // of the next chunk
	ahead chan chunk
	spare []byte // of the chunk that is on its way, for the one after the next
}

// chunk is a part of an upload, ready to be sent.
type chunk struct {
	at   int64
	data []byte
	sum  [sha256.Size]byte
	err  error
}

// next answers the chunk that begins at an offset and starts on the one after.
func (f *feeder) next(at int64) (chunk, error) {
	c := f.wait()
	if c.data == nil || c.at != at || c.err != nil {
		c = f.read(at, f.size, c.data)
	}
	if c.err != nil {
		return c, fmt.Errorf("read what is to be uploaded: %w", c.err)
	}
	buf, size, after := f.spare, f.size, c.at+int64(len(c.data))
	f.spare = c.data
	if after < f.total {
		ahead := make(chan chunk, 1)
		go func() { ahead <- f.read(after, size, buf) }()
		f.ahead = ahead
	}
	return c, nil
}

// wait ends what is being read ahead.
func (f *feeder) wait() (c chunk) {
	if f.ahead != nil {
		c, f.ahead = <-f.ahead, nil
	}
	return c
}

func (f *feeder) read(at, size int64, buf []byte) chunk {
	n := min(size, f.total-at)
	if int64(cap(buf)) < n {
		buf = make([]byte, n)
	}
	c := chunk{at: at, data: buf[:n]}
	if _, c.err = io.ReadFull(io.NewSectionReader(f.from, at, n), c.data); c.err == nil {
		c.sum = sha256.Sum256(c.data)
	}
	return c
}

// paced has later chunks follow how the last one went.
func (f *feeder) paced(took time.Duration, failed bool) {
	switch {
	case failed:
		f.size = max(f.size/2, smallestChunk)
	case took < brisk:
		f.size = min(2*f.size, largestChunk)
	}
}

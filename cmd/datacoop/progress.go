package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"distributed.ai/datacoop/marketplace/codebook"
)

// progress shows how far long work has come: a bar on a terminal, a line now
// and then elsewhere. Its zero value cannot be used.
type progress struct {
	what string
	to   io.Writer
	bar  *progressbar.ProgressBar // nil until something moves, and where there is no terminal
	said time.Time

	counted bool // what it shows are things and no bytes
}

const (
	barRefresh   = 100 * time.Millisecond
	lineInterval = 5 * time.Second
)

func newProgress(what string) *progress {
	return &progress{what: what, to: os.Stderr, said: time.Now()}
}

// newCount shows the same of things that are counted.
func newCount(what string) *progress {
	p := newProgress(what)
	p.counted = true
	return p
}

// show takes the bytes or things that are done; calls must not overlap.
func (p *progress) show(done, total int64) {
	if total <= 0 {
		return
	}
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		if time.Since(p.said) >= lineInterval {
			p.said = time.Now()
			size := bytesOf
			if p.counted {
				size = func(n int64) string { return strconv.FormatInt(n, 10) }
			}
			fmt.Fprintf(p.to, "%s: %s of %s\n", p.what, size(done), size(total))
		}
		return
	}
	if p.bar == nil {
		of := []progressbar.Option{progressbar.OptionShowBytes(true), progressbar.OptionShowTotalBytes(true)}
		if p.counted {
			of = []progressbar.Option{progressbar.OptionShowCount()}
		}
		p.bar = progressbar.NewOptions64(total, append(of, progressbar.OptionSetWriter(p.to), progressbar.OptionSetDescription(p.what),
			progressbar.OptionFullWidth(), progressbar.OptionThrottle(barRefresh), progressbar.OptionSetPredictTime(true))...)
	}
	_ = p.bar.Set64(done) // a bar that cannot be drawn is no reason to stop
}

// end leaves the line the bar is on.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Exit()
		fmt.Fprintln(p.to)
	}
}

// slowToRead is the size of an export from which reading it is worth a bar.
const slowToRead = 16 << 20

// reading shows how far an export has been read, if it is large.
func (p *progress) reading(files []codebook.Input) []codebook.Input {
	var total int64
	for _, in := range files {
		total += in.Size
	}
	if total < slowToRead {
		return files
	}
	var mu sync.Mutex
	var done int64
	moved := func(n int) {
		mu.Lock()
		defer mu.Unlock()
		done += int64(n)
		p.show(min(done, total), total)
	}
	watched := make([]codebook.Input, len(files))
	for i, in := range files {
		open := in.Open
		in.Open = func() (io.ReadCloser, error) {
			file, err := open()
			if at, ok := file.(readerAt); ok {
				return &watchedFile{at, moved}, nil
			}
			return file, err
		}
		watched[i] = in
	}
	return watched
}

// readerAt is an open file as archives need it.
type readerAt interface {
	io.ReadCloser
	io.ReaderAt
}

// watchedFile tells how many bytes have been read.
type watchedFile struct {
	readerAt
	moved func(int)
}

// Read reads on.
func (f *watchedFile) Read(b []byte) (int, error) {
	n, err := f.readerAt.Read(b)
	f.moved(n)
	return n, err
}

// ReadAt reads at an offset.
func (f *watchedFile) ReadAt(b []byte, off int64) (int, error) {
	n, err := f.readerAt.ReadAt(b, off)
	f.moved(n)
	return n, err
}

//go:build js && wasm

package main

import (
	"errors"
	"io"
	"syscall/js"

	"distributed.ai/datacoop/marketplace/codebook"
)

// windowSize is how much of a file is read at once: the calls are slow, not
// the bytes.
const windowSize = 1 << 20

// input is a file that the page reads for us.
func input(number int, size int64, read js.Value) codebook.Input {
	f := &file{number: number, size: size, read: read}
	open := func() (io.ReadCloser, error) { return io.NopCloser(io.NewSectionReader(f, 0, size)), nil }
	return codebook.Input{Size: size, Open: open, At: f}
}

// file is a file behind a window.
type file struct {
	number int
	size   int64
	read   js.Value
	from   int64 // where the window begins
	window []byte
}

// ReadAt reads from the window, which it moves.
func (f *file) ReadAt(p []byte, at int64) (n int, err error) {
	for n < len(p) {
		if at+int64(n) >= f.size {
			return n, io.EOF
		}
		if err := f.show(at + int64(n)); err != nil {
			return n, err
		}
		n += copy(p[n:], f.window[at+int64(n)-f.from:])
	}
	return n, nil
}

var errRead = errors.New("the file cannot be read")

// show moves the window to where it holds the byte at the offset. A function
// of the page that throws must not end the program.
func (f *file) show(at int64) (err error) {
	if at >= f.from && at < f.from+int64(len(f.window)) {
		return nil
	}
	defer func() {
		switch thrown := recover().(type) {
		case nil:
		case js.Error:
			f.window, err = nil, errRead
		default:
			panic(thrown)
		}
	}()
	from := at - at%windowSize
	length := min(windowSize, f.size-from)
	bytes := f.read.Invoke(f.number, float64(from), float64(length))
	if cap(f.window) < windowSize {
		f.window = make([]byte, windowSize)
	}
	f.from, f.window = from, f.window[:length]
	if js.CopyBytesToGo(f.window, bytes) != len(f.window) {
		f.window = nil
		return errRead
	}
	return nil
}

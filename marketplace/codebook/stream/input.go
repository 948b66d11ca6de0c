package stream

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"unicode/utf16"
	"unicode/utf8"
)

// Input is one file of an export. Open is called once by each call of Each and
// must start at the beginning. A ZIP archive needs random access: give At, or
// let Open return something that is an io.ReaderAt too, as *os.File is;
// otherwise the archive is held in memory, up to 64 MiB.
type Input struct {
	Name string // shown to nobody and never part of a result
	Size int64  // in bytes; needed for random access
	Open func() (io.ReadCloser, error)
	At   io.ReaderAt
}

// Bytes is an Input that is held in memory.
func Bytes(name string, data []byte) Input {
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	return Input{Name: name, Size: int64(len(data)), Open: open, At: bytes.NewReader(data)}
}

// sniffed is how much of a file is looked at to recognise it. Apple's own
// document type declaration takes the first 15 kB of an export.
const sniffed = 64 << 10

// Part is one file to read: the input itself, or an entry of the archive it is.
type Part struct {
	Name  string    // of the file, without folders; it may serve to tell twins apart, and goes no further
	Start []byte    // up to 64 KiB, to recognise it by
	Text  io.Reader // from the beginning, unpacked, as UTF-8 where the file has a byte order mark

	At   io.ReaderAt // of a database alone, which is read by jumping about in it
	Size int64
}

// Each opens the input and visits its parts. Of an archive these are the files
// that could be exports; visit answers ErrUnknownFormat for one that is not,
// and an archive without any export is itself of an unknown format. What an
// archive holds that was not read is told to left, once for each file and by
// its kind alone; left may be nil.
func (in Input) Each(visit func(p Part) error, left func(kind string)) error {
	file, err := in.Open()
	if err != nil {
		return fmt.Errorf("stream: open: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	raw := bufio.NewReaderSize(file, 4096)
	magic, err := raw.Peek(16)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("stream: read: %w", err)
	}
	if err := unread(magic); err != nil {
		return err
	}
	switch {
	case bytes.HasPrefix(magic, []byte("PK\x03\x04")), bytes.HasPrefix(magic, []byte("PK\x05\x06")):
		return in.eachEntry(file, raw, visit, left)
	case string(magic) == Database && in.Size > maxBuffered:
		return in.large(file, raw, visit)
	}
	budget := int64(maxUnpacked)
	p, err := newPart(in.Name, raw, &budget)
	if err != nil {
		return err
	}
	return visit(p)
}

func newPart(name string, r io.Reader, budget *int64) (Part, error) {
	plain, err := unpacked(r, budget)
	if err != nil {
		return Part{}, err
	}
	text := bufio.NewReaderSize(decoded(plain), sniffed)
	start, err := text.Peek(sniffed)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if err != nil {
		return Part{}, Fault(err)
	}
	if len(bytes.TrimSpace(start)) == 0 {
		return Part{}, ErrEmptyFile
	}
	p := Part{Name: path.Base(name), Start: bytes.Clone(start), Text: text}
	if bytes.HasPrefix(start, []byte(Database)) {
		p.At, p.Size, err = held(text)
	}
	return p, err
}

// decoded strips a byte order mark and turns UTF-16 into UTF-8. Everything
// else passes unchanged: only values that parse are ever copied, so unmarked
// single-byte encodings need no guess.
func decoded(r io.Reader) io.Reader {
	in := bufio.NewReaderSize(r, 4096)
	mark, _ := in.Peek(3)
	switch {
	case bytes.HasPrefix(mark, []byte("\xef\xbb\xbf")):
		_, _ = in.Discard(3)
	case bytes.HasPrefix(mark, []byte("\xff\xfe")):
		_, _ = in.Discard(2)
		return &utf16Reader{in: in}
	case bytes.HasPrefix(mark, []byte("\xfe\xff")):
		_, _ = in.Discard(2)
		return &utf16Reader{in: in, bigEndian: true}
	}
	return in
}

// utf16Reader turns UTF-16 code units into UTF-8.
type utf16Reader struct {
	in        *bufio.Reader
	bigEndian bool
	out       []byte
}

func (u *utf16Reader) Read(p []byte) (int, error) {
	for len(u.out) < len(p) {
		r, err := u.rune()
		if err != nil {
			if len(u.out) == 0 {
				return 0, err
			}
			break
		}
		u.out = utf8.AppendRune(u.out, r)
	}
	n := copy(p, u.out)
	u.out = u.out[:copy(u.out, u.out[n:])]
	return n, nil
}

func (u *utf16Reader) rune() (rune, error) {
	first, err := u.unit()
	if err != nil || !utf16.IsSurrogate(first) {
		return first, err
	}
	second, err := u.unit()
	if err != nil {
		return 0, err
	}
	return utf16.DecodeRune(first, second), nil
}

func (u *utf16Reader) unit() (rune, error) {
	var b [2]byte
	if _, err := io.ReadFull(u.in, b[:]); err != nil {
		return 0, err
	}
	if u.bigEndian {
		return rune(b[0])<<8 | rune(b[1]), nil
	}
	return rune(b[1])<<8 | rune(b[0]), nil
}

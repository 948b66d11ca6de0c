package stream

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

const (
	maxDepth = 64
	maxLeaf  = 256 // no typed value is longer
)

// XML reads XML as a stream. A document type declaration is allowed,
// because Apple writes one, but entity declarations are not; nothing is ever
// expanded or fetched. Namespaces are not resolved: exports are told apart by
// their local names.
type XML struct {
	dec   *xml.Decoder
	guard *Guard
	Path  []string                     // local names of the open elements
	text  []byte                       // of the innermost element, at most maxLeaf bytes
	Start func(attrs []xml.Attr) error // the element is the last of Path
	End   func(text string) error      // likewise; text is that of a leaf
}

// NewXML reads from r. Set Start and End before Walk; either may stay nil.
func NewXML(r io.Reader) *XML {
	g := NewGuard(r)
	x := &XML{dec: xml.NewDecoder(g), guard: g}
	x.dec.CharsetReader = charset
	return x
}

// Walk calls Start and End for each element until the file ends.
func (x *XML) Walk() error {
	for {
		token, err := x.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = x.dispatch(token)
		}
		if err != nil {
			return err
		}
	}
}

func (x *XML) dispatch(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		if x.Start != nil {
			return x.Start(t.Attr)
		}
	case xml.EndElement:
		if x.End != nil {
			if err := x.End(string(bytes.TrimSpace(x.text))); err != nil {
				return err
			}
		}
		x.Path, x.text = x.Path[:len(x.Path)-1], x.text[:0]
	}
	return nil
}

// next reads one token and keeps the path; the end of an element leaves it
// open until dispatch.
func (x *XML) next() (xml.Token, error) {
	token, err := x.dec.RawToken()
	if err != nil {
		return nil, x.failure(err)
	}
	x.guard.Renew()
	switch t := token.(type) {
	case xml.Directive:
		if bytes.Contains(bytes.ToUpper(t), []byte("<!ENTITY")) {
			return nil, ErrXMLEntities
		}
	case xml.StartElement:
		if len(x.Path) == maxDepth {
			return nil, ErrMalformedFile
		}
		x.Path, x.text = append(x.Path, t.Name.Local), x.text[:0]
	case xml.EndElement:
		if len(x.Path) == 0 || x.Path[len(x.Path)-1] != t.Name.Local {
			return nil, ErrMalformedFile
		}
	case xml.CharData:
		x.text = append(x.text, t[:min(len(t), maxLeaf-len(x.text))]...)
	}
	return token, nil
}

func (x *XML) failure(err error) error {
	var syntax *xml.SyntaxError
	switch {
	case errors.Is(err, io.EOF) && len(x.Path) == 0:
		return io.EOF
	case errors.Is(err, io.EOF), errors.As(err, &syntax):
		return ErrMalformedFile
	case strings.HasPrefix(err.Error(), "xml: "):
		return ErrMalformedFile
	}
	return Fault(err)
}

// At reports whether the innermost open elements are these.
func (x *XML) At(names ...string) bool {
	tail := len(x.Path) - len(names)
	if tail < 0 {
		return false
	}
	for i, name := range names {
		if x.Path[tail+i] != name {
			return false
		}
	}
	return true
}

// Attr is the value of an attribute by its local name, or empty.
func Attr(attrs []xml.Attr, name string) string {
	for _, a := range attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// charset reads the single-byte encodings banks still declare as Latin-1: the
// structure is ASCII in all of them, and no text is kept. UTF-16 has already
// become UTF-8.
func charset(label string, input io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "utf-16", "us-ascii", "ascii":
		return input, nil
	case "iso-8859-1", "iso-8859-15", "latin1", "windows-1252":
		return &latin1Reader{in: input}, nil
	}
	return nil, ErrMalformedFile
}

type latin1Reader struct {
	in  io.Reader
	buf [512]byte
	out []byte
}

func (l *latin1Reader) Read(p []byte) (int, error) {
	if len(l.out) == 0 {
		n, err := l.in.Read(l.buf[:])
		if n == 0 {
			return 0, err
		}
		l.out = []byte(string(runes(l.buf[:n])))
	}
	n := copy(p, l.out)
	l.out = l.out[n:]
	return n, nil
}

func runes(bytes []byte) []rune {
	out := make([]rune, len(bytes))
	for i, b := range bytes {
		out[i] = rune(b)
	}
	return out
}

// Root is the local name of a document's root element, given its beginning;
// empty where that is not XML. Entities are refused here already, because a
// document that declares them may never reach its root.
func Root(start []byte) (string, error) {
	x := NewXML(bytes.NewReader(start))
	for {
		_, err := x.next()
		if errors.Is(err, ErrXMLEntities) {
			return "", err
		}
		if err != nil || len(x.Path) > 0 {
			return strings.Join(x.Path, ""), nil
		}
	}
}

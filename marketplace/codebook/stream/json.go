package stream

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
)

// maxJSON bounds what one value of a list may hold: a health record carries
// letters and pictures inside its entries.
const maxJSON = 16 << 20

// Object tells the top-level fields of the first object in a text, given its
// beginning: of the text itself, of the first element of a list or of the first
// line. Values that are no strings are empty; nil where the text is no JSON.
func Object(start []byte) map[string]string {
	dec := json.NewDecoder(bytes.NewReader(start))
	token, err := dec.Token()
	if err == nil && token == json.Delim('[') {
		token, err = dec.Token()
	}
	if err != nil || token != json.Delim('{') {
		return nil
	}
	fields := map[string]string{}
	for dec.More() {
		name, err := dec.Token()
		key, ok := name.(string)
		if err != nil || !ok {
			break
		}
		fields[key] = ""
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			break
		}
		var text string
		if json.Unmarshal(value, &text) == nil {
			fields[key] = text
		}
	}
	return fields
}

// EachJSON visits the values of a file one by one: the elements of a list, the
// lines of JSON Lines, the one document that it is, or, where list is not
// empty, the elements of the list of that name in the document, or in each
// document of a list. The order of other fields does not matter; they are
// skipped. The bytes are
// cut out, not yet checked, and belong to visit until it returns.
func EachJSON(r io.Reader, list string, visit func(value []byte) error) error {
	j := &jsonFile{in: bufio.NewReader(r), list: list, visit: visit}
	for n := 0; ; n++ {
		err := j.top()
		if errors.Is(err, io.EOF) && n > 0 {
			return nil
		}
		if errors.Is(err, io.EOF) {
			return ErrMalformedFile
		}
		if err != nil {
			return Fault(err)
		}
	}
}

type jsonFile struct {
	in    *bufio.Reader
	list  string
	visit func([]byte) error
	value []byte
	depth int
}

// top reads one value that stands by itself; io.EOF if none is left.
func (j *jsonFile) top() error {
	c, err := j.peek()
	switch {
	case err != nil:
		return err
	case c == '[' && j.list != "":
		return inside(j.each('[', ']', j.document))
	case c == '[':
		return inside(j.elements())
	case c == '{' && j.list != "":
		return inside(j.fields())
	}
	if err := j.read(true); err != nil {
		return inside(err)
	}
	return j.visit(j.value)
}

// inside is for errors after which the file should have gone on.
func inside(err error) error {
	if errors.Is(err, io.EOF) {
		return ErrMalformedFile
	}
	return err
}

// peek skips white space.
func (j *jsonFile) peek() (byte, error) {
	for {
		c, err := j.in.ReadByte()
		if err != nil {
			return 0, err
		}
		if !bytes.ContainsRune([]byte(" \t\r\n\x1e"), rune(c)) {
			return c, j.in.UnreadByte()
		}
	}
}

// document looks for the list in one element of a list of documents.
func (j *jsonFile) document() error {
	if c, err := j.peek(); err != nil || c != '{' {
		if err != nil {
			return err
		}
		return j.read(false)
	}
	return j.fields()
}

func (j *jsonFile) elements() error {
	return j.each('[', ']', func() error {
		if err := j.read(true); err != nil {
			return err
		}
		return j.visit(j.value)
	})
}

func (j *jsonFile) fields() error {
	return j.each('{', '}', func() error {
		var name string
		if err := j.read(true); err != nil {
			return err
		}
		if json.Unmarshal(j.value, &name) != nil {
			return ErrMalformedFile
		}
		if c, err := j.peek(); err != nil || c != ':' {
			return cmp.Or(err, error(ErrMalformedFile))
		}
		_, _ = j.in.ReadByte()
		c, err := j.peek()
		if err == nil && c == '[' && name == j.list {
			return j.elements()
		}
		return j.read(false)
	})
}

// each calls member for what stands between two brackets, divided by commas.
func (j *jsonFile) each(opening, closing byte, member func() error) error {
	for divider := opening; ; divider = ',' {
		c, err := j.peek()
		if err != nil {
			return err
		}
		_, _ = j.in.ReadByte()
		if c == closing && divider != opening {
			return nil
		}
		if c != divider {
			return ErrMalformedFile
		}
		if c, err := j.peek(); err != nil || c == closing && divider == opening {
			_, _ = j.in.ReadByte()
			return err
		}
		if err := member(); err != nil {
			return err
		}
	}
}

// read cuts out the next value, or skips it.
func (j *jsonFile) read(keep bool) error {
	if _, err := j.peek(); err != nil {
		return err
	}
	j.value, j.depth = j.value[:0], 0
	text, escaped := false, false
	for n := 0; ; n++ {
		c, err := j.in.ReadByte()
		if errors.Is(err, io.EOF) && n > 0 && j.depth == 0 && !text {
			return nil // a number at the end of the file
		}
		if err != nil {
			return err
		}
		if !text && j.depth == 0 && n > 0 && bytes.IndexByte([]byte(" \t\r\n,:]}\x1e"), c) >= 0 {
			return j.in.UnreadByte()
		}
		if n == 0 && (c == ',' || c == ':') {
			return ErrMalformedFile
		}
		if keep {
			if j.value = append(j.value, c); len(j.value) > maxJSON {
				return ErrMalformedFile
			}
		}
		switch {
		case escaped:
			escaped = false
		case text && c == '\\':
			escaped = true
		case c == '"':
			text = !text
		case text:
		case c == '{' || c == '[':
			j.depth++
		case c == '}' || c == ']':
			j.depth--
		}
		if j.depth < 0 || j.depth == 0 && !text && bytes.IndexByte([]byte("\"}]"), c) >= 0 {
			if j.depth < 0 {
				return ErrMalformedFile
			}
			return nil
		}
	}
}

package coop

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// ErrNotCanonical says that a value has no canonical form here: it holds a
// number that is no integer every reader keeps exactly, two fields of one name,
// or text that is not UTF-8.
var ErrNotCanonical = errors.New("coop: only integers up to 2⁵³, texts and unique names have a canonical form")

// maxInteger is the largest integer that all readers of JSON keep exactly.
const maxInteger = 1 << 53

// Canonical encodes v as JSON in the one form RFC 8785 leaves it, without HTML
// escaping. Numbers are integers from −2⁵³ to 2⁵³; ErrNotCanonical otherwise.
func Canonical(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	c := canonical{in: text, out: make([]byte, 0, len(text))}
	if err := c.value(); err != nil {
		return nil, err
	}
	return c.out, nil
}

// canonical rewrites what json.Marshal wrote, which is valid and without spaces.
type canonical struct {
	in   []byte
	at   int
	out  []byte
	list []member
}

// member is a field of an object that is being written.
type member struct {
	name     string
	from, to int // in out, its name included
}

func (c *canonical) value() error {
	switch c.in[c.at] {
	case '{':
		return c.object()
	case '[':
		return c.array()
	case '"':
		_, err := c.text()
		return err
	case 't', 'f', 'n':
		n := len(c.in[c.at:]) - len(bytes.TrimLeft(c.in[c.at:], "truefalsn"))
		c.out = append(c.out, c.in[c.at:c.at+n]...)
		c.at += n
		return nil
	}
	return c.number()
}

func (c *canonical) number() error {
	n := len(c.in[c.at:]) - len(bytes.TrimLeft(c.in[c.at:], "0123456789+-.eE"))
	i, err := strconv.ParseInt(string(c.in[c.at:c.at+n]), 10, 64)
	if err != nil || i > maxInteger || i < -maxInteger {
		return ErrNotCanonical
	}
	c.out = strconv.AppendInt(c.out, i, 10) // which knows no negative zero
	c.at += n
	return nil
}

func (c *canonical) array() error {
	return c.listed(']', c.value)
}

// listed copies what stands between brackets, element by element.
func (c *canonical) listed(end byte, element func() error) error {
	c.out = append(c.out, c.in[c.at])
	c.at++
	for c.in[c.at] != end {
		if err := element(); err != nil {
			return err
		}
		if c.in[c.at] == ',' {
			c.out = append(c.out, ',')
			c.at++
		}
	}
	c.out = append(c.out, end)
	c.at++
	return nil
}

// object writes the fields as they come and then puts them in order.
func (c *canonical) object() error {
	first, from := len(c.list), len(c.out)+1
	err := c.listed('}', func() error {
		m := member{from: len(c.out)}
		var err error
		if m.name, err = c.text(); err != nil {
			return err
		}
		c.out = append(c.out, ':')
		c.at++
		err = c.value()
		m.to = len(c.out)
		c.list = append(c.list, m)
		return err
	})
	if err != nil {
		return err
	}
	fields := c.list[first:]
	c.list = c.list[:first]
	if slices.IsSortedFunc(fields, before) {
		return unique(fields)
	}
	written := bytes.Clone(c.out[from:])
	slices.SortFunc(fields, before)
	c.out = c.out[:from]
	for i, m := range fields {
		if i > 0 {
			c.out = append(c.out, ',')
		}
		c.out = append(c.out, written[m.from-from:m.to-from]...)
	}
	c.out = append(c.out, '}')
	return unique(fields)
}

func unique(fields []member) error {
	for i := 1; i < len(fields); i++ {
		if fields[i].name == fields[i-1].name {
			return ErrNotCanonical
		}
	}
	return nil
}

// before orders names by their UTF-16 code units (RFC 8785, section 3.2.3).
func before(a, b member) int {
	for i := 0; i < len(a.name) && i < len(b.name); i++ {
		if x, y := a.name[i], b.name[i]; x != y {
			if x < utf8.RuneSelf && y < utf8.RuneSelf {
				return int(x) - int(y)
			}
			return slices.Compare(utf16.Encode([]rune(a.name)), utf16.Encode([]rune(b.name)))
		}
	}
	return len(a.name) - len(b.name)
}

// text copies a string and returns what it says.
func (c *canonical) text() (string, error) {
	end, plain := c.at+1, true
	for c.in[end] != '"' {
		if c.in[end] == '\\' {
			plain = false
			end++
		}
		end++
	}
	token := c.in[c.at : end+1]
	c.at = end + 1
	if !utf8.Valid(token) || !plain && halved(token) {
		return "", ErrNotCanonical
	}
	if plain {
		c.out = append(c.out, token...)
		return string(token[1 : len(token)-1]), nil
	}
	var said string
	if err := json.Unmarshal(token, &said); err != nil {
		return "", err
	}
	c.out = AppendText(c.out, said)
	return said, nil
}

// halved reports whether a string escapes one half of a pair of surrogates.
func halved(token []byte) bool {
	for i := bytes.IndexByte(token, '\\'); i >= 0 && i < len(token); i++ {
		if token[i] != '\\' {
			continue
		}
		if i++; token[i] != 'u' {
			continue
		}
		one := unit(token[i+1:])
		if i += 4; !utf16.IsSurrogate(one) {
			continue
		}
		if !bytes.HasPrefix(token[i+1:], []byte(`\u`)) || utf16.DecodeRune(one, unit(token[i+3:])) == utf8.RuneError {
			return true
		}
		i += 6
	}
	return false
}

// unit reads the four digits of an escaped UTF-16 code unit.
func unit(digits []byte) rune {
	n, _ := strconv.ParseUint(string(digits[:4]), 16, 16) // json.Marshal has seen to them
	return rune(n)
}

// short are the control characters that have a name of their own.
var short = map[byte]byte{'\b': 'b', '\t': 't', '\n': 'n', '\f': 'f', '\r': 'r', '"': '"', '\\': '\\'}

const hexDigits = "0123456789abcdef"

// AppendText appends a text of valid UTF-8 as canonical JSON, which escapes only
// what must be (RFC 8785, section 3.2.2.2).
func AppendText(out []byte, s string) []byte {
	out = append(out, '"')
	from := 0
	for i := range len(s) {
		b := s[i]
		if b >= 0x20 && b != '"' && b != '\\' {
			continue
		}
		out = append(out, s[from:i]...)
		from = i + 1
		if name, named := short[b]; named {
			out = append(out, '\\', name)
		} else {
			out = append(out, '\\', 'u', '0', '0', hexDigits[b>>4], hexDigits[b&15])
		}
	}
	return append(append(out, s[from:]...), '"')
}

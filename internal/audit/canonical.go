package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/gowebpki/jcs"
)

var errNumber = errors.New("a record holds integers up to 2⁵³ and strings, no other numbers")

// canonical encodes v as RFC 8785 JSON. Its numbers are IEEE doubles, so a
// number that a double does not hold exactly would be changed silently.
func canonical(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if err := integersOnly(text); err != nil {
		return nil, err
	}
	listed, err := jcs.Transform([]byte("[" + string(text) + "]")) // jcs takes containers only
	if err != nil {
		return nil, err
	}
	return listed[1 : len(listed)-1], nil
}

// integersOnly reads what json.Marshal wrote: a number begins there with a digit
// or a minus sign, and nothing else outside strings does.
func integersOnly(text []byte) error {
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '"':
			i = afterString(text, i)
		case c == '-' || '0' <= c && c <= '9':
			n := len(text[i:]) - len(bytes.TrimLeft(text[i:], "0123456789+-.eE"))
			if !integer(string(text[i : i+n])) {
				return errNumber
			}
			i += n
		default:
			i++
		}
	}
	return nil
}

// afterString is where the string that begins at text[i] has ended.
func afterString(text []byte, i int) int {
	for i++; text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i + 1
}

func integer(number string) bool {
	const most = 1 << 53
	i, err := strconv.ParseInt(number, 10, 64)
	return err == nil && -most <= i && i <= most
}

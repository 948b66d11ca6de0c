package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

func integersOnly(text []byte) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read back: %w", err)
		}
		n, ok := token.(json.Number)
		if !ok {
			continue
		}
		const most = 1 << 53
		if i, err := strconv.ParseInt(n.String(), 10, 64); err != nil || i > most || i < -most {
			return errNumber
		}
	}
}

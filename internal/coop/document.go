package coop

import (
	"bytes"
	"encoding/json"
)

// SealDocument encodes a document that carries its own digest in one of its fields,
// so that no byte of it changes unnoticed: SHA-256 in hex of the encoding with that
// field empty. Fields stand in the order in which they are declared, and nothing is
// escaped that need not be.
func SealDocument(document any, digest *string) ([]byte, error) {
	*digest = ""
	text, err := plainJSON(document)
	if err != nil {
		return nil, err
	}
	*digest = Digest(text)
	return plainJSON(document)
}

func plainJSON(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), err
}

// UnsealDocument reads such a document, in its own encoding and no other; a line's
// end behind it is not part of it. Again encodes what was read; UnsealDocument
// reports whether that is what was given.
func UnsealDocument(text []byte, document any, again func() ([]byte, error)) bool {
	text = bytes.TrimSuffix(text, []byte("\n"))
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if dec.Decode(document) != nil {
		return false
	}
	same, err := again()
	return err == nil && bytes.Equal(same, text)
}

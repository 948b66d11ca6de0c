package llm

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// refusal is why an attempt failed, as the record names it.
type refusal string

func (r refusal) Error() string { return string(r) }

// What our own parser refuses.
const (
	notUTF8   refusal = "not-utf8"
	notJSON   refusal = "not-json"
	tooDeep   refusal = "too-deep"
	twice     refusal = "duplicate-key"
	badShape  refusal = "schema"     // a field missing, unknown or of another type
	unknownID refusal = "unknown-id" // about something that was not asked
	missing   refusal = "missing"    // something that was asked is not answered
	declined  refusal = "refused"
	toolTurn  refusal = "tool-call"
	cutShort  refusal = "cut-short"
)

// maxDepth bounds nesting; the deepest answer that is asked for has six levels.
const maxDepth = 24

// decode reads one JSON document of objects (map[string]any), lists ([]any),
// strings, json.Number, booleans and nil. Unlike encoding/json it refuses
// duplicate keys and invalid UTF-8.
func decode(raw []byte) (any, error) {
	if !utf8.Valid(raw) {
		return nil, notUTF8
	}
	if !json.Valid(raw) {
		return nil, notJSON
	}
	r := reader{rest: raw}
	return r.value(0)
}

// reader takes a document apart that is known to be valid, so that it need not
// look for errors of grammar.
type reader struct{ rest []byte }

// next skips white space and separators, and returns the byte that follows.
func (r *reader) next() byte {
	r.rest = bytes.TrimLeft(r.rest, " \t\r\n,:")
	return r.rest[0]
}

func (r *reader) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, tooDeep
	}
	switch r.next() {
	case '{':
		return r.object(depth)
	case '[':
		return r.list(depth)
	case '"':
		return r.text()
	}
	end := bytes.IndexAny(r.rest, " \t\r\n,]}")
	if end < 0 {
		end = len(r.rest)
	}
	word := string(r.rest[:end])
	r.rest = r.rest[end:]
	switch word {
	case "true", "false":
		return word == "true", nil
	case "null":
		return nil, nil
	}
	return json.Number(word), nil
}

func (r *reader) object(depth int) (any, error) {
	out := map[string]any{}
	r.rest = r.rest[1:]
	for r.next() != '}' {
		key, err := r.text()
		if err != nil {
			return nil, err
		}
		if _, again := out[key]; again {
			return nil, twice
		}
		if out[key], err = r.value(depth + 1); err != nil {
			return nil, err
		}
	}
	r.rest = r.rest[1:]
	return out, nil
}

func (r *reader) list(depth int) (any, error) {
	out := []any{}
	r.rest = r.rest[1:]
	for r.next() != ']' {
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	r.rest = r.rest[1:]
	return out, nil
}

func (r *reader) text() (out string, err error) {
	end := 1
	for r.rest[end] != '"' {
		if r.rest[end] == '\\' {
			end++
		}
		end++
	}
	quoted := r.rest[:end+1]
	r.rest = r.rest[end+1:]
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1:end]), nil
	}
	err = json.Unmarshal(quoted, &out)
	return out, err
}

// exactly returns v as an object that has the named fields and no others.
func exactly(v any, fields ...string) (map[string]any, error) {
	object, ok := v.(map[string]any)
	if !ok || len(object) != len(fields) {
		return nil, badShape
	}
	for _, f := range fields {
		if _, ok := object[f]; !ok {
			return nil, badShape
		}
	}
	return object, nil
}

// field reads one field of an object as a type.
func field[T any](object map[string]any, name string) (T, error) {
	v, ok := object[name].(T)
	if !ok {
		return v, badShape
	}
	return v, nil
}

// whole reads a field as a whole number between lo and hi; 2.0 and 2e0 are none.
func whole(object map[string]any, name string, lo, hi int64) (int64, error) {
	number, err := field[json.Number](object, name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(number.String(), 10, 64)
	if err != nil || n < lo || n > hi {
		return 0, badShape
	}
	return n, nil
}

// texts reads a field as a list of at most most strings.
func texts(object map[string]any, name string, most int) ([]string, error) {
	list, err := field[[]any](object, name)
	if err != nil || len(list) > most {
		return nil, badShape
	}
	out := make([]string, len(list))
	for i, v := range list {
		s, ok := v.(string)
		if !ok {
			return nil, badShape
		}
		out[i] = s
	}
	return out, nil
}

// envelope is what a chat completion holds besides the answer.
type envelope struct {
	content string
	model   string // as the server says it answered
	print   string // its system fingerprint
}

// readEnvelope takes the answer out of a chat completion. Servers add fields of
// their own, so unknown ones are let pass; a turn that is not a finished answer
// in words is refused, whoever it pretends to speak as.
func readEnvelope(raw []byte) (envelope, error) {
	v, err := decode(raw)
	if err != nil {
		return envelope{}, err
	}
	doc, ok := v.(map[string]any)
	if !ok {
		return envelope{}, badShape
	}
	choices, err := field[[]any](doc, "choices")
	if err != nil || len(choices) != 1 {
		return envelope{}, badShape
	}
	choice, ok := choices[0].(map[string]any)
	if !ok {
		return envelope{}, badShape
	}
	message, err := field[map[string]any](choice, "message")
	if err != nil {
		return envelope{}, err
	}
	e := envelope{}
	e.model, _ = doc["model"].(string)
	e.print, _ = doc["system_fingerprint"].(string)
	if err := finished(choice, message); err != nil {
		return envelope{}, err
	}
	e.content, err = field[string](message, "content")
	return e, err
}

// finished refuses a turn that refuses, calls a tool, speaks in another role or
// was cut off.
func finished(choice, message map[string]any) error {
	empty := func(v any) bool {
		list, ok := v.([]any)
		return v == nil || v == "" || ok && len(list) == 0
	}
	switch {
	case !empty(message["refusal"]) || choice["finish_reason"] == "content_filter":
		return declined
	case !empty(message["tool_calls"]) || !empty(message["function_call"]):
		return toolTurn
	case message["role"] != nil && message["role"] != "assistant":
		return toolTurn
	case choice["finish_reason"] != nil && choice["finish_reason"] != "stop":
		return cutShort
	}
	return nil
}

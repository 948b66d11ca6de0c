package odrl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Limits of a document.
const (
	maxDocument = 1 << 20
	maxDepth    = 16
)

// ReadJSONLD reads a JSON-LD document whose context maps prefixes to IRIs and
// nothing else, and returns its statements and the node the document is about.
// Every key is a keyword (@id, @type, @value, @language) or a name with a prefix
// of the context; a text without @value is a text. Anything else is ErrJSONLD.
func ReadJSONLD(text []byte) (*Graph, Term, error) {
	if len(text) > maxDocument {
		return nil, Term{}, fmt.Errorf("%w: larger than %d bytes", ErrJSONLD, maxDocument)
	}
	value, err := strictJSON(text)
	if err != nil {
		return nil, Term{}, fmt.Errorf("%w: %w", ErrJSONLD, err)
	}
	root, ok := value.(map[string]any)
	if !ok {
		return nil, Term{}, fmt.Errorf("%w: not an object", ErrJSONLD)
	}
	r := &reader{graph: &Graph{}, prefixes: map[string]string{}}
	if err := r.context(root["@context"]); err != nil {
		return nil, Term{}, err
	}
	delete(root, "@context")
	node, err := r.node(root, 0)
	return r.graph, node, err
}

// strictJSON reads one value and refuses an object that says a thing twice.
func strictJSON(text []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	value, err := decode(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text after the end")
	}
	return value, nil
}

func decode(dec *json.Decoder, depth int) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	delim, nested := token.(json.Delim)
	switch {
	case !nested:
		return token, nil
	case depth >= maxDepth:
		return nil, errors.New("nested too deep")
	case delim == '[':
		list := []any{}
		for dec.More() {
			v, err := decode(dec, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = dec.Token()
		return list, err
	}
	object := map[string]any{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, err
		}
		key, _ := name.(string)
		if _, twice := object[key]; twice {
			return nil, errors.New("a name stands twice in one object")
		}
		if object[key], err = decode(dec, depth+1); err != nil {
			return nil, err
		}
	}
	_, err = dec.Token()
	return object, err
}

// reader turns objects into statements.
type reader struct {
	graph    *Graph
	prefixes map[string]string
	blanks   int
}

func (r *reader) context(v any) error {
	terms, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%w: the context must stand in the document, as an object", ErrJSONLD)
	}
	for prefix, iri := range terms {
		to, ok := iri.(string)
		if !ok || prefix == "" || strings.ContainsAny(prefix, "@:/#") || !strings.Contains(to, ":") {
			return fmt.Errorf("%w: the context may name prefixes only", ErrJSONLD)
		}
		r.prefixes[prefix] = to
	}
	return nil
}

// iri expands a name; one without a known prefix must be an IRI as it is.
func (r *reader) iri(name string) (string, error) {
	prefix, local, ok := strings.Cut(name, ":")
	if !ok || strings.ContainsAny(name, " \"<>\\\n\t{}|^`") {
		return "", fmt.Errorf("%w: a name is no IRI", ErrJSONLD)
	}
	if base, known := r.prefixes[prefix]; known && !strings.HasPrefix(local, "//") {
		return base + local, nil
	}
	return name, nil
}

func (r *reader) node(object map[string]any, depth int) (Term, error) {
	if depth > maxDepth {
		return Term{}, fmt.Errorf("%w: nested too deep", ErrJSONLD)
	}
	at := Term{Value: "_:b" + strconv.Itoa(r.blanks)}
	if id, named := object["@id"]; named {
		text, _ := id.(string)
		iri, err := r.iri(text)
		if err != nil {
			return Term{}, err
		}
		at = IRI(iri)
	} else {
		r.blanks++
	}
	for _, key := range sortedKeys(object) {
		if key == "@id" {
			continue
		}
		if err := r.property(at, key, object[key], depth); err != nil {
			return Term{}, err
		}
	}
	return at, nil
}

func (r *reader) property(at Term, key string, value any, depth int) error {
	values, many := value.([]any)
	if !many {
		values = []any{value}
	}
	if key == "@type" {
		return r.types(at, values)
	}
	predicate, err := r.iri(key)
	if err != nil || strings.HasPrefix(key, "@") {
		return fmt.Errorf("%w: a key is neither a known keyword nor a name with a prefix", ErrJSONLD)
	}
	for _, v := range values {
		object, err := r.value(v, depth)
		if err != nil {
			return err
		}
		r.graph.Add(Triple{at, predicate, object})
	}
	return nil
}

func (r *reader) types(at Term, values []any) error {
	for _, v := range values {
		name, _ := v.(string)
		class, err := r.iri(name)
		if err != nil {
			return err
		}
		r.graph.Add(Triple{at, RDF + "type", IRI(class)})
	}
	return nil
}

func (r *reader) value(v any, depth int) (Term, error) {
	switch v := v.(type) {
	case string:
		return Literal(v, "string"), nil
	case bool:
		return Literal(strconv.FormatBool(v), "boolean"), nil
	case map[string]any:
		if _, literal := v["@value"]; literal {
			return r.literal(v)
		}
		return r.node(v, depth+1)
	}
	return Term{}, fmt.Errorf("%w: a value is neither a text, a truth nor an object", ErrJSONLD)
}

// literal reads {"@value": "5.00", "@type": "xsd:decimal"}.
func (r *reader) literal(object map[string]any) (Term, error) {
	datatype := XSD + "string"
	for key, v := range object {
		text, isText := v.(string)
		truth, isTruth := v.(bool)
		switch {
		case key == "@value" && isTruth && len(object) == 1:
			return Literal(strconv.FormatBool(truth), "boolean"), nil
		case key == "@value" && isText:
		case key == "@type" && isText && object["@language"] == nil:
			iri, err := r.iri(text)
			if err != nil {
				return Term{}, err
			}
			datatype = iri
		case key == "@language" && isText && text != "" && object["@type"] == nil:
			datatype = RDF + "langString"
		default:
			return Term{}, fmt.Errorf("%w: a value is not written as {\"@value\": text}", ErrJSONLD)
		}
	}
	text, _ := object["@value"].(string)
	return Term{text, datatype}, nil
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

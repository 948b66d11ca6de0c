package appraisal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"

	"distributed.ai/datacoop/internal/fault"
)

// Format names the encoding of a bundle.
const Format = "datacoop-statement/1"

// Bundle is a statement with everything it was computed from: enough to compute
// it again without the server.
type Bundle struct {
	Evidence  Evidence  `json:"evidence"`
	Format    string    `json:"format"`
	Opinion   *Opinion  `json:"opinion"` // null: the baseline paid
	Params    Params    `json:"params"`
	Statement Statement `json:"statement"`
}

// JSON is the bundle's canonical encoding by RFC 8785 (JSON Canonicalization
// Scheme), with evidence and opinion in canonical order.
func (b Bundle) JSON() ([]byte, error) {
	b.Evidence, b.Opinion = b.Evidence.normal(), b.Opinion.normal()
	return canonical(b)
}

// SHA256 is the digest of JSON in hex, as it is published and logged.
func (b Bundle) SHA256() (string, error) {
	b.Evidence, b.Opinion = b.Evidence.normal(), b.Opinion.normal()
	return digest(b)
}

// canonical encodes the types of this package by RFC 8785. Their fields are
// declared in the order of their names and their texts hold none of the
// characters that encoding/json escapes otherwise than the scheme, so its plain
// output is canonical; a test holds both rules against an independent
// implementation.
func canonical(v any) ([]byte, error) {
	var buf bytes.Buffer
	err := writeCanonical(&buf, v)
	return buf.Bytes(), err
}

// writeCanonical is canonical without a copy in between, which counts for
// bundles of a million members.
func writeCanonical(to io.Writer, v any) error {
	enc := json.NewEncoder(chomp{to})
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("encode canonical JSON: %w", err)
	}
	return nil
}

// chomp leaves out the new line that encoding/json ends a document with. No
// other can occur: in texts it is escaped.
type chomp struct{ to io.Writer }

func (c chomp) Write(p []byte) (int, error) {
	if _, err := c.to.Write(bytes.TrimSuffix(p, []byte("\n"))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// comparing is a writer that only notes whether what is written is what was
// expected.
type comparing struct {
	rest    []byte
	differs bool
}

func (c *comparing) Write(p []byte) (int, error) {
	rest, ok := bytes.CutPrefix(c.rest, p)
	c.rest, c.differs = rest, c.differs || !ok
	return len(p), nil
}

// Faults of Verify; the detail of ErrDiffers is the first field that differs.
var (
	ErrUnreadable = fault.New(fault.Invalid, "bundle-unreadable", "This is not a statement bundle of the known format.")
	ErrFormula    = fault.New(fault.Invalid, "bundle-formula", "This statement was computed by other rules than this program's. The program that published it verifies it.")
	ErrDiffers    = fault.New(fault.Invalid, "bundle-differs", "The statement is not what its own evidence gives.")
)

// ParseBundle reads a bundle without verifying it.
func ParseBundle(text []byte) (Bundle, error) {
	var b Bundle
	if err := json.Unmarshal(text, &b); err != nil || b.Format != Format {
		return Bundle{}, ErrUnreadable
	}
	return b, nil
}

var formulaPattern = regexp.MustCompile(`^patronage-[0-9]{1,6}$`)

// Verify computes a bundle's statement again from its evidence, params and
// opinion, and compares every byte. Nil means that they agree. Anything else is
// a fault: ErrUnreadable, ErrFormula with the name of the other rules, ErrDiffers with the path of the first field that
// differs ("encoding" where only the way of writing it does), or the fault of
// Close where the evidence cannot be appraised at all.
func Verify(bundle []byte) error {
	_, err := Recompute(bundle)
	return err
}

// Recompute does what Verify does and returns the statement that agrees.
func Recompute(bundle []byte) (Statement, error) {
	given, err := source(bundle)
	if err != nil {
		return Statement{}, err
	}
	same := comparing{rest: bundle}
	again, err := bundled(given.Evidence, given.Params, given.Opinion, &same)
	if err == nil && !same.differs && len(same.rest) == 0 {
		return again.Statement, nil
	}
	parsed, unreadable := ParseBundle(bundle)
	if unreadable != nil {
		return Statement{}, unreadable
	}
	if named := parsed.Statement.Formula; named != Formula && formulaPattern.MatchString(named) {
		return Statement{}, ErrFormula.With(named)
	}
	if err != nil {
		return Statement{}, err
	}
	want, err := again.JSON()
	if err != nil {
		return Statement{}, err
	}
	return Statement{}, ErrDiffers.With(firstDifference(bundle, want))
}

// source reads what a statement is computed from. The statement itself is only
// compared, so a bundle in its canonical order is read up to there; if anything
// else stands behind it, the comparison says so.
func source(bundle []byte) (Bundle, error) {
	var given struct {
		Evidence Evidence
		Format   string
		Opinion  *Opinion
		Params   Params
	}
	head, _, ok := bytes.Cut(bundle, []byte(`,"statement":{`))
	if ok {
		head = append(slices.Clip(head), '}')
		ok = json.Unmarshal(head, &given) == nil && given.Format == Format
	}
	if !ok && (json.Unmarshal(bundle, &given) != nil || given.Format != Format) {
		return Bundle{}, ErrUnreadable
	}
	return Bundle{Evidence: given.Evidence, Opinion: given.Opinion, Params: given.Params}, nil
}

// bundled is NewBundle and writes the bundle's canonical encoding on the way, so
// that what is signed is encoded once.
func bundled(ev Evidence, p Params, op *Opinion, to io.Writer) (Bundle, error) {
	b, err := appraised(ev, p, op)
	if err != nil {
		return b, err
	}
	sum := ""
	write := func(before string, v any) {
		if err == nil {
			h := sha256.New()
			_, err = io.WriteString(to, before)
			err = errors.Join(err, writeCanonical(io.MultiWriter(h, to), v))
			sum = hex.EncodeToString(h.Sum(nil))
		}
	}
	write(`{"evidence":`, b.Evidence)
	b.Statement.EvidenceSHA256 = sum
	write(`,"format":`, b.Format)
	write(`,"opinion":`, b.Opinion)
	if b.Opinion != nil {
		b.Statement.OpinionSHA256 = sum
	}
	write(`,"params":`, b.Params)
	b.Statement.ParamsSHA256 = sum
	if err != nil {
		return b, err
	}
	_, begin := io.WriteString(to, `,"statement":`)
	err = errors.Join(begin, writeCanonical(to, b.Statement))
	_, end := io.WriteString(to, "}")
	return b, errors.Join(err, end)
}

// firstDifference names the first field, in canonical order, in which two
// documents differ.
func firstDifference(given, want []byte) string {
	var a, b any
	for text, into := range map[*[]byte]*any{&given: &a, &want: &b} {
		dec := json.NewDecoder(bytes.NewReader(*text))
		dec.UseNumber()
		if dec.Decode(into) != nil {
			return "encoding"
		}
	}
	if path, differs := difference("", a, b); differs {
		return path
	}
	return "encoding"
}

func difference(path string, a, b any) (string, bool) {
	switch a := a.(type) {
	case map[string]any:
		if b, ok := b.(map[string]any); ok {
			return differenceInMap(path, a, b)
		}
	case []any:
		if b, ok := b.([]any); ok {
			return differenceInList(path, a, b)
		}
	default:
		return path, a != b
	}
	return path, true
}

func differenceInMap(path string, a, b map[string]any) (string, bool) {
	if path != "" {
		path += "."
	}
	names := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		va, ina := a[name]
		vb, inb := b[name]
		if ina != inb {
			return path + name, true
		}
		if at, differs := difference(path+name, va, vb); differs {
			return at, true
		}
	}
	return "", false
}

func differenceInList(path string, a, b []any) (string, bool) {
	for i := range min(len(a), len(b)) {
		if at, differs := difference(fmt.Sprintf("%s[%d]", path, i), a[i], b[i]); differs {
			return at, true
		}
	}
	return path, len(a) != len(b)
}

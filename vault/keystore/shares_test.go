package keystore

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"filippo.io/age"

	"distributed.ai/datacoop/vault/header"
)

// circle is a split among custodians with keys of their own.
type circle struct {
	Custody
	master Identity
	texts  [][]byte // decrypted
}

func newCircle(t testing.TB, threshold, n int) circle {
	t.Helper()
	c := circle{master: must[Identity](t)(NewMaster())}
	var recipients, identities []string
	for i := range n {
		if i == 0 {
			id := must[*age.HybridIdentity](t)(age.GenerateHybridIdentity())
			recipients, identities = append(recipients, id.Recipient().String()), append(identities, id.String())
			continue
		}
		id := must[*age.X25519Identity](t)(age.GenerateX25519Identity())
		recipients, identities = append(recipients, id.Recipient().String()), append(identities, id.String())
	}
	c.Custody = must[Custody](t)(SplitMaster(c.master, threshold, recipients))
	for i, file := range c.Shares {
		c.texts = append(c.texts, must[[]byte](t)(OpenShare(bytes.NewReader(file), strings.NewReader(identities[i]))))
		if _, err := OpenShare(bytes.NewReader(file), strings.NewReader(identities[(i+1)%n])); !errors.Is(err, ErrShare) {
			t.Errorf("another custodian reads share %d: %v", i+1, err)
		}
	}
	return c
}

func TestAnyThreeOfFiveCustodiansOpenTheMaster(t *testing.T) {
	c := newCircle(t, 3, 5)
	want, _, _ := identityText(c.master)
	var phrase string
	for i := range 5 {
		for j := range i {
			for k := range j {
				phrase = must[string](t)(CombineShares(c.Board, c.texts[i], c.texts[j], c.texts[k]))
				got, _, _ := identityText(must[Identity](t)(OpenMaster(bytes.NewReader(c.Sealed), phrase)))
				if got != want {
					t.Fatalf("shares %d, %d and %d open another identity", i+1, j+1, k+1)
				}
			}
		}
	}
	if all := must[string](t)(CombineShares(c.Board, c.texts...)); all != phrase {
		t.Error("five shares give another passphrase than three")
	}
	for i, text := range c.texts {
		if n := must[int](t)(CheckShare(c.Board, text)); n != i+1 {
			t.Errorf("share %d says it is %d", i+1, n)
		}
		if bytes.Contains(c.Board, []byte(text[len(text)-40:len(text)-4])) {
			t.Error("the board holds a share")
		}
	}
}

func TestTwoOfThreeNeededSharesOpenNothing(t *testing.T) {
	c := newCircle(t, 3, 5)
	for _, texts := range [][][]byte{{}, c.texts[:1], c.texts[:2], {c.texts[0], c.texts[1], c.texts[1]}, {c.texts[4], c.texts[4], c.texts[4], c.texts[4]}} {
		_, err := CombineShares(c.Board, texts...)
		wants(t, err, ErrTooFew)
	}
}

func TestAWrongShareIsRefusedInsteadOfGivingAWrongKey(t *testing.T) {
	c, other := newCircle(t, 2, 3), newCircle(t, 2, 3)
	var s share
	if err := json.Unmarshal(c.texts[0], &s); err != nil {
		t.Fatal(err)
	}
	forge := func(change func(*share)) []byte {
		f := s
		change(&f)
		return must[[]byte](t)(json.Marshal(f))
	}
	for name, bad := range map[string][]byte{
		"of another split":    other.texts[0],
		"renamed to this one": bytes.Replace(other.texts[0], []byte(setOf(t, other.texts[0])), []byte(s.Set), 1),
		"another index":       forge(func(f *share) { f.Index = 2 }),
		"index zero":          forge(func(f *share) { f.Index = 0 }),
		"index four":          forge(func(f *share) { f.Index = 4 }),
		"negative index":      forge(func(f *share) { f.Index = -1 }),
		"a digit changed":     forge(func(f *share) { f.Value = flipHex(f.Value) }),
		"no value":            forge(func(f *share) { f.Value = "" }),
		"short value":         forge(func(f *share) { f.Value = f.Value[:60] }),
		"long value":          forge(func(f *share) { f.Value += "00" }),
		"zero":                forge(func(f *share) { f.Value = strings.Repeat("0", 64) }),
		"another form":        forge(func(f *share) { f.Type = BoardType }),
		"empty":               nil,
		"not JSON":            []byte("share"),
		"null":                []byte("null"),
		"still encrypted":     c.Shares[0],
	} {
		if _, err := CombineShares(c.Board, bad, c.texts[1]); !errors.Is(err, ErrShare) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := CombineShares(c.Board, c.texts[1], c.texts[2], bad); !errors.Is(err, ErrShare) {
			t.Errorf("%s, though there are enough: %v", name, err)
		}
	}
	if _, err := CombineShares(other.Board, c.texts[0], c.texts[1]); !errors.Is(err, ErrShare) {
		t.Errorf("another board: %v", err)
	}
}

func setOf(t testing.TB, text []byte) string {
	t.Helper()
	var s share
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	return s.Set
}

func flipHex(s string) string {
	if s[0] == '0' {
		return "1" + s[1:]
	}
	return "0" + s[1:]
}

func TestWhatIsNoBoardIsRefused(t *testing.T) {
	c := newCircle(t, 2, 2)
	var b board
	if err := json.Unmarshal(c.Board, &b); err != nil {
		t.Fatal(err)
	}
	forge := func(change func(*board)) []byte {
		f := b
		f.Commitments, f.Custodians = append([]string{}, b.Commitments...), append([]string{}, b.Custodians...)
		change(&f)
		return must[[]byte](t)(json.Marshal(f))
	}
	for name, bad := range map[string][]byte{
		"empty": nil, "null": []byte("null"), "a share": c.texts[0],
		"threshold one":      forge(func(f *board) { f.Threshold, f.Commitments = 1, f.Commitments[:1] }),
		"huge threshold":     forge(func(f *board) { f.Threshold = 1 << 60 }),
		"negative threshold": forge(func(f *board) { f.Threshold = -1 }),
		"no commitments":     forge(func(f *board) { f.Commitments = nil }),
		"one too many":       forge(func(f *board) { f.Commitments = append(f.Commitments, f.Commitments[0]) }),
		"odd commitment":     forge(func(f *board) { f.Commitments[0] = strings.Repeat("f", 64) }),
		"no custodians":      forge(func(f *board) { f.Custodians = nil }),
	} {
		if _, err := CombineShares(bad, c.texts...); !errors.Is(err, ErrBoard) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOddCirclesOfCustodiansAreRefused(t *testing.T) {
	master := must[Identity](t)(NewMaster())
	a := must[*age.X25519Identity](t)(age.GenerateX25519Identity()).Recipient().String()
	b := must[*age.HybridIdentity](t)(age.GenerateHybridIdentity()).Recipient().String()
	var many []string
	for range maxCustodians + 1 {
		many = append(many, must[*age.X25519Identity](t)(age.GenerateX25519Identity()).Recipient().String())
	}
	for name, c := range map[string]struct {
		threshold  int
		custodians []string
		want       error
	}{
		"nobody":     {2, nil, ErrCustodians},
		"one of one": {1, []string{a}, ErrCustodians},
		"one of two": {1, []string{a, b}, ErrCustodians},
		"three of 2": {3, []string{a, b}, ErrCustodians},
		"negative":   {-2, []string{a, b}, ErrCustodians},
		"same twice": {2, []string{a, b, a}, ErrCustodians},
		"a crowd":    {2, many, ErrCustodians},
		"no key":     {2, []string{a, "age1nobody"}, header.ErrRecipient},
	} {
		if _, err := SplitMaster(master, c.threshold, c.custodians); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzShares(f *testing.F) {
	c := newCircle(f, 2, 3)
	f.Add([]byte(c.Board), c.texts[0], c.texts[1])
	f.Fuzz(func(t *testing.T, board, a, b []byte) {
		phrase, err := CombineShares(board, a, b)
		if err == nil && len(phrase) != 64 {
			t.Errorf("a passphrase of %d characters", len(phrase))
		}
	})
}

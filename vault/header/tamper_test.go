package header

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"filippo.io/age"
)

// parcel is a file for a member and the vault, as members upload them.
type parcel struct {
	file         []byte
	hdr, payload []byte
	vault        age.Identity
	to           age.Recipient
	open         age.Identity // the researcher's
}

func newParcel(t *testing.T, postQuantum bool, size int) parcel {
	plain := bytes.Repeat([]byte("2016-04-12,13162,8.5\n"), size/21+1)[:size]
	p := parcel{}
	if postQuantum {
		member, vault, researcher := hybrid(t), hybrid(t), hybrid(t)
		p.file = encrypt(t, plain, member.Recipient(), vault.Recipient())
		p.vault, p.to, p.open = vault, researcher.Recipient(), researcher
	} else {
		member, vault, researcher := classic(t), classic(t), classic(t)
		p.file = encrypt(t, plain, member.Recipient(), vault.Recipient())
		p.vault, p.to, p.open = vault, researcher.Recipient(), researcher
	}
	p.hdr, p.payload = split(t, p.file)
	return p
}

// again is another file for the same parties.
func (p parcel) again(t *testing.T) parcel {
	t.Helper()
	other := p
	other.file = encrypt(t, []byte("another day, 9000 steps"), p.vault.(*age.X25519Identity).Recipient())
	other.hdr, other.payload = split(t, other.file)
	return other
}

var errOurs = errors.New("refused by us")

// deliver takes a file through gate and rewrap and has stock age open what the
// researcher gets. It leaves out what we check of a payload, so that stock age
// judges every one.
func (p parcel) deliver(file []byte) error {
	hdr, payload, err := Split(bytes.NewReader(file))
	if err == nil {
		_, err = Inspect(hdr)
	}
	if err != nil {
		return errors.Join(errOurs, err)
	}
	grant, err := Rewrap(hdr, p.vault, p.to)
	if err != nil {
		return errors.Join(errOurs, err)
	}
	r, err := age.Decrypt(io.MultiReader(bytes.NewReader(grant), payload), p.open)
	if err == nil {
		_, err = io.Copy(io.Discard, r)
	}
	return err
}

// checked is what sealing says of a payload under this parcel's own header.
func (p parcel) checked(payload []byte) error {
	return CheckLastChunk(p.hdr, p.vault, bytes.NewReader(payload), int64(len(payload)))
}

func TestNoAlteredHeaderIsDelivered(t *testing.T) {
	for name, c := range map[string]struct {
		p    parcel
		bits []int // flipped in every byte, one at a time
	}{
		"classic": {newParcel(t, false, 100), []int{0, 1, 2, 3, 4, 5, 6, 7}},
		"hybrid":  {newParcel(t, true, 100), []int{0, 5}},
	} {
		if err := c.p.deliver(c.p.file); err != nil {
			t.Fatalf("%s: unaltered: %v", name, err)
		}
		tries := 0
		for i := range c.p.hdr {
			for _, bit := range c.bits {
				bad := bytes.Clone(c.p.file)
				bad[i] ^= 1 << bit
				if err := c.p.deliver(bad); !errors.Is(err, errOurs) {
					t.Fatalf("%s: byte %d bit %d: not refused by us: %v", name, i, bit, err)
				}
				tries++
			}
		}
		t.Logf("%s: %d flips of a header of %d bytes, 0 accepted", name, tries, len(c.p.hdr))
	}
}

func TestNoAlteredPayloadIsDelivered(t *testing.T) {
	p := newParcel(t, false, 150_000) // three chunks
	flips := 0
	for i := len(p.hdr); i < len(p.file); i += 97 {
		bad := bytes.Clone(p.file)
		bad[i] ^= 1 << (i % 8)
		if p.deliver(bad) == nil {
			t.Fatalf("byte %d flipped and delivered", i)
		}
		flips++
	}
	cuts := 0
	for end := 0; end < len(p.file); end += 53 {
		if p.deliver(p.file[:end]) == nil {
			t.Fatalf("cut to %d bytes and delivered", end)
		}
		if end >= len(p.hdr) && p.checked(p.file[len(p.hdr):end]) == nil {
			t.Fatalf("cut to %d bytes and sealed", end)
		}
		cuts++
	}
	if flips < 1_500 || cuts < 2_800 {
		t.Fatalf("only %d flips and %d cuts tried", flips, cuts)
	}
	t.Logf("%d flips and %d cuts of %d bytes, 0 accepted", flips, cuts, len(p.file))
}

func TestNoFileMadeOfOthersIsDelivered(t *testing.T) {
	p := newParcel(t, false, 100_000)
	other := p.again(t)
	mac := bytes.LastIndex(p.hdr, []byte("\n---")) + 1
	otherMAC := bytes.LastIndex(other.hdr, []byte("\n---")) + 1
	first := bytes.Index(p.hdr[len(intro)+1:], []byte("\n-> ")) + len(intro) + 2
	whole := int(nonceLen + chunkLen)
	cases := map[string][]byte{
		"another header":            join(other.hdr, p.payload),
		"another payload":           join(p.hdr, other.payload),
		"another MAC":               join(p.hdr[:mac], other.hdr[otherMAC:], p.payload),
		"another's stanza added":    join(p.hdr[:mac], other.hdr[len(intro):otherMAC], p.hdr[mac:], p.payload),
		"a stanza left out":         join(p.hdr[:len(intro)], p.hdr[first:], p.payload),
		"stanzas in another order":  join(p.hdr[:len(intro)], p.hdr[first:mac], p.hdr[len(intro):first], p.hdr[mac:], p.payload),
		"a stanza twice":            join(p.hdr[:mac], p.hdr[first:mac], p.hdr[mac:], p.payload),
		"twice over":                join(p.file, p.file),
		"two files":                 join(p.file, other.file),
		"its header twice":          join(p.hdr, p.file),
		"its payload twice":         join(p.file, p.payload[nonceLen:]),
		"one byte more":             join(p.file, []byte{0}),
		"chunks in another order":   join(p.hdr, p.payload[:nonceLen], p.payload[whole:], p.payload[nonceLen:whole]),
		"the first chunk left out":  join(p.hdr, p.payload[:nonceLen], p.payload[whole:]),
		"the first chunk twice":     join(p.hdr, p.payload[:whole], p.payload[nonceLen:]),
		"another's last chunk":      join(p.hdr, p.payload[:whole], other.payload[nonceLen:]),
		"another's nonce":           join(p.hdr, other.payload[:nonceLen], p.payload[nonceLen:]),
		"no nonce":                  join(p.hdr, p.payload[nonceLen:]),
		"a byte before the header":  join([]byte("\n"), p.file),
		"a byte after the header":   join(p.hdr, []byte("\n"), p.payload),
		"line ends of another kind": join(bytes.ReplaceAll(p.hdr, []byte("\n"), []byte("\r\n")), p.payload),
	}
	for name, bad := range cases {
		if bytes.Equal(bad, p.file) || bytes.Equal(bad, other.file) {
			t.Fatalf("%s: it is a good file", name)
		}
		if p.deliver(bad) == nil {
			t.Errorf("%s: delivered", name)
		}
	}
	if err := p.deliver(p.file); err != nil {
		t.Errorf("the good file: %v", err)
	}
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// TestManyStanzasAndPassphrasesCostNothing: neither Split nor Inspect has an
// identity, so what they refuse was refused before any cryptography; and they
// stop reading at the limit.
func TestManyStanzasAndPassphrasesCostNothing(t *testing.T) {
	scrypt := stanza("scrypt", strings.Repeat("A", 22), "22")
	cases := map[string]struct {
		hdr  []byte
		want error
	}{
		"1,000 stanzas":               {text(strings.Repeat(classicStanza, 1_000)), ErrTooLarge},
		"1,000 small stanzas":         {text(strings.Repeat("-> X\n\n", 1_000)), ErrStanzas},
		"100 stanzas":                 {text(strings.Repeat(classicStanza, 100)), ErrStanzas},
		"nine stanzas":                {text(strings.Repeat(classicStanza, 9)), ErrStanzas},
		"a passphrase":                {text(scrypt), ErrPassphrase},
		"1,000 passphrases":           {text(strings.Repeat(scrypt, 1_000)), ErrTooLarge},
		"a passphrase among eight":    {text(strings.Repeat(classicStanza, 7), scrypt), ErrPassphrase},
		"a passphrase before the key": {text(scrypt, classicStanza), ErrPassphrase},
	}
	for name, c := range cases {
		r := &counting{r: io.MultiReader(bytes.NewReader(c.hdr), endless{})}
		hdr, _, err := Split(r)
		if err == nil {
			_, err = Inspect(hdr)
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if r.n > MaxBytes+4096 {
			t.Errorf("%s: %d bytes were read before it was refused", name, r.n)
		}
		if _, err := Scan(c.hdr); errors.Is(c.want, ErrTooLarge) && !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: Scan says %v", name, err)
		}
	}
}

type counting struct {
	r io.Reader
	n int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }

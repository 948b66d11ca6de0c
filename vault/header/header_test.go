package header

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"filippo.io/age"
	"filippo.io/age/armor"
)

func encrypt(t testing.TB, plain []byte, to ...age.Recipient) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func decrypt(t testing.TB, file []byte, id age.Identity) []byte {
	t.Helper()
	r, err := age.Decrypt(bytes.NewReader(file), id)
	if err != nil {
		t.Fatalf("stock age: %v", err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("stock age: %v", err)
	}
	return plain
}

func classic(t testing.TB) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func hybrid(t testing.TB) *age.HybridIdentity {
	t.Helper()
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func split(t testing.TB, file []byte) (hdr, payload []byte) {
	t.Helper()
	hdr, rest, err := Split(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	payload, err = io.ReadAll(rest)
	if err != nil {
		t.Fatal(err)
	}
	return hdr, payload
}

// text writes a header by hand, for shapes that age refuses to write.
func text(stanzas ...string) []byte {
	return []byte(intro + strings.Join(stanzas, "") + "--- " + strings.Repeat("A", 43) + "\n")
}

func stanza(kind string, args ...string) string {
	return "-> " + strings.Join(append([]string{kind}, args...), " ") + "\n" + strings.Repeat("A", 42) + "8\n"
}

var (
	classicStanza = stanza(StanzaX25519, strings.Repeat("A", x25519ArgLen))
	hybridStanza  = stanza(StanzaHybrid, strings.Repeat("A", hybridArgLen))
)

func TestSplitIsExactHoweverTheReaderChops(t *testing.T) {
	for _, size := range []int{0, 1, 4000, 64 << 10, 200_000} {
		file := encrypt(t, bytes.Repeat([]byte("x"), size), classic(t).Recipient(), classic(t).Recipient())
		readers := map[string]io.Reader{
			"whole": bytes.NewReader(file), "one byte": iotest.OneByteReader(bytes.NewReader(file)),
			"half": iotest.HalfReader(bytes.NewReader(file)), "data with EOF": iotest.DataErrReader(bytes.NewReader(file)),
		}
		for name, r := range readers {
			hdr, payload, err := Split(r)
			if err != nil {
				t.Fatalf("%s, %d bytes: %v", name, size, err)
			}
			rest, err := io.ReadAll(payload)
			if err != nil {
				t.Fatalf("%s, %d bytes: %v", name, size, err)
			}
			if !bytes.Equal(append(hdr, rest...), file) {
				t.Errorf("%s, %d bytes: the parts are not the file", name, size)
			}
			if !bytes.HasSuffix(hdr, []byte("\n")) || bytes.Count(hdr, []byte("\n---")) != 1 {
				t.Errorf("%s, %d bytes: the header does not end with its MAC line", name, size)
			}
		}
	}
}

func TestWhatIsNoHeaderIsRefusedInWords(t *testing.T) {
	good := encrypt(t, []byte("plain"), classic(t).Recipient())
	var armored bytes.Buffer
	w := armor.NewWriter(&armored)
	_, _ = w.Write(good)
	_ = w.Close()
	cases := map[string]struct {
		file []byte
		want error
	}{
		"nothing":             {nil, ErrTruncated},
		"plaintext":           {[]byte("date,steps\n2016-04-12,13162\n"), ErrNotAge},
		"zip":                 {[]byte("PK\x03\x04rest"), ErrNotAge},
		"armored":             {armored.Bytes(), ErrArmored},
		"half an intro":       {good[:9], ErrTruncated},
		"cut in a stanza":     {good[:60], ErrTruncated},
		"cut in the MAC":      {good[:160], ErrTruncated},
		"no stanzas":          {text(), ErrMalformed},
		"crlf":                {bytes.ReplaceAll(good[:168], []byte("\n"), []byte("\r\n")), ErrNotAge},
		"two spaces":          {bytes.Replace(good, []byte("-> "), []byte("->  "), 1), ErrMalformed},
		"space before line":   {bytes.Replace(good, []byte("-> "), []byte(" -> "), 1), ErrMalformed},
		"long MAC":            {bytes.Replace(text(classicStanza), []byte("--- "), []byte("--- AAAA"), 1), ErrMalformed},
		"no MAC":              {[]byte(intro + classicStanza + "---\n"), ErrMalformed},
		"17 KiB of stanzas":   {text(strings.Repeat(hybridStanza, 11)), ErrTooLarge},
		"endless header":      {append([]byte(intro), bytes.Repeat([]byte(classicStanza), 400)...), ErrTooLarge},
		"one endless line":    {append([]byte(intro+"-> X25519 "), bytes.Repeat([]byte("A"), 1<<20)...), ErrTooLarge},
		"secret key uploaded": {[]byte("AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0\n"), ErrNotAge},
	}
	for name, c := range cases {
		if _, _, err := Split(bytes.NewReader(c.file)); !errors.Is(err, c.want) {
			t.Errorf("Split %s: got %v, want %v", name, err, c.want)
		}
		n, err := Scan(c.file)
		if c.want == ErrTruncated {
			if n != 0 || err != nil {
				t.Errorf("Scan %s: got %d, %v, want more bytes asked for", name, n, err)
			}
		} else if !errors.Is(err, c.want) {
			t.Errorf("Scan %s: got %v, want %v", name, err, c.want)
		}
	}
}

func TestABrokenConnectionIsNotAMalformedHeader(t *testing.T) {
	broken := errors.New("connection reset")
	file := encrypt(t, nil, classic(t).Recipient())
	_, _, err := Split(io.MultiReader(bytes.NewReader(file[:50]), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want the reader's own error", err)
	}
}

func TestScanFindsTheEndAtTheFirstPossibleByte(t *testing.T) {
	file := encrypt(t, bytes.Repeat([]byte("y"), 500), hybrid(t).Recipient(), hybrid(t).Recipient())
	hdr, _ := split(t, file)
	for n := range len(file) {
		end, err := Scan(file[:n])
		switch {
		case err != nil:
			t.Fatalf("after %d bytes: %v", n, err)
		case n < len(hdr) && end != 0, n >= len(hdr) && end != len(hdr):
			t.Fatalf("after %d of %d bytes: got %d", n, len(hdr), end)
		}
	}
}

func TestTheGateJudgesBeforeAnyCryptography(t *testing.T) {
	cases := map[string]struct {
		hdr  []byte
		want error
	}{
		"one classic":            {text(classicStanza), nil},
		"eight classic":          {text(strings.Repeat(classicStanza, 8)), nil},
		"nine classic":           {text(strings.Repeat(classicStanza, 9)), ErrStanzas},
		"eight hybrid":           {text(strings.Repeat(hybridStanza, 8)), nil},
		"hybrid and classic":     {text(hybridStanza, classicStanza), ErrMixed},
		"classic and hybrid":     {text(classicStanza, hybridStanza), ErrMixed},
		"passphrase":             {text(stanza("scrypt", "AAAAAAAAAAAAAAAAAAAAAA", "18")), ErrPassphrase},
		"passphrase behind":      {text(classicStanza, stanza("scrypt", "AAAAAAAAAAAAAAAAAAAAAA", "30")), ErrPassphrase},
		"ssh":                    {text(stanza("ssh-ed25519", "mC5Gkg", strings.Repeat("A", 43))), ErrStanzaType},
		"grease":                 {text(classicStanza, stanza("grease")), ErrStanzaType},
		"case matters":           {text(stanza("x25519", strings.Repeat("A", 43))), ErrStanzaType},
		"classic without share":  {text(stanza(StanzaX25519)), ErrMalformed},
		"classic, two arguments": {text(stanza(StanzaX25519, strings.Repeat("A", 43), "A")), ErrMalformed},
		"hybrid, short share":    {text(stanza(StanzaHybrid, strings.Repeat("A", 43))), ErrMalformed},
		"long file key":          {text("-> X25519 " + strings.Repeat("A", 43) + "\n" + strings.Repeat("A", 55) + "\n"), ErrMalformed},
		"trailing byte":          {append(text(classicStanza), 0), ErrMalformed},
		"two headers":            {append(text(classicStanza), text(classicStanza)...), ErrMalformed},
		"empty":                  {nil, ErrTruncated},
		"over 16 KiB":            {text(strings.Repeat(hybridStanza, 11)), ErrTooLarge},
	}
	for name, c := range cases {
		info, err := Inspect(c.hdr)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		if err == nil && info.PostQuantum != bytes.Contains(c.hdr, []byte(StanzaHybrid)) {
			t.Errorf("%s: post-quantum: %v", name, info.PostQuantum)
		}
	}
}

func TestStockAgeOpensARewrappedFile(t *testing.T) {
	plain := bytes.Repeat([]byte("13162,8.5\n"), 20_000)
	member, vault, researcher := hybrid(t), hybrid(t), hybrid(t)
	old, oldClassic, newClassic := classic(t), classic(t), classic(t)
	cases := map[string]struct {
		file []byte
		id   age.Identity
		to   age.Recipient
		open age.Identity
	}{
		"hybrid to hybrid":   {encrypt(t, plain, member.Recipient(), vault.Recipient()), vault, researcher.Recipient(), researcher},
		"classic to classic": {encrypt(t, plain, old.Recipient(), oldClassic.Recipient()), oldClassic, newClassic.Recipient(), newClassic},
		"classic to hybrid":  {encrypt(t, plain, oldClassic.Recipient()), oldClassic, researcher.Recipient(), researcher},
	}
	for name, c := range cases {
		hdr, payload := split(t, c.file)
		grant, err := Rewrap(hdr, c.id, c.to)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := decrypt(t, append(grant, payload...), c.open); !bytes.Equal(got, plain) {
			t.Errorf("%s: the plaintext changed", name)
		}
		if _, err := Inspect(grant); err != nil {
			t.Errorf("%s: our own gate refuses it: %v", name, err)
		}
		if _, err := FileKey(grant, c.id); !errors.Is(err, ErrUnopened) {
			t.Errorf("%s: the old identity still opens the new header: %v", name, err)
		}
	}
}

func TestHeadersHaveTheSizeForetold(t *testing.T) {
	for kind, to := range map[string]age.Recipient{KindX25519: classic(t).Recipient(), KindHybrid: hybrid(t).Recipient()} {
		hdr, err := Build(bytes.Repeat([]byte{7}, 16), to)
		if err != nil {
			t.Fatal(err)
		}
		if int64(len(hdr)) != Size(kind) {
			t.Errorf("%s: %d bytes, Size says %d", kind, len(hdr), Size(kind))
		}
	}
	if Size("ssh-ed25519") != 0 {
		t.Error("a size for a kind that is not accepted")
	}
}

func TestBuildRefusesMixesAndOddKeys(t *testing.T) {
	key := make([]byte, 16)
	if _, err := Build(key, hybrid(t).Recipient(), classic(t).Recipient()); !errors.Is(err, ErrMixed) {
		t.Errorf("mixed recipients: %v", err)
	}
	if _, err := Build(key); err == nil {
		t.Error("no recipient was accepted")
	}
	for _, n := range []int{0, 15, 17, 32} {
		if _, err := Build(make([]byte, n), classic(t).Recipient()); err == nil {
			t.Errorf("a file key of %d bytes was accepted", n)
		}
	}
}

func TestEveryBitFlipOfAHeaderIsRefused(t *testing.T) {
	c, h := classic(t), hybrid(t)
	for name, v := range map[string]struct {
		to age.Recipient
		id age.Identity
	}{"classic": {c.Recipient(), c}, "hybrid": {h.Recipient(), h}} {
		hdr, _ := split(t, encrypt(t, []byte("secret"), v.to))
		tries := 0
		for i := range hdr {
			for bit := range 8 {
				bad := bytes.Clone(hdr)
				bad[i] ^= 1 << bit
				if _, err := FileKey(bad, v.id); err == nil {
					t.Fatalf("%s: byte %d bit %d flipped and accepted", name, i, bit)
				}
				tries++
			}
		}
		if tries != 8*len(hdr) {
			t.Fatalf("%s: only %d flips tried", name, tries)
		}
	}
}

func TestARecipientIsReadStrictly(t *testing.T) {
	c, h := classic(t).Recipient().String(), hybrid(t).Recipient().String()
	for s, want := range map[string]string{c: KindX25519, h: KindHybrid} {
		r, kind, err := ParseRecipient(s)
		if err != nil || kind != want || fmt.Sprint(r) != s {
			t.Errorf("%s recipient: %q, %v", want, kind, err)
		}
	}
	bad := []string{
		"", "age1", "age1pq1", c + " ", " " + c, strings.ToUpper(c), c[:len(c)-1], c + "q", h[:len(h)-1],
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ", "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t",
		classic(t).String(), hybrid(t).String(), strings.Repeat("a", 1<<20),
		// the point of order one: no file key can be wrapped to it
		"age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq",
	}
	for i, s := range bad {
		if _, _, err := ParseRecipient(s); !errors.Is(err, ErrRecipient) {
			t.Errorf("bad recipient %d was answered with %v", i, err)
		}
	}
}

func TestOnlyTheHolderAnswersAChallenge(t *testing.T) {
	holder := hybrid(t)
	nonce, challenge, err := Challenge(holder.Recipient().String())
	if err != nil {
		t.Fatal(err)
	}
	r, err := age.Decrypt(armor.NewReader(strings.NewReader(challenge)), holder)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || string(got) != nonce {
		t.Errorf("the holder reads %d bytes, %v", len(got), err)
	}
	if _, err := age.Decrypt(armor.NewReader(strings.NewReader(challenge)), hybrid(t)); err == nil {
		t.Error("a stranger opened the challenge")
	}
	if again, _, _ := Challenge(holder.Recipient().String()); again == nonce {
		t.Error("two challenges share a nonce")
	}
	if _, _, err := Challenge("age1nobody"); !errors.Is(err, ErrRecipient) {
		t.Errorf("a malformed recipient: %v", err)
	}
}

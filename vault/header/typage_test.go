package header

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"filippo.io/age"

	"distributed.ai/datacoop/internal/testkit"
)

// typage is the TypeScript implementation of age, which browsers use.
type typage struct {
	t    *testing.T
	node string
}

const typageFolder = "../../web/islands"

func findTypage(t *testing.T) typage {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is missing: apt-get install nodejs")
	}
	if _, err := os.Stat(typageFolder + "/node_modules/age-encryption"); err != nil {
		t.Skip("age-encryption is missing: npm ci in web/islands")
	}
	return typage{t, node}
}

type typageOrder struct {
	Make *typageMake  `json:"make,omitempty"`
	Open []typageOpen `json:"open,omitempty"`
}

type typageMake struct {
	To   []string `json:"to"`
	Text string   `json:"text"`
}

type typageOpen struct {
	File     []byte `json:"file"`
	Identity string `json:"identity"`
}

type typageAnswer struct {
	Made   []byte             `json:"made"`
	Opened []string           `json:"opened"`
	Keys   map[string]keyPair `json:"keys"`
}

type keyPair struct{ Identity, Recipient string }

func (y typage) ask(o typageOrder) (a typageAnswer) {
	y.t.Helper()
	order, err := json.Marshal(o)
	if err != nil {
		y.t.Fatal(err)
	}
	run := exec.CommandContext(y.t.Context(), y.node, "judges/age.mjs")
	run.Dir, run.Stdin, run.Stderr = typageFolder, bytes.NewReader(order), y.t.Output()
	out, err := run.Output()
	if err != nil || json.Unmarshal(out, &a) != nil {
		y.t.Fatalf("%v: %s", err, out)
	}
	return a
}

// TestTypageAndWeOpenEachOthersFiles: a browser encrypts to member and vault,
// we gate and re-wrap it for a researcher with Go, who opens it with Go and
// with typage; and a file made in Go reaches a researcher who has nothing but
// typage. Either kind of recipient.
func TestTypageAndWeOpenEachOthersFiles(t *testing.T) {
	y := findTypage(t)
	theirs := y.ask(typageOrder{}).Keys
	text := strings.Repeat("2016-04-12,13162,8.5\n", 10_000) // four chunks
	for kind, c := range map[string]struct {
		member, vault, researcher age.Identity
		to                        []age.Recipient // member, vault, researcher
	}{
		KindX25519: classicParties(t),
		KindHybrid: hybridParties(t),
	} {
		made := y.ask(typageOrder{Make: &typageMake{To: []string{name(c.to[0]), name(c.to[1])}, Text: text}}).Made
		hdr, payload := split(t, made)
		info, err := Inspect(hdr)
		if err != nil || len(info.Stanzas) != 2 || info.PostQuantum != (kind == KindHybrid) {
			t.Fatalf("%s: our gate on typage's file: %+v, %v", kind, info, err)
		}
		if err := CheckLastChunk(hdr, c.vault, bytes.NewReader(payload), int64(len(payload))); err != nil {
			t.Errorf("%s: typage's last chunk: %v", kind, err)
		}
		if got := decrypt(t, made, c.member); string(got) != text {
			t.Errorf("%s: the member reads something else in Go", kind)
		}
		toTypage, _, err := ParseRecipient(theirs[kind].Recipient)
		if err != nil {
			t.Fatalf("%s: typage's recipient: %v", kind, err)
		}
		goes := join(must(t, hdr, c.vault, c.to[2]), payload)
		if got := decrypt(t, goes, c.researcher); string(got) != text {
			t.Errorf("%s: the researcher reads something else in Go", kind)
		}
		ours := encrypt(t, []byte(text), c.to[0], c.to[1])
		ourHdr, ourPayload := split(t, ours)
		damaged := join(must(t, ourHdr, c.vault, toTypage), ourPayload)
		damaged[len(damaged)-70_000] ^= 1
		opened := y.ask(typageOrder{Open: []typageOpen{
			{join(must(t, hdr, c.vault, toTypage), payload), theirs[kind].Identity},
			{join(must(t, ourHdr, c.vault, toTypage), ourPayload), theirs[kind].Identity},
			{damaged, theirs[kind].Identity},
			{goes, theirs[kind].Identity},
		}}).Opened
		for i, what := range []string{"typage's own, re-wrapped", "ours, re-wrapped"} {
			if opened[i] != text {
				t.Errorf("%s: typage on %s: %.80s", kind, what, opened[i])
			}
		}
		for i, what := range []string{"a damaged file", "another's file"} {
			if !strings.HasPrefix(opened[2+i], "refused: ") {
				t.Errorf("%s: typage opens %s", kind, what)
			}
		}
	}
}

type parties = struct {
	member, vault, researcher age.Identity
	to                        []age.Recipient
}

func classicParties(t *testing.T) parties {
	m, v, r := classic(t), classic(t), classic(t)
	return parties{m, v, r, []age.Recipient{m.Recipient(), v.Recipient(), r.Recipient()}}
}

func hybridParties(t *testing.T) parties {
	m, v, r := hybrid(t), hybrid(t), hybrid(t)
	return parties{m, v, r, []age.Recipient{m.Recipient(), v.Recipient(), r.Recipient()}}
}

func name(r age.Recipient) string { return r.(interface{ String() string }).String() }

func must(t *testing.T, hdr []byte, id age.Identity, to age.Recipient) []byte {
	t.Helper()
	grant, err := Rewrap(hdr, id, to)
	if err != nil {
		t.Fatal(err)
	}
	return grant
}

// TestStockAgeCommandsOpenARewrappedFile: the age command of the distribution
// and the current one, which knows post-quantum recipients.
func TestStockAgeCommandsOpenARewrappedFile(t *testing.T) {
	text := bytes.Repeat([]byte("2016-04-12,13162,8.5\n"), 10_000)
	commands := map[string]string{"of the distribution": lookPath("age"), "current": testkit.CurrentAge(t)}
	ran := 0
	for which, command := range commands {
		for kind, c := range map[string]parties{KindX25519: classicParties(t), KindHybrid: hybridParties(t)} {
			if command == "" || kind == KindHybrid && which != "current" {
				t.Logf("age %s: not tried with %s", which, kind)
				continue
			}
			hdr, payload := split(t, encrypt(t, text, c.to[0], c.to[1]))
			key := t.TempDir() + "/key"
			if err := os.WriteFile(key, []byte(c.researcher.(interface{ String() string }).String()+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			run := exec.CommandContext(t.Context(), command, "-d", "-i", key)
			run.Stdin = io.MultiReader(bytes.NewReader(must(t, hdr, c.vault, c.to[2])), bytes.NewReader(payload))
			out, err := run.Output()
			if err != nil || !bytes.Equal(out, text) {
				t.Errorf("age %s, %s: %d bytes, %v", which, kind, len(out), err)
			}
			ran++
		}
	}
	if ran == 0 {
		t.Skip("there is no age command, and it could not be built")
	}
}

func lookPath(command string) string {
	path, _ := exec.LookPath(command)
	return path
}

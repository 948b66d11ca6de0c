package ledger

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
)

var update = flag.Bool("update", false, "write golden documents anew")

func journal(t testing.TB, b books) string {
	t.Helper()
	var out bytes.Buffer
	if err := b.Journal(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func aJournal(t testing.TB) string {
	t.Helper()
	b := open(t, "EUR")
	period(t, b)
	return journal(t, b)
}

func TestTheJournalIsReadBackOffline(t *testing.T) {
	b := open(t, "EUR")
	period(t, b)
	text := journal(t, b)
	got, err := VerifyJournal(strings.NewReader(text))
	if err != nil || got.Entries != 5 || got.Currency != "EUR" || len(got.Head) != 64 || !strings.Contains(text, got.Head) {
		t.Fatalf("%+v, %v", got, err)
	}
	list, err := b.Balances(t.Context(), "")
	if err != nil || len(list) != len(got.Balances) {
		t.Errorf("%d and %d balances, %v", len(list), len(got.Balances), err)
	}
	for _, kept := range list {
		if got.Balances[kept.Account] != kept.Amount {
			t.Errorf("%s: %d in the journal, %d in the books", kept.Account, got.Balances[kept.Account], kept.Amount)
		}
	}
	if _, err := VerifyJournal(iotest.OneByteReader(strings.NewReader(text))); err != nil {
		t.Errorf("dripping in: %v", err)
	}
}

func TestGoldenJournal(t *testing.T) {
	path := filepath.Join("testdata", "period.journal")
	got := aJournal(t)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || got != string(want) {
		t.Errorf("the journal's format changed, and with it every digest (%v):\n%s", err, got)
	}
}

// TestHledgerAccepts lets an independent accountant look at the journal, in
// currencies with 2, 0 and 3 decimals and without any entry.
func TestHledgerAccepts(t *testing.T) {
	hledger, err := exec.LookPath("hledger")
	if err != nil {
		t.Skip("hledger is not installed: the journal is checked by VerifyJournal alone")
	}
	for _, currency := range []coop.Currency{"EUR", "JPY", "KWD", ""} {
		b := open(t, max(currency, "EUR"))
		if currency != "" {
			period(t, b)
			b.clock.Advance(400 * 24 * time.Hour)
			b.must(t, "donation", "a/b:c-d_e.f", Transfer{Purpose, Bank, 1})
		}
		path := filepath.Join(t.TempDir(), "coop.journal")
		text := journal(t, b)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), hledger, "-f", path, "check", "--strict").CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", currency, err, out)
		}
		if currency != "EUR" {
			continue
		}
		out, err := exec.CommandContext(t.Context(), hledger, "-f", path, "balance", "--no-total", "--flat", "assets:bank", "liabilities").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "50.01 EUR  assets:bank") || !strings.Contains(string(out), "-26.50 EUR  "+string(member(2))) {
			t.Errorf("%v\n%s", err, out)
		}
		wrong := strings.Replace(text, "60.00 EUR", "60.01 EUR", 1)
		if err := os.WriteFile(path, []byte(wrong), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), hledger, "-f", path, "check", "--strict").CombinedOutput(); err == nil {
			t.Errorf("a cent too much was accepted: %s", out)
		}
	}
}

func TestJournalsInOtherCurrenciesAndWithoutEntries(t *testing.T) {
	for _, currency := range []coop.Currency{"JPY", "KWD"} {
		b := open(t, currency)
		period(t, b)
		if got, err := VerifyJournal(strings.NewReader(journal(t, b))); err != nil || got.Balances[Bank] != 50_00 {
			t.Errorf("%s: %+v, %v", currency, got, err)
		}
	}
	empty := journal(t, open(t, "EUR"))
	if got, err := VerifyJournal(strings.NewReader(empty)); err != nil || got.Entries != 0 {
		t.Errorf("%+v, %v:\n%s", got, err, empty)
	}
}

// TestEveryFlippedBitOfAJournalIsCaught and the line is named.
func TestEveryFlippedBitOfAJournalIsCaught(t *testing.T) {
	text := []byte(aJournal(t))
	for i := range text {
		for bit := range 8 {
			text[i] ^= 1 << bit
			_, err := VerifyJournal(bytes.NewReader(text))
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != ErrJournal.Code || len(f.Detail) != 1 || !strings.HasPrefix(f.Detail[0], "line ") {
				t.Fatalf("byte %d, bit %d: %v\n%s", i, bit, err, text)
			}
			text[i] ^= 1 << bit
		}
	}
}

func TestEveryCutOfAJournalIsCaught(t *testing.T) {
	text := aJournal(t)
	for i := range text {
		if _, err := VerifyJournal(strings.NewReader(text[:i])); !errors.Is(err, ErrJournal) {
			t.Fatalf("cut at %d: %v", i, err)
		}
		if _, err := VerifyJournal(strings.NewReader(text + text[:i+1])); !errors.Is(err, ErrJournal) {
			t.Fatalf("longer by %d: %v", i+1, err)
		}
	}
}

func TestJournalsThatAreNotOursAreRefused(t *testing.T) {
	text := aJournal(t)
	blocks := strings.Split(text, "\n\n")
	for name, other := range map[string]string{
		"nothing":                     "",
		"something else":              "2026-01-01 coffee\n  assets:bank  -1 EUR\n  expenses:coffee\n",
		"entries swapped":             strings.Join([]string{blocks[0], blocks[1], blocks[3], blocks[2], blocks[4], blocks[5], blocks[6], blocks[7]}, "\n\n"),
		"an entry left out":           strings.Join(append(append([]string{}, blocks[:6]...), blocks[7:]...), "\n\n"),
		"an entry twice":              strings.Replace(text, blocks[2], blocks[2]+"\n\n"+blocks[2], 1),
		"Windows line ends":           strings.ReplaceAll(text, "\n", "\r\n"),
		"an undeclared account":       strings.Replace(text, "account assets:bank\n", "", 1),
		"an unused account":           strings.Replace(text, "account equity:purpose\n", "account assets:receivable\naccount equity:purpose\n", 1),
		"an unused account, in order": strings.Replace(text, "account assets:bank\n", "account assets:bank\naccount assets:receivable\n", 1),
		"another currency":            strings.ReplaceAll(text, "EUR", "USD"),
		"an endless line":             strings.Repeat("x", 1<<20),
		"an endless memo":             strings.Replace(text, "of settlement", strings.Repeat("x", 1<<20), 1),
	} {
		if other == text {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, err := VerifyJournal(strings.NewReader(other)); !errors.Is(err, ErrJournal) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAReaderThatFailsIsNotAFaultOfTheJournal(t *testing.T) {
	broken := errors.New("the disk is on fire")
	text := aJournal(t)
	for _, n := range []int{0, 100, len(text)} {
		r := io.MultiReader(strings.NewReader(text[:n]), iotest.ErrReader(broken))
		if _, err := VerifyJournal(r); !errors.Is(err, broken) || errors.Is(err, ErrJournal) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
	if err := open(t, "EUR").Journal(t.Context(), failing{broken}); !errors.Is(err, broken) {
		t.Errorf("writing: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func FuzzVerifyJournal(f *testing.F) {
	f.Add([]byte(aJournal(f)))
	f.Add([]byte(firstLine + "\ndecimal-mark .\ncommodity 1.00 EUR\n\n\n; end: 0 entries, sha256: " + strings.Repeat("0", 64) + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := VerifyJournal(bytes.NewReader(text))
		if err != nil {
			if !errors.Is(err, ErrJournal) {
				t.Fatalf("neither accepted nor refused: %v", err)
			}
			return
		}
		sum := coop.Money(0)
		for a, v := range got.Balances {
			if _, ok := a.Member(); ok && v < 0 {
				t.Fatalf("%s is owed %d", a, v)
			}
			if a.debit() {
				v = -v
			}
			sum += v
		}
		if sum != 0 {
			t.Fatalf("accepted books off by %d", sum)
		}
	})
}

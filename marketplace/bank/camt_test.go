package bank

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/testkit"
)

// statement wraps entries into a document of one statement.
func statement(id string, entries ...string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>` +
		`<GrpHdr><MsgId>m</MsgId></GrpHdr><Stmt><Id>` + id + `</Id><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id></Acct>` +
		strings.Join(entries, "") + `</Stmt></BkToCstmrStmt></Document>`
}

// entry is a booked credit in EUR with whatever else is in it.
func entry(amount, rest string) string {
	return `<Ntry><Amt Ccy="EUR">` + amount + `</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>` + rest + `</Ntry>`
}

func structured(ref string) string {
	return `<NtryDtls><TxDtls><RmtInf><Strd><CdtrRefInf><Ref>` + ref + `</Ref></CdtrRefInf></Strd></RmtInf></TxDtls></NtryDtls>`
}

func unstructured(text string) string {
	return `<NtryDtls><TxDtls><RmtInf><Ustrd>` + text + `</Ustrd></RmtInf></TxDtls></NtryDtls>`
}

func parse(t *testing.T, doc string) []Entry {
	t.Helper()
	out, err := ParseCamt053(strings.NewReader(doc), "EUR")
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	return out
}

// refused wants a document to be refused for a reason.
func refused(t *testing.T, doc, why string) {
	t.Helper()
	out, err := ParseCamt053(strings.NewReader(doc), "EUR")
	var f *fault.Error
	if !errors.Is(err, ErrStatement) || !errors.As(err, &f) || !slices.Contains(f.Detail, why) || out != nil {
		t.Fatalf("got %v, %v; want %q", out, err, why)
	}
}

func TestFixturesAreReadToTheCentOrRefusedWithAReason(t *testing.T) {
	type want struct {
		currency coop.Currency
		amounts  []coop.Money // debits are negative
		why      string
	}
	wants := map[string][]want{
		"camt.053.001.02.xml":                   {{currency: "SEK", amounts: []coop.Money{10567850, -20000000, 3000000}}, {currency: "EUR", why: camtCurrency}},
		"golden/camt053_duplicate_same_day.xml": {{currency: "EUR", amounts: []coop.Money{-450, -450}}},
		"golden/camt053_garbled_amount.xml":     {{currency: "EUR", why: camtUnreadable}},
		"golden/camt053_multicurrency.xml":      {{currency: "EUR", why: camtCurrency}, {currency: "USD", why: camtCurrency}},
		"golden/camt053_no_namespace.xml":       {{currency: "GBP", amounts: []coop.Money{25000}}, {currency: "EUR", why: camtCurrency}},
		"invalid.xml":                           {{currency: "EUR", why: camtMalformed}},
		"pain.001.001.03.xml":                   {{currency: "EUR", why: camtMalformed}},
	}
	root := testkit.Fixture(t, "12-bank/camt-csv")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(root, path)
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if filepath.Ext(name) != ".xml" {
			wants[name] = []want{{currency: "EUR", why: camtMalformed}}
		}
		if len(wants[name]) == 0 {
			t.Errorf("nobody says what to expect of %s", name)
		}
		for _, w := range wants[name] {
			got, err := ParseCamt053(bytes.NewReader(body), w.currency)
			var f *fault.Error
			if w.why != "" && (!errors.As(err, &f) || f.Code != ErrStatement.Code || !slices.Equal(f.Detail, []string{w.why})) || w.why == "" && err != nil {
				t.Errorf("%s in %s: %v", name, w.currency, err)
			}
			if !slices.Equal(signed(got), w.amounts) {
				t.Errorf("%s in %s: %v, want %v", name, w.currency, signed(got), w.amounts)
			}
			unique(t, got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestEachCurrencyAddsUpAsPublished is F8 of the published answers: a statement
// in two currencies is refused as a whole, and each half of it comes to what
// somebody else computed from the file.
func TestEachCurrencyAddsUpAsPublished(t *testing.T) {
	var answers map[string]struct {
		Expected struct {
			Entries int                `json:"camt_entries"`
			Net     map[string]float64 `json:"camt_net_by_currency"`
		} `json:"expected"`
	}
	if err := json.Unmarshal(testkit.FixtureBytes(t, "answers.json"), &answers); err != nil {
		t.Fatal(err)
	}
	want := answers["F8_bank_flows"].Expected
	file := string(testkit.FixtureBytes(t, "12-bank/camt-csv/golden/camt053_multicurrency.xml"))
	statements, entries := regexp.MustCompile(`(?s)<Stmt>.*?</Stmt>`), 0
	for currency, net := range want.Net {
		refused(t, file, camtCurrency)
		half := statements.ReplaceAllStringFunc(file, func(one string) string {
			if strings.Contains(one, `Ccy="`+currency+`"`) {
				return one
			}
			return ""
		})
		got, err := ParseCamt053(strings.NewReader(half), coop.Currency(currency))
		if err != nil {
			t.Fatalf("%s: %v", currency, err)
		}
		sum := coop.Money(0)
		for _, amount := range signed(got) {
			sum += amount
		}
		if entries += len(got); math.Abs(float64(sum)/100-net) > 1e-9 {
			t.Errorf("%s: %d, not %v", currency, sum, net)
		}
	}
	if len(want.Net) != 2 || entries != want.Entries {
		t.Errorf("%d entries in %d currencies", entries, len(want.Net))
	}
}

func signed(entries []Entry) []coop.Money {
	var out []coop.Money
	for _, e := range entries {
		if !e.Credit {
			e.Amount = -e.Amount
		}
		out = append(out, e.Amount)
	}
	return out
}

func unique(t testing.TB, entries []Entry) {
	t.Helper()
	seen := map[string]bool{}
	for _, e := range entries {
		if e.Amount <= 0 || len(e.ID) != 64 || seen[e.ID] {
			t.Fatalf("entry %+v", e)
		}
		seen[e.ID] = true
	}
}

func TestWhatIsNotAStatementIsRefused(t *testing.T) {
	ok := statement("S", entry("1.00", ""))
	for doc, why := range map[string]string{
		"":                             camtMalformed,
		"Buchung;Betrag":               camtMalformed,
		"<Document/>":                  camtMalformed,
		ok + ok:                        camtMalformed, // the second would be overlooked
		ok + "trailing":                camtMalformed,
		ok[:len(ok)-8]:                 camtMalformed,
		strings.ToUpper(ok):            camtMalformed,
		statement("", entry("1", "")):  camtUnnamed,
		statement(" ", entry("1", "")): camtUnnamed,
		statement("S", strings.Replace(entry("1", ""), "CRDT", "crdt", 1)):            camtDirection,
		statement("S", strings.Replace(entry("1", ""), "EUR", "USD", 1)):              camtCurrency,
		statement("S", strings.Replace(entry("1", ""), ` Ccy="EUR"`, "", 1)):          camtCurrency,
		statement("S", entry("1,50", "")):                                             camtUnreadable,
		statement("S", entry("1.505", "")):                                            camtUnreadable,
		statement("S", entry("1e3", "")):                                              camtUnreadable,
		statement("S", entry("", "")):                                                 camtUnreadable,
		statement("S", entry("99999999999999999999", "")):                             camtUnreadable,
		statement("S", entry("1", "<RvslInd>maybe</RvslInd>")):                        camtMalformed,
		strings.Replace(ok, `"UTF-8"`, `"UTF-16"`, 1):                                 camtMalformed,
		`<!DOCTYPE x [<!ENTITY a "1.00">]>` + statement("S", entry("&a;", "")):        camtEntities,
		`<!DOCTYPE x SYSTEM "http://example.org/x.dtd">` + ok:                         camtEntities,
		statement("S", entry("&a;", "")):                                              camtMalformed,
		statement("S", entry("1", ""), strings.Replace(entry("2", ""), "EUR", "", 1)): camtCurrency,
		"<!--" + strings.Repeat("x", maxStatement) + "-->" + ok:                       camtTooLarge,
	} {
		refused(t, doc, why)
	}
	if _, err := ParseCamt053(strings.NewReader(statement("S", entry("1", ""), entry("-1.00", ""))), "EUR"); !errors.Is(err, ErrNegative) {
		t.Errorf("a negative amount: %v", err)
	}
}

func TestAmountsAreReadAsIsoWritesThem(t *testing.T) {
	for text, want := range map[string]coop.Money{"12": 1200, "12.5": 1250, "12.50000": 1250, "12.": 1200, " 0012.34 ": 1234} {
		if got := parse(t, statement("S", entry(text, ""))); got[0].Amount != want {
			t.Errorf("%q is %d", text, got[0].Amount)
		}
	}
}

func TestWhatIsNotBookedIsLeftOut(t *testing.T) {
	booked := entry("1", "")
	status := func(s string) string { return strings.Replace(booked, "<Cd>BOOK</Cd>", s, 1) }
	got := parse(t, statement("S", booked, status("<Cd>PDNG</Cd>"), status("<Cd>INFO</Cd>"), status("<Prtry>later</Prtry>"), status("PDNG"),
		status("BOOK"), entry("2", "<RvslInd>true</RvslInd>"), entry("0.00", ""), entry("3", "<RvslInd>false</RvslInd>")))
	if want := []coop.Money{100, 100, 300}; !slices.Equal(signed(got), want) {
		t.Errorf("got %v", signed(got))
	}
}

func TestTheReferenceIsFoundWhereverThePayerPutIt(t *testing.T) {
	ref := Reference(1001)
	spaced := ref[:4] + " " + ref[4:]
	for name, rest := range map[string]string{
		"structured":          structured(ref),
		"structured, printed": structured(strings.ToLower(spaced)),
		"prose":               unstructured("Invoice " + spaced + ", thanks"),
		"prose, then a date":  unstructured(ref + " 20260501"),
		"prose, over lines":   `<NtryDtls><TxDtls><RmtInf><Ustrd>Thanks</Ustrd><Ustrd>for ` + ref + `</Ustrd></RmtInf></TxDtls></NtryDtls>`,
		"end-to-end id":       `<NtryDtls><TxDtls><Refs><EndToEndId>` + ref + `</EndToEndId></Refs></TxDtls></NtryDtls>`,
	} {
		got := parse(t, statement("S", entry("1", rest)))
		if len(got) != 1 || !slices.Contains(got[0].References, ref) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for _, rest := range []string{"", unstructured("Invoice 1001"), unstructured("RF00 1001"), structured(strings.Repeat("9", 36))} {
		if got := parse(t, statement("S", entry("1", rest))); len(got[0].References) != 0 {
			t.Errorf("%s means %v", rest, got[0].References)
		}
	}
	long := parse(t, statement("S", entry("1", unstructured(strings.Repeat("ü", 200)))))[0]
	if long.Label() != strings.Repeat("ü", 140) {
		t.Errorf("the label is %q", long.Label())
	}
}

func TestASumOfPaymentsIsTakenApart(t *testing.T) {
	part := func(element, amount, ref string) string {
		return `<TxDtls>` + fmt.Sprintf(element, amount) + `<RmtInf><Strd><CdtrRefInf><Ref>` + ref + `</Ref></CdtrRefInf></Strd></RmtInf></TxDtls>`
	}
	const now, before = `<Amt Ccy="EUR">%s</Amt>`, `<AmtDtls><TxAmt><Amt Ccy="EUR">%s</Amt></TxAmt></AmtDtls>`
	for _, element := range []string{now, before} {
		got := parse(t, statement("S", entry("30", `<NtryDtls>`+part(element, "10", "RF1")+part(element, "20", "RF2")+`</NtryDtls>`)))
		if !slices.Equal(signed(got), []coop.Money{1000, 2000}) || got[0].References[0] != "RF1" || got[1].References[0] != "RF2" {
			t.Errorf("parts: %+v", got)
		}
		unique(t, got)
	}
	for name, details := range map[string]string{
		"they do not add up":    part(now, "10", "RF1") + part(now, "19", "RF2"),
		"one is too large":      part(now, "31", "RF1") + part(now, "20", "RF2"),
		"one says nothing":      part(now, "10", "RF1") + part("%.0s", "", "RF2"),
		"another currency":      part(now, "10", "RF1") + strings.Replace(part(now, "20", "RF2"), "EUR", "USD", 1),
		"the other direction":   part(now, "10", "RF1") + part("<CdtDbtInd>DBIT</CdtDbtInd>"+now, "20", "RF2"),
		"less than nothing":     part(now, "-10", "RF1") + part(now, "40", "RF2"),
		"larger than any money": part(now, "9223372036854775807", "RF1") + part(now, "20", "RF2"),
	} {
		got := parse(t, statement("S", entry("30", `<NtryDtls>`+details+`</NtryDtls>`)))
		if !slices.Equal(signed(got), []coop.Money{3000}) || len(got[0].References) != 0 || got[0].Label() == "" {
			t.Errorf("%s: nobody's whole is %+v", name, got)
		}
	}
	same := parse(t, statement("S", entry("30", `<NtryDtls>`+part("%.0s", "", "RF1")+part("%.0s", "", "RF1")+`</NtryDtls>`)))
	if len(same) != 1 || same[0].References[0] != "RF1" {
		t.Errorf("two payments for one invoice: %+v", same)
	}
}

func TestAnEntryKeepsItsIDInEveryStatement(t *testing.T) {
	named := entry("1", `<AcctSvcrRef>B-1</AcctSvcrRef>`+structured("RF1"))
	plain := entry("1", structured("RF1"))
	id := func(doc string, i int) string { return parse(t, doc)[i].ID }
	if id(statement("A", named), 0) != id(statement("B", plain, named), 1) {
		t.Error("an entry that the bank names changes its id with the statement")
	}
	if id(statement("A", plain), 0) != id(statement("A", plain), 0) { //nolint:staticcheck // two calls that must agree
		t.Error("the same statement read twice differs")
	}
	if id(statement("A", plain), 0) == id(statement("B", plain), 0) {
		t.Error("entries without a name in two statements are one")
	}
	for name, other := range map[string]string{
		"amount":    strings.Replace(named, ">1<", ">2<", 1),
		"reference": strings.Replace(named, "RF1", "RF2", 1),
		"direction": strings.Replace(named, "CRDT", "DBIT", 1),
		"date":      strings.Replace(named, "<AcctSvcrRef>", "<BookgDt><Dt>2026-05-02</Dt></BookgDt><AcctSvcrRef>", 1),
		"name":      strings.Replace(named, "B-1", "B-2", 1),
	} {
		if id(statement("A", named), 0) == id(statement("A", other), 0) {
			t.Errorf("two entries of different %s are one", name)
		}
	}
	unique(t, parse(t, statement("A", plain, plain, named, named, entry("1", `<AcctSvcrRef>NONREF</AcctSvcrRef>`), entry("1", `<AcctSvcrRef>NONREF</AcctSvcrRef>`))))
	if id(statement("A", entry("1", `<AcctSvcrRef>NONREF</AcctSvcrRef>`)), 0) == id(statement("B", entry("1", `<AcctSvcrRef>NONREF</AcctSvcrRef>`)), 0) {
		t.Error("NONREF is taken for a name")
	}
}

func TestDebitsSayWhatTheyWereOrderedAs(t *testing.T) {
	debit := strings.Replace(entry("9", `<NtryDtls><Btch><MsgId>m</MsgId><PmtInfId>b</PmtInfId></Btch><TxDtls><Refs><EndToEndId>e</EndToEndId></Refs></TxDtls></NtryDtls>`), "CRDT", "DBIT", 1)
	got := parse(t, statement("S", debit))
	if len(got) != 1 || got[0].Credit || !slices.Equal(got[0].Orders, []string{"b", "m", "e"}) {
		t.Errorf("got %+v", got)
	}
}

func TestAWrittenReferenceIsFoundInAnyProse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ref := Reference(rapid.Int64Range(1001, 1<<40).Draw(t, "number"))
		before := rapid.StringMatching(`[a-z ,.]{0,12}`).Draw(t, "before")
		after := rapid.StringMatching(`([ ,.][a-z0-9 ]{0,12})?`).Draw(t, "after")
		if found := written(before + ref + after); !slices.Contains(found, ref) {
			t.Fatalf("%q holds %v", before+ref+after, found)
		}
	})
}

func FuzzParseCamt053(f *testing.F) {
	f.Add([]byte(statement("S", entry("1.00", structured("RF1")), entry("2", unstructured("RF18 5390 0754 7034")))))
	f.Add([]byte(statement("S", entry("30", `<NtryDtls><TxDtls><Amt Ccy="EUR">10</Amt></TxDtls><TxDtls><Amt Ccy="EUR">20</Amt></TxDtls></NtryDtls>`))))
	f.Add([]byte(`<!DOCTYPE x [<!ENTITY a "b">]><Document/>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		entries, err := ParseCamt053(bytes.NewReader(body), "EUR")
		if err != nil {
			if fault.KindOf(err) != fault.Invalid || entries != nil {
				t.Fatalf("%v, %v", entries, err)
			}
			return
		}
		unique(t, entries)
		again, err := ParseCamt053(bytes.NewReader(body), "EUR")
		if err != nil || fmt.Sprint(again) != fmt.Sprint(entries) {
			t.Fatalf("read twice: %v, %v; %v", entries, again, err)
		}
	})
}

func TestMoneyThatComesBackSaysWhatItWasOrderedAs(t *testing.T) {
	returned := func(order, amount string) string {
		return `<TxDtls><Refs><EndToEndId>` + order + `</EndToEndId></Refs><Amt Ccy="EUR">` + amount + `</Amt><RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf></TxDtls>`
	}
	got := parse(t, statement("1", entry("3.00", `<NtryDtls>`+returned("P0001-000001", "1.00")+returned("P0001-000002", "2.00")+`</NtryDtls>`)))
	if len(got) != 2 || !slices.Contains(got[0].Orders, "P0001-000001") || !slices.Contains(got[1].Orders, "P0001-000002") || got[1].Amount != 200 {
		t.Errorf("returned together: %+v", got)
	}
	reversed := strings.Replace(entry("1.00", `<NtryDtls><TxDtls><Refs><EndToEndId>P0001-000001</EndToEndId></Refs></TxDtls></NtryDtls>`), "<Sts>", "<RvslInd>true</RvslInd><Sts>", 1)
	if got = parse(t, statement("1", reversed)); len(got) != 1 || !got[0].Reversal || !slices.Contains(got[0].Orders, "P0001-000001") {
		t.Errorf("a debit taken back: %+v", got)
	}
	if got = parse(t, statement("1", strings.Replace(reversed, "CRDT", "DBIT", 1))); len(got) != 0 {
		t.Errorf("a credit taken back: %+v", got)
	}
}

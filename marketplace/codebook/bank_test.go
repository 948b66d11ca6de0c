package codebook_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"distributed.ai/datacoop/marketplace/codebook"
)

func TestOFXFixtures(t *testing.T) {
	for rel, want := range map[string]string{
		"checking.ofx":                "1 2011-03-31 1 0.01 USD  \n1 2011-04-05 1 -34.51 USD  \n1 2011-04-07 1 -25 USD check",
		"bank_medium.ofx":             "1 2009-04-01 1 -6.6 CAD card \n1 2009-04-02 1 -316.67 CAD check \n1 2009-04-03 1 -22 CAD card",
		"anzcc.ofx":                   "1 2017-05-08 1 -5.5 AUD",
		"suncorp.ofx":                 "1 2013-12-15 1 -16.85 AUD",
		"ofx-v102-empty-tags.ofx":     "1 2018-05-07 1 12.34 AUD",
		"fail_nice/empty_balance.ofx": "1 2011-03-08 1 120 CAD other",
		"fidelity-savings.ofx": "1 2012-07-20 1 -1500 USD check \n1 2012-07-27 1 -197.122 USD cash \n" +
			"1 2012-07-27 2 -197.1063 USD transfer \n1 2012-07-27 3 115.8331 USD other",
	} {
		table, _ := reduce(t, "bank", fixture(t, "12-bank/ofx/"+rel))
		if got := cells(t, table, "account", "date", "entry", "amount", "currency", "kind"); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", rel, got, want)
		}
	}
}

func TestAmountIsInTheCurrencyOfTheMovement(t *testing.T) {
	table, _ := reduce(t, "bank", fixture(t, "12-bank/ofx/investment_medium.ofx"))
	for _, currency := range column(t, table, "currency") {
		if currency != "USD" {
			t.Errorf("currency %s: CURRENCY overrides CURDEF", currency)
		}
	}
	original := ofxFile("<STMTTRN><DTPOSTED>20260105<TRNAMT>-5,50<ORIGCURRENCY><CURRATE>1.1<CURSYM>USD</ORIGCURRENCY></STMTTRN>")
	table, _ = reduce(t, "bank", original)
	if got := cells(t, table, "amount", "currency"); got != "-5.5 EUR" {
		t.Errorf("%s: ORIGCURRENCY does not override CURDEF", got)
	}
}

func ofxFile(movements string) codebook.Input {
	return text("OFXHEADER:100\r\n\r\n<OFX><STMTRS><CURDEF>EUR<BANKACCTFROM><ACCTID>5108773321</BANKACCTFROM><BANKTRANLIST>" + movements + "</BANKTRANLIST></STMTRS></OFX>")
}

func TestTheOtherPartysAccountIsNotMine(t *testing.T) {
	one := "<STMTTRN><DTPOSTED>20260105<TRNAMT>-5.50<BANKACCTTO><ACCTID>99</BANKACCTTO></STMTTRN>"
	table, _ := reduce(t, "bank", ofxFile(one+strings.ReplaceAll(one, "05<", "06<")))
	if got := cells(t, table, "account"); got != "1 \n1" {
		t.Errorf("accounts %q", got)
	}
}

func TestBadMovementsAreRefused(t *testing.T) {
	good := "<STMTTRN><DTPOSTED>20260105<TRNAMT>-5.50</STMTTRN>"
	for name, body := range map[string]string{
		"grouped amount": strings.Replace(good, "-5.50", "1.234,56", 1),
		"no amount":      strings.Replace(good, "-5.50", "", 1),
		"infinite":       strings.Replace(good, "-5.50", "Inf", 1),
		"no such day":    strings.Replace(good, "20260105", "20260230", 1),
		"short date":     strings.Replace(good, "20260105", "2026010", 1),
		"no currency":    strings.Replace(good, "</STMTTRN>", "<CURRENCY><CURSYM>GOLD</CURRENCY></STMTTRN>", 1),
	} {
		if _, _, err := codebook.Reduce("bank", ofxFile(body)); !errors.Is(err, codebook.ErrBadValue) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, body := range map[string]string{
		"nested":   "<STMTTRN>" + good,
		"unopened": "</STMTTRN>",
		"unclosed": strings.TrimSuffix(good, "</STMTTRN>"),
	} {
		if _, _, err := codebook.Reduce("bank", ofxFile(body)); !errors.Is(err, codebook.ErrMalformedFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := codebook.Reduce("bank", text("OFXHEADER:100\n<OFX><CURDEF>EUR"+good)); !errors.Is(err, codebook.ErrMalformedFile) {
		t.Errorf("cut short: %v", err)
	}
}

func TestCamtFixtures(t *testing.T) {
	for rel, want := range map[string]string{
		"camt.053.001.02.xml":                   "1 2010-10-18 1 -200000 SEK other \n1 2010-10-18 2 30000 SEK other \n1 2010-10-18 3 105678.5 SEK other",
		"golden/camt053_multicurrency.xml":      "1 2026-04-20 1 -99.99 USD  \n2 2026-04-10 1 1250.5 EUR  \n2 2026-04-15 1 -500.25 EUR",
		"golden/camt053_no_namespace.xml":       "1 2026-04-12 1 250 GBP",
		"golden/camt053_duplicate_same_day.xml": "1 2026-04-07 1 -4.5 EUR  \n1 2026-04-07 2 -4.5 EUR",
	} {
		table, _ := reduce(t, "bank", fixture(t, "12-bank/camt-csv/"+rel))
		if got := cells(t, table, "account", "date", "entry", "amount", "currency", "kind"); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", rel, got, want)
		}
	}
}

func TestTwoCoffeesStayTwoAndOverlapsStayOne(t *testing.T) {
	twice := fixture(t, "12-bank/camt-csv/golden/camt053_duplicate_same_day.xml")
	table, _ := reduce(t, "bank", twice, twice)
	if len(table.Rows) != 2 {
		t.Errorf("%d rows of two coffees on two copies of a statement", len(table.Rows))
	}
}

func camtFile(entry string) codebook.Input {
	return text("<Document><BkToCstmrStmt><Stmt><Acct><Id><IBAN>NL02COOP0417164300</IBAN></Id></Acct>" + entry + "</Stmt></BkToCstmrStmt></Document>")
}

func camtEntry(sign, status, amount string) string {
	return fmt.Sprintf("<Ntry><Amt Ccy=\"EUR\">%s</Amt><CdtDbtInd>%s</CdtDbtInd><Sts>%s</Sts><BookgDt><Dt>2026-01-05</Dt></BookgDt></Ntry>", amount, sign, status)
}

func TestPendingEntriesAreNoMovements(t *testing.T) {
	table, _ := reduce(t, "bank", camtFile(camtEntry("CRDT", "BOOK", "5")+camtEntry("CRDT", "PDNG", "6")+camtEntry("DBIT", "<Cd>BOOK</Cd>", "7")+camtEntry("DBIT", "<Cd>INFO</Cd>", "8")))
	if got := cells(t, table, "amount"); got != "-7 \n5" {
		t.Errorf("%q", got)
	}
}

func TestBadEntriesAreRefused(t *testing.T) {
	for _, entry := range []string{
		camtEntry("CREDIT", "BOOK", "5"), camtEntry("CRDT", "BOOK", "-5"), camtEntry("DBIT", "BOOK", "-5"),
		camtEntry("CRDT", "BOOK", "5 EUR"), camtEntry("CRDT", "BOOK", ""),
		strings.Replace(camtEntry("CRDT", "BOOK", "5"), "2026-01-05", "2026-01-05Rosalind", 1),
		strings.Replace(camtEntry("CRDT", "BOOK", "5"), "EUR", "Rosalind", 1),
	} {
		if _, _, err := codebook.Reduce("bank", camtFile(entry)); !errors.Is(err, codebook.ErrBadValue) {
			t.Errorf("%s: %v", entry, err)
		}
	}
}

func TestBothStatementFormatsTellOfTheSameMoney(t *testing.T) {
	fromOFX, _ := reduce(t, "bank", export(t, "ofx", 9))
	fromCamt, _ := reduce(t, "bank", export(t, "camt.053", 9))
	names := []string{"date", "entry", "amount", "currency"}
	if cells(t, fromOFX, names...) != cells(t, fromCamt, names...) {
		t.Error("they differ")
	}
}

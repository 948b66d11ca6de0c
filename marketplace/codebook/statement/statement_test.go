package statement_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/codebook/calendar"
	"distributed.ai/datacoop/marketplace/codebook/statement"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

func collect(text string) (all []string, err error) {
	err = statement.CSV(strings.NewReader(text), func(m statement.Movement) error {
		all = append(all, strings.Join([]string{m.Account, m.Date, m.Amount, m.Currency}, "|"))
		return nil
	})
	return all, err
}

func TestStatementsOfManyLands(t *testing.T) {
	for in, want := range map[string]string{
		"Date,Description,Amount,Currency\n2026-03-20,Pay,2500.00,EUR\n":                                       "|20260320|2500.00|EUR",
		"Buchungstag;Zweck;Betrag;Währung;IBAN\n09.03.2026;\"Rosalind; Miete\";-1.234,56;EUR;NL02 COOP 0417\n": "NL02COOP0417|20260309|-1234.56|EUR",
		"Date opération;Libellé;Débit;Crédit;Devise\n31/12/2025;Café;4,50;;EUR\n":                              "|20251231|-4.50|EUR",
		"Transaction Date\tPaid in\tPaid out\tCcy\n12/31/2025\t\t-4.50\tusd\n":                                 "|20251231|-4.50|USD",
		"Date,Amount,Currency\n2026-03-20,\"1,234.5\",USD\n\n2026-03-21,+7,USD\n":                              "|20260320|1234.5|USD,|20260321|7|USD",
		"Datum;Bedrag;Muntsoort\n03/04/2026;1;EUR\n02/05/2026;1;EUR\n04/06/2026;1;EUR\n":                       "|20260403|1|EUR,|20260502|1|EUR,|20260604|1|EUR",
	} {
		if got, err := collect(in); err != nil || strings.Join(got, ",") != want {
			t.Errorf("%q: %q, want %q, %v", in, got, want, err)
		}
		if !statement.IsCSV([]byte(in)) {
			t.Errorf("%q is not recognised", in)
		}
	}
}

func TestMoneyAndDaysAreNeverGuessed(t *testing.T) {
	const header = "Date,Amount,Credit,Debit,Currency\n"
	for in, want := range map[string]error{
		header + "2026-03-20,12..34,,,EUR\n":                          stream.ErrBadValue,
		header + "2026-03-20,1.234,,,EUR\n":                           stream.ErrBadValue, // a thousand, or a little more than one
		header + "2026-03-20,$5,,,EUR\n":                              stream.ErrBadValue,
		header + "2026-03-20,,1,2,EUR\n":                              stream.ErrBadValue,
		header + "2026-03-20,,,,EUR\n":                                stream.ErrBadValue,
		header + "20 March,5,,,EUR\n":                                 stream.ErrBadValue,
		header + "31/31/2026,5,,,EUR\n":                               stream.ErrBadValue,
		header + "03/04/2026,5,,,EUR\n04/05/2026,5,,,EUR\n":           calendar.ErrAmbiguous,
		header + "2026-03-20,\"1" + strings.Repeat("x", 2<<20) + "\n": stream.ErrMalformedFile,
		"Dear grandmother\n":                                          stream.ErrMalformedFile,
		"":                                                            stream.ErrMalformedFile,
	} {
		if got, err := collect(in); !errors.Is(err, want) {
			t.Errorf("%.80q: %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"Id,ActivityDate,TotalSteps", "AccountId,StatementCreated,NetAmount", "Title,Date", "Date,Currency,Country", ""} {
		if statement.IsCSV([]byte(in)) {
			t.Errorf("%q is a statement", in)
		}
	}
}

func FuzzStatement(f *testing.F) {
	f.Add(byte(0), "Date;Amount;Currency;IBAN\n01.02.2026;-1.234,56;EUR;NL02\n")
	f.Add(byte(1), "OFXHEADER:100\n<OFX><CURDEF>EUR<STMTTRN><TRNAMT>1,5<DTPOSTED>20260101120000</STMTTRN></OFX>")
	f.Add(byte(2), "<Document><BkToCstmrStmt><Stmt><Ntry><Amt Ccy=\"EUR\">1</Amt><CdtDbtInd>DBIT</CdtDbtInd><BookgDt><Dt>2026-01-01</Dt></BookgDt></Ntry></Stmt></BkToCstmrStmt></Document>")
	f.Fuzz(func(t *testing.T, kind byte, text string) {
		read := []func(io.Reader, func(statement.Movement) error) error{statement.CSV, statement.OFX, statement.Camt}[kind%3]
		if err := read(strings.NewReader(text), func(statement.Movement) error { return nil }); err != nil && fault.KindOf(err) != fault.Invalid {
			t.Fatal(err)
		}
	})
}

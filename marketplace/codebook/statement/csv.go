package statement

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"

	"distributed.ai/datacoop/marketplace/codebook/calendar"
	"distributed.ai/datacoop/marketplace/codebook/decimal"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// Names of columns in the languages that banks of Europe and America use, in
// lower case. The first that a file has counts.
var (
	dateNames     = []string{"booking date", "date", "transaction date", "posting date", "buchungstag", "buchungsdatum", "buchung", "datum", "boekdatum", "date opération", "date operation", "date de l'opération", "date de comptabilisation", "fecha", "fecha operación", "fecha operacion", "data", "data operazione", "data contabile"}
	amountNames   = []string{"amount", "transaction amount", "betrag", "umsatz", "bedrag", "montant", "importe", "importo"}
	creditNames   = []string{"credit", "credit amount", "paid in", "money in", "haben", "gutschrift", "bij", "crédit", "abono", "haber", "accrediti", "entrate"}
	debitNames    = []string{"debit", "debit amount", "paid out", "money out", "soll", "lastschrift", "af", "débit", "cargo", "debe", "addebiti", "uscite"}
	currencyNames = []string{"currency", "ccy", "währung", "waehrung", "valuta", "muntsoort", "devise", "moneda", "divisa"}
	accountNames  = []string{"account", "account number", "iban", "konto", "kontonummer", "auftragskonto", "iban auftragskonto", "rekening", "compte", "cuenta", "conto"}
)

// layout says which column is what; -1 for none.
type layout struct {
	comma                                          rune
	date, amount, credit, debit, currency, account int
}

// read finds the layout in a header row; false where that is no statement's.
func read(line string) (l layout, ok bool) {
	for _, l.comma = range []rune{';', ',', '\t'} {
		in := csv.NewReader(strings.NewReader(line))
		in.Comma, in.LazyQuotes = l.comma, true
		row, err := in.Read()
		if err != nil || len(row) < 3 {
			continue
		}
		at := func(names []string) int {
			for _, name := range names {
				if i := slices.IndexFunc(row, func(cell string) bool { return strings.ToLower(strings.TrimSpace(cell)) == name }); i >= 0 {
					return i
				}
			}
			return -1
		}
		l.date, l.amount, l.credit, l.debit = at(dateNames), at(amountNames), at(creditNames), at(debitNames)
		l.currency, l.account = at(currencyNames), at(accountNames)
		if l.date >= 0 && (l.amount >= 0 || l.credit >= 0 && l.debit >= 0) {
			return l, true
		}
	}
	return layout{}, false
}

// IsCSV reports whether a text begins with a header row that has a day and an
// amount, or credit and debit.
func IsCSV(start []byte) bool {
	line, _, _ := bytes.Cut(start, []byte("\n"))
	_, ok := read(string(line))
	return ok
}

// CSV reads a file of online banking. Its days may be in any order of day and
// month as long as the file itself leaves no doubt; numbers may have a decimal
// comma. A file without a currency is refused.
func CSV(r io.Reader, found func(Movement) error) error {
	g := stream.NewGuard(r)
	buffered := bufio.NewReader(g)
	line, err := buffered.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return stream.Fault(err)
	}
	l, ok := read(line)
	if !ok {
		return stream.ErrMalformedFile
	}
	in := csv.NewReader(buffered)
	in.Comma, in.LazyQuotes, in.FieldsPerRecord = l.comma, true, -1
	var all []Movement
	var dates []calendar.Date
	for {
		g.Renew()
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var syntax *csv.ParseError
		if errors.As(err, &syntax) {
			return stream.ErrMalformedFile
		}
		if err != nil {
			return stream.Fault(err)
		}
		if strings.Join(row, "") == "" {
			continue
		}
		m, date, err := l.movement(row, len(all)+2)
		if err != nil {
			return err
		}
		all, dates = append(all, m), append(dates, date)
	}
	days, err := calendar.Resolve(dates, calendar.OneDirection)
	if err != nil {
		return err
	}
	for i, m := range all {
		m.Date = strings.ReplaceAll(days[i], "-", "")
		if err := found(m); err != nil {
			return err
		}
	}
	return nil
}

func (l layout) movement(row []string, line int) (m Movement, date calendar.Date, err error) {
	cell := func(i int) string {
		if i < 0 || i >= len(row) {
			return ""
		}
		return strings.TrimSpace(row[i])
	}
	day, _, _ := strings.Cut(cell(l.date), " ")
	day, _, _ = strings.Cut(day, "T")
	date, ok := calendar.Parse(day)
	if !ok {
		return m, date, stream.BadValue("Line", line, "day")
	}
	if m.Amount, ok = l.money(cell(l.amount), cell(l.credit), cell(l.debit)); !ok {
		return m, date, stream.BadValue("Line", line, "amount")
	}
	m.Account, m.Currency = strings.ReplaceAll(cell(l.account), " ", ""), strings.ToUpper(cell(l.currency))
	return m, date, nil
}

// money is the amount, or the credit, or less the debit, whichever there is.
func (l layout) money(amount, credit, debit string) (string, bool) {
	switch {
	case amount != "":
		return l.number(amount)
	case credit != "" && debit == "":
		return l.number(credit)
	case debit != "" && credit == "":
		text, ok := l.number(debit)
		if rest, negative := strings.CutPrefix(text, "-"); negative {
			return "-" + rest, ok
		}
		return "-" + text, ok
	case credit != "" && debit != "":
		in, ok := l.number(credit)
		out, ok2 := l.number(debit)
		a, ok3 := decimal.Parse(in)
		b, ok4 := decimal.Parse(out)
		return (a - b).Text(4), ok && ok2 && ok3 && ok4 && (a == 0 || b == 0)
	}
	return "", false
}

// grouped reports whether text is a number whose digits may stand in groups of
// three, divided by one sign, and which may have up to four decimals after
// another.
func grouped(text, divider, point string) bool {
	text = strings.TrimLeft(text[:min(len(text), 1)], "+-") + text[min(len(text), 1):]
	whole, decimals, pointed := strings.Cut(text, point)
	if pointed && (decimals == "" || len(decimals) > 4 || !decimal.Digits(decimals)) {
		return false
	}
	groups := strings.Split(whole, divider)
	for i, g := range groups {
		if g == "" || !decimal.Digits(g) || len(groups) > 1 && (len(g) > 3 || i > 0 && len(g) < 3) {
			return false
		}
	}
	return true
}

// number brings an amount to the form "-1234.56". One that groups its digits
// and has no decimals, such as "1.234", could be read in two ways and is not
// read at all.
func (l layout) number(text string) (string, bool) {
	text = strings.NewReplacer(" ", "", "\u00a0", "", "\u202f", "", "'", "", "−", "-").Replace(text)
	english, continental := grouped(text, ",", "."), grouped(text, ".", ",")
	text = strings.TrimPrefix(text, "+")
	switch {
	case english && decimal.Digits(strings.TrimPrefix(text, "-")):
		return text, true
	case english && continental:
		return "", false
	case english:
		return strings.ReplaceAll(text, ",", ""), true
	case continental:
		return strings.Replace(strings.ReplaceAll(text, ".", ""), ",", ".", 1), true
	}
	return "", false
}

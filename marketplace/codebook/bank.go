package codebook

import (
	"bytes"
	"cmp"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/decimal"
	"distributed.ai/datacoop/marketplace/codebook/statement"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// currencies are the ISO 4217 codes in use, and those withdrawn since 2009,
// which older statements carry.
var currencies = strings.Fields(`AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD
BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP
GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP
LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK
PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND
TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG BYR CUC EEK HRK LTL LVL MRO SLL STD VEF ZWL`)

var bankBook = Codebook{
	Pool:  "bank",
	Title: "Account movements",
	Row:   "one booked movement of one account",
	Columns: []Column{
		{Name: "account", Type: TypeInteger, Min: 1, Max: 1_000, Source: "numbered by the reducer; OFX: ACCTID, camt.053: Acct Id, CSV: the account, which are dropped",
			Description: "Number of the account within this export, from 1."},
		{Name: "date", Type: TypeDate, Source: "OFX: DTPOSTED; camt.053: BookgDt; CSV: the booking day",
			Description: "Booking day, as the bank writes it."},
		{Name: "entry", Type: TypeInteger, Min: 1, Max: 100_000, Source: "numbered by the reducer",
			Description: "Number within account and day. Two equal movements on one day are two rows; a movement that several overlapping statements repeat is one."},
		{Name: "amount", Type: TypeDecimal, Decimals: 4, Min: -1_000_000_000_000, Max: 1_000_000_000_000, Unit: "currency", Source: "OFX: TRNAMT; camt.053: Ntry Amt, negative where CdtDbtInd is DBIT; CSV: the amount, or credit and debit",
			Description: "Positive is money in, negative money out, in the currency of the row. Never add up different currencies."},
		{Name: "currency", Type: TypeCode, Codes: currencies, Source: "OFX: CURRENCY CURSYM, else CURDEF; camt.053: Amt Ccy; CSV: the currency",
			Description: "ISO 4217 code."},
		{Name: "kind", Type: TypeCode, Codes: []string{"card", "cash", "check", "direct-debit", "dividend", "fee", "interest", "other", "salary", "transfer"},
			Source:      "OFX: TRNTYPE; camt.053: BkTxCd Domn Fmly",
			Description: "Kind of movement as far as the bank tells; empty where it only says in or out."},
	},
	Also: "Payees and remarks are left out. Amounts and days of a joint account also tell about its other holder.",
}

var bankFormats = []format{
	{Format: Format{ID: "ofx", Title: "Bank statement (OFX, QFX)", File: "statement.ofx",
		How: "In your bank's online service: download movements as OFX or QFX (Quicken, Money)."},
		match: func(h head) bool {
			return h.root == "OFX" || bytes.HasPrefix(bytes.TrimSpace(h.start), []byte("OFXHEADER:"))
		}},
	{Format: Format{ID: "camt.053", Title: "Bank statement (camt.053)", File: "camt053.xml",
		How: "In your bank's online service: download statements as CAMT or ISO 20022."},
		match: func(h head) bool { return h.root == "Document" && h.contains("BkToCstmrStmt") }},
	{Format: Format{ID: "bank-csv", Title: "Bank statement (CSV)", File: "statement.csv",
		How: "In your bank's online service: download movements as CSV. It must have columns for the day, the amount and the currency."},
		match: func(h head) bool { return statement.IsCSV(h.start) }},
}

var bankReaders = map[string]func(io.Reader, func(statement.Movement) error) error{
	"ofx": statement.OFX, "camt.053": statement.Camt, "bank-csv": statement.CSV,
}

func bankPool() pool {
	return pool{book: bankBook, formats: bankFormats, reducer: func() reducer {
		return &bank{counts: map[movement]int{}}
	}}
}

// movement is a booked amount; account is the bank's own number.
type movement struct {
	account, date  string
	amount         decimal.Number
	currency, kind string
}

// bank counts equal movements. Across files the larger count stands: two equal
// coffees on one statement are two, the same coffee on two overlapping
// statements is one.
type bank struct {
	counts map[movement]int
	total  int
}

func (b *bank) read(formatID string, r io.Reader) error {
	here := map[movement]int{}
	err := bankReaders[formatID](r, func(m statement.Movement) error {
		b.total++
		checked, err := booked(m, b.total)
		here[checked]++
		return err
	})
	if err != nil {
		return err
	}
	if b.total > maxRows {
		return ErrTooLarge
	}
	for m, n := range here {
		b.counts[m] = max(b.counts[m], n)
	}
	return nil
}

func (b *bank) rows() (result, error) {
	var all []movement
	accounts := map[string]bool{}
	for m, n := range b.counts {
		accounts[m.account] = true
		all = append(all, slices.Repeat([]movement{m}, n)...)
	}
	numbers := slices.SortedFunc(maps.Keys(accounts), byNumber)
	slices.SortFunc(all, movement.compare)
	res, entry := result{persons: 1}, 0
	for i, m := range all {
		entry++
		if i == 0 || all[i-1].account != m.account || all[i-1].date != m.date {
			entry = 1
		}
		number, _ := slices.BinarySearchFunc(numbers, m.account, byNumber)
		res.rows = append(res.rows, []string{
			strconv.Itoa(number + 1), m.date, strconv.Itoa(entry), m.amount.Text(4), m.currency, m.kind,
		})
	}
	return res, nil
}

func (m movement) compare(n movement) int {
	return cmp.Or(byNumber(m.account, n.account), cmp.Compare(m.date, n.date), cmp.Compare(m.amount, n.amount),
		cmp.Compare(m.currency, n.currency), cmp.Compare(m.kind, n.kind))
}

// booked checks the parts of a movement. Money that does not parse is refused,
// never guessed; n counts the movements for the refusal.
func booked(m statement.Movement, n int) (movement, error) {
	amount, ok := decimal.Parse(m.Amount)
	if !ok || !bankBook.Columns[3].holds(amount) {
		return movement{}, stream.BadValue("Movement", n, "amount")
	}
	if !slices.Contains(currencies, m.Currency) {
		return movement{}, stream.BadValue("Movement", n, "currency")
	}
	day, err := time.Parse("20060102", m.Date)
	if err != nil || !plausible(day) {
		return movement{}, stream.BadValue("Movement", n, "date")
	}
	return movement{m.Account, day.Format(time.DateOnly), amount, m.Currency, m.Kind}, nil
}

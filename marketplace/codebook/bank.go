package codebook

import (
	"cmp"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/decimal"
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
		{Name: "account", Type: TypeInteger, Min: 1, Max: 1_000, Source: "numbered by the reducer; OFX: ACCTID, camt.053: Acct Id, which are dropped",
			Description: "Number of the account within this export, from 1."},
		{Name: "date", Type: TypeDate, Source: "OFX: DTPOSTED; camt.053: BookgDt",
			Description: "Booking day, as the bank writes it."},
		{Name: "entry", Type: TypeInteger, Min: 1, Max: 100_000, Source: "numbered by the reducer",
			Description: "Number within account and day. Two equal movements on one day are two rows; a movement that several overlapping statements repeat is one."},
		{Name: "amount", Type: TypeDecimal, Decimals: 4, Min: -1_000_000_000_000, Max: 1_000_000_000_000, Unit: "currency", Source: "OFX: TRNAMT; camt.053: Ntry Amt, negative where CdtDbtInd is DBIT",
			Description: "Positive is money in, negative money out, in the currency of the row. Never add up different currencies."},
		{Name: "currency", Type: TypeCode, Codes: currencies, Source: "OFX: CURRENCY CURSYM, else CURDEF; camt.053: Amt Ccy",
			Description: "ISO 4217 code."},
		{Name: "kind", Type: TypeCode, Codes: []string{"card", "cash", "check", "direct-debit", "dividend", "fee", "interest", "other", "salary", "transfer"},
			Source:      "OFX: TRNTYPE; camt.053: BkTxCd Domn Fmly",
			Description: "Kind of movement as far as the bank tells; empty where it only says in or out."},
	},
	Also: "Payees and remarks are left out. Amounts and days of a joint account also tell about its other holder.",
}

func bankPool() pool {
	return pool{book: bankBook, formats: []format{ofx, camt}, reducer: func() reducer {
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
	read := map[string]func(io.Reader, func(movement)) error{ofx.ID: readOFX, camt.ID: readCamt}[formatID]
	here := map[movement]int{}
	err := read(r, func(m movement) {
		here[m]++
		b.total++
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

// pending is a movement whose parts are still text.
type pending struct{ account, date, amount, currency, kind string }

// movement checks the parts. Money that does not parse is refused, never
// guessed; n counts the movements of the file for the refusal.
func (p pending) movement(n int) (movement, error) {
	amount, ok := decimal.Parse(p.amount)
	if !ok || !bankBook.Columns[3].holds(amount) {
		return movement{}, stream.BadValue("Movement", n, "amount")
	}
	if !slices.Contains(currencies, p.currency) {
		return movement{}, stream.BadValue("Movement", n, "currency")
	}
	day, err := time.Parse("20060102", p.date)
	if err != nil || !plausible(day) {
		return movement{}, stream.BadValue("Movement", n, "date")
	}
	return movement{p.account, day.Format(time.DateOnly), amount, p.currency, p.kind}, nil
}

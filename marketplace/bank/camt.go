package bank

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"distributed.ai/datacoop/internal/coop"
)

// maxStatement bounds a camt.053 upload, in bytes.
const maxStatement = 10 << 20

// Entry is money that a bank statement says has moved.
type Entry struct {
	ID         string     // hex SHA-256; the same whenever the bank tells of this entry, see identify
	Credit     bool       // money in
	Amount     coop.Money // more than nothing
	References []string   // creditor references the payer may have meant, best first
	Text       string     // what the payer wrote, for people
	Orders     []string   // what the money was ordered as: end-to-end, batch and message ids
	Reversal   bool       // a debit that the bank took back; it pays nothing
}

// Label shows a treasurer what the payer wrote.
func (e Entry) Label() string {
	if e.Text != "" {
		return e.Text
	}
	return strings.Join(e.References, " ")
}

type camtDocument struct {
	XMLName    xml.Name        `xml:"Document"`
	Statements []camtStatement `xml:"BkToCstmrStmt>Stmt"`
}

type camtStatement struct {
	ID      string      `xml:"Id"`
	IBAN    string      `xml:"Acct>Id>IBAN"`
	Account string      `xml:"Acct>Id>Othr>Id"`
	Entries []camtEntry `xml:"Ntry"`
}

type camtEntry struct {
	Amount    camtAmount   `xml:"Amt"`
	Direction string       `xml:"CdtDbtInd"`
	Reversal  bool         `xml:"RvslInd"`
	Status    camtStatus   `xml:"Sts"`
	BookedOn  string       `xml:"BookgDt>Dt"`
	BookedAt  string       `xml:"BookgDt>DtTm"`
	BankRef   string       `xml:"AcctSvcrRef"`
	EntryRef  string       `xml:"NtryRef"`
	Batches   []camtRefs   `xml:"NtryDtls>Btch"`
	Details   []camtDetail `xml:"NtryDtls>TxDtls"`
}

type camtAmount struct {
	Value    string `xml:",chardata"`
	Currency string `xml:"Ccy,attr"`
}

// camtStatus is a status as text (before version 8) or as an element.
type camtStatus struct {
	Text        string `xml:",chardata"`
	Code        string `xml:"Cd"`
	Proprietary string `xml:"Prtry"`
}

type camtRefs struct {
	Message  string `xml:"MsgId"`
	Batch    string `xml:"PmtInfId"`
	EndToEnd string `xml:"EndToEndId"`
}

// camtDetail is one of the payments that an entry sums up.
type camtDetail struct {
	Refs      camtRefs   `xml:"Refs"`
	Amount    camtAmount `xml:"Amt"`
	TxAmount  camtAmount `xml:"AmtDtls>TxAmt>Amt"` // before version 3
	Direction string     `xml:"CdtDbtInd"`
	Return    *struct{}  `xml:"RtrInf"` // why a payment of ours came back
	Creditor  []string   `xml:"RmtInf>Strd>CdtrRefInf>Ref"`
	Free      []string   `xml:"RmtInf>Ustrd"`
}

// Details of ErrStatement.
const (
	camtTooLarge   = "It is larger than 10 MiB."
	camtMalformed  = "It is not a well-formed camt.053 document."
	camtEntities   = "It declares a document type or entities, which ISO 20022 does not have."
	camtUnnamed    = "A statement in it has no id."
	camtDirection  = "An entry is neither a credit nor a debit."
	camtCurrency   = "An entry is in another currency than the co-op's."
	camtUnreadable = "An amount in it cannot be read."
)

// ParseCamt053 reads what has been booked from an ISO 20022 camt.053 document
// in currency. Any version of the namespace is taken. Entries that are pending,
// announced, reversals of credits or of nobody knows what, or of nothing are left out; an entry that sums several
// payments up is taken apart if the parts add up to it. Another currency, an
// amount below nothing (ErrNegative) or anything that is not such a
// document (ErrStatement with the reason) is refused as a whole.
func ParseCamt053(r io.Reader, currency coop.Currency) ([]Entry, error) {
	body, err := io.ReadAll(io.LimitReader(r, maxStatement+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("bank: read statement: %w", err)
	case len(body) > maxStatement:
		return nil, ErrStatement.With(camtTooLarge)
	case bytes.Contains(body, []byte("<!ENTITY")) || bytes.Contains(body, []byte("<!DOCTYPE")):
		return nil, ErrStatement.With(camtEntities)
	}
	var doc camtDocument
	dec := xml.NewDecoder(bytes.NewReader(body))
	if dec.Decode(&doc) != nil || !ended(dec) || len(doc.Statements) == 0 {
		return nil, ErrStatement.With(camtMalformed)
	}
	out := []Entry{}
	for _, st := range doc.Statements {
		entries, err := st.booked(currency)
		if err != nil {
			return nil, err
		}
		out = append(out, entries...)
	}
	return out, nil
}

// ended reports whether nothing follows the document but space and comments: a
// second document after the first would be money overlooked.
func ended(dec *xml.Decoder) bool {
	for {
		token, err := dec.Token()
		if err != nil {
			return errors.Is(err, io.EOF)
		}
		switch token := token.(type) {
		case xml.Comment, xml.ProcInst:
		case xml.CharData:
			if len(bytes.TrimSpace(token)) > 0 {
				return false
			}
		default:
			return false
		}
	}
}

func (st camtStatement) booked(currency coop.Currency) ([]Entry, error) {
	if strings.TrimSpace(st.ID) == "" {
		return nil, ErrStatement.With(camtUnnamed)
	}
	var out []Entry
	seen := map[string]int{}
	for _, n := range st.Entries {
		if !n.booked() {
			continue
		}
		parts, err := n.parts(currency)
		if err != nil {
			return nil, err
		}
		for _, e := range parts {
			e.ID = st.identify(n, e, seen)
			out = append(out, e)
		}
	}
	return out, nil
}

// anonymous is what banks write where they have no reference of their own.
var anonymous = []string{"", "NONREF", "NOTPROVIDED"}

// identify gives an entry its id. Where the bank names its entry, the account,
// that name, date, direction, amount and references tell, so that overlapping
// statements count it once. Where it does not, the statement's id takes the
// place of the name. Entries alike in all of this are counted off within their
// statement.
func (st camtStatement) identify(n camtEntry, e Entry, seen map[string]int) string {
	name := "entry " + strings.TrimSpace(n.BankRef)
	if slices.Contains(anonymous, strings.TrimSpace(n.BankRef)) {
		name = "statement " + strings.TrimSpace(st.ID) + " " + strings.TrimSpace(n.EntryRef)
	}
	key := fmt.Sprintf("%q", []any{st.IBAN, st.Account, name, n.BookedOn, n.BookedAt, fmt.Sprint(e.Credit, e.Amount), e.References, e.Text, e.Orders})
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", key, seen[key]))
	seen[key]++
	return hex.EncodeToString(sum[:])
}

func (n camtEntry) booked() bool {
	status := strings.TrimSpace(n.Status.Text + n.Status.Code + n.Status.Proprietary)
	return (!n.Reversal || n.Direction == "CRDT") && (status == "" || status == "BOOK")
}

// parts reads an entry, taken apart where it can be; nothing for nothing.
func (n camtEntry) parts(currency coop.Currency) ([]Entry, error) {
	if n.Amount.Currency != string(currency) {
		return nil, ErrStatement.With(camtCurrency)
	}
	amount, err := n.Amount.money(currency)
	switch {
	case err != nil:
		return nil, ErrStatement.With(camtUnreadable)
	case amount < 0:
		return nil, ErrNegative
	case n.Direction != "CRDT" && n.Direction != "DBIT":
		return nil, ErrStatement.With(camtDirection)
	case amount == 0 || n.Reversal && len(n.orders()) == 0:
		return nil, nil
	}
	whole := Entry{Credit: n.Direction == "CRDT", Amount: amount, Orders: n.orders(), Reversal: n.Reversal}
	if parts := n.split(whole, currency); parts != nil {
		return parts, nil
	}
	for _, d := range n.Details {
		whole.References = append(whole.References, d.references()...)
	}
	if len(n.Details) == 1 {
		whole.Text = n.Details[0].text()
	} else if distinct := slices.Compact(slices.Sorted(slices.Values(whole.References))); len(distinct) > 1 {
		whole.References, whole.Text = nil, clip(strings.Join(distinct, " ")) // nobody can say how much is for which
	}
	return []Entry{whole}, nil
}

// split takes a credit of several payments apart, if each says how much it is
// and they add up; nil otherwise.
func (n camtEntry) split(whole Entry, currency coop.Currency) []Entry {
	if !whole.Credit || len(n.Details) < 2 {
		return nil
	}
	left := whole.Amount
	var out []Entry
	for _, d := range n.Details {
		stated := d.Amount
		if stated.Value == "" {
			stated = d.TxAmount
		}
		amount, err := stated.money(currency)
		if err != nil || stated.Currency != string(currency) || amount <= 0 || amount > left || d.Direction != "" && d.Direction != n.Direction {
			return nil
		}
		left -= amount
		part := Entry{Credit: true, Amount: amount, References: d.references(), Text: d.text(), Reversal: n.Reversal}
		if d.Return != nil || n.Reversal {
			part.Orders = identifiers([]camtRefs{d.Refs})
		}
		out = append(out, part)
	}
	if left != 0 {
		return nil
	}
	return out
}

// money reads an ISO 20022 amount, which may have more decimals than its
// currency if they are zeros.
func (a camtAmount) money(currency coop.Currency) (coop.Money, error) {
	text := strings.TrimSpace(a.Value)
	if whole, decimals, ok := strings.Cut(text, "."); ok {
		text = whole
		if decimals = strings.TrimRight(decimals, "0"); decimals != "" {
			text += "." + decimals
		}
	}
	return coop.ParseMoney(text, currency)
}

func (n camtEntry) orders() []string {
	refs := slices.Clone(n.Batches)
	for _, d := range n.Details {
		refs = append(refs, d.Refs)
	}
	return identifiers(refs)
}

func identifiers(refs []camtRefs) []string {
	var out []string
	for _, r := range refs {
		for _, id := range []string{r.Batch, r.Message, r.EndToEnd} {
			if id = strings.TrimSpace(id); id != "" && !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return out
}

// maxReferences is how many references one payment is looked up by; more are
// nobody's.
const maxReferences = 50

// references prefers what the payer put where it belongs; then everything that
// is a creditor reference in what they wrote.
func (d camtDetail) references() []string {
	var out []string
	for _, t := range d.Creditor {
		if ref := compact(t); ref != "" && len(ref) <= 35 {
			out = append(out, ref)
		}
	}
	for _, t := range append(slices.Clone(d.Free), d.Refs.EndToEnd) {
		out = append(out, written(t)...)
	}
	return out[:min(len(out), maxReferences)]
}

var referencePattern = regexp.MustCompile(`RF[0-9]{3,23}`)

// written finds creditor references in prose, the longest reading first: digits
// that follow, such as a date, can look like a part of one.
func written(text string) []string {
	var out []string
	for _, m := range referencePattern.FindAllString(compact(text), -1) {
		for n := len(m); n >= 5; n-- {
			if ValidReference(m[:n]) {
				out = append(out, m[:n])
			}
		}
	}
	return out
}

func (d camtDetail) text() string {
	words := slices.Concat(d.Creditor, d.Free)
	return clip(strings.Join(strings.Fields(strings.Join(words, " ")), " "))
}

// clip cuts a text to the 140 characters that one line of remittance may have.
func clip(s string) string {
	r := []rune(s)
	return string(r[:min(len(r), 140)])
}

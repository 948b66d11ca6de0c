package statement

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"strings"

	"distributed.ai/datacoop/marketplace/codebook/decimal"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

var ofxKinds = map[string]string{
	"ATM": "cash", "CASH": "cash", "CHECK": "check", "DEP": "other", "DIRECTDEBIT": "direct-debit",
	"DIRECTDEP": "transfer", "DIV": "dividend", "FEE": "fee", "HOLD": "other", "INT": "interest", "OTHER": "other",
	"PAYMENT": "transfer", "POS": "card", "REPEATPMT": "direct-debit", "SRVCHG": "fee", "XFER": "transfer",
}

var ownAccounts = []string{"BANKACCTFROM", "CCACCTFROM", "INVACCTFROM", "LOANACCTFROM"}

type ofxFile struct {
	in      *bufio.Reader
	guard   *stream.Guard
	found   func(Movement) error
	account string // of the statement being read
	curdef  string
	inside  string // the account or currency aggregate that is open
	txn     *Movement
}

// OFX reads Open Financial Exchange, 1.x in SGML, where a leaf has no end tag,
// and 2.x in XML. Reading by tags serves both.
func OFX(r io.Reader, found func(Movement) error) error {
	g := stream.NewGuard(r)
	f := &ofxFile{in: bufio.NewReader(g), guard: g, found: found}
	closed := false
	for {
		tag, value, err := f.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return stream.Fault(err)
		}
		closed = closed || tag == "/OFX"
		if err := f.element(tag, value); err != nil {
			return err
		}
	}
	if !closed || f.txn != nil {
		return stream.ErrMalformedFile
	}
	return nil
}

// next reads a tag and the text up to the one that follows.
func (f *ofxFile) next() (tag, value string, err error) {
	if _, err := f.until('<'); err != nil {
		return "", "", err
	}
	tag, err = f.until('>')
	if errors.Is(err, io.EOF) {
		return "", "", stream.ErrMalformedFile
	}
	if err != nil || strings.HasPrefix(tag, "![CDATA[") {
		return "", "", err
	}
	value, err = f.until('<')
	if err == nil {
		err = f.in.UnreadByte()
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	f.guard.Renew()
	return strings.ToUpper(strings.TrimSpace(tag)), strings.TrimSpace(value), err
}

// until reads past the delimiter and returns what came before it.
func (f *ofxFile) until(delimiter byte) (string, error) {
	text, err := f.in.ReadString(delimiter)
	return strings.TrimSuffix(text, string(delimiter)), err
}

func (f *ofxFile) element(tag, value string) error {
	name, closing := strings.CutPrefix(tag, "/")
	switch {
	case name == "STMTTRN":
		return f.transaction(closing)
	case slices.Contains(ownAccounts, name), name == "CURRENCY", name == "ORIGCURRENCY":
		f.inside = name
		if closing {
			f.inside = ""
		}
	case closing:
	case name == "CURDEF":
		f.curdef = value
	case name == "ACCTID" && slices.Contains(ownAccounts, f.inside):
		f.account = value
	case f.txn != nil:
		f.detail(name, value)
	}
	return nil
}

func (f *ofxFile) transaction(closing bool) error {
	if !closing {
		if f.txn != nil {
			return stream.ErrMalformedFile
		}
		f.txn, f.inside = &Movement{Account: f.account, Currency: f.curdef}, ""
		return nil
	}
	if f.txn == nil {
		return stream.ErrMalformedFile
	}
	m := *f.txn
	f.txn = nil
	return f.found(m)
}

// detail keeps what the table needs. CURRENCY says that the amount is in
// another currency than the statement's; ORIGCURRENCY only where it came from.
func (f *ofxFile) detail(name, value string) {
	switch name {
	case "DTPOSTED":
		f.txn.Date = ofxDay(value)
	case "TRNAMT":
		f.txn.Amount = ofxAmount(value)
	case "TRNTYPE":
		f.txn.Kind = ofxKinds[strings.ToUpper(value)]
	case "CURSYM":
		if f.inside == "CURRENCY" {
			f.txn.Currency = value
		}
	}
}

// ofxDay is the day of "20110331120000.000[-5:EST]".
func ofxDay(value string) string {
	digits := value
	if i := strings.IndexAny(value, ".[:"); i >= 0 {
		digits = value[:i]
	}
	if !decimal.Digits(digits) || !slices.Contains([]int{8, 10, 12, 14}, len(digits)) {
		return ""
	}
	return digits[:8]
}

// ofxAmount accepts the decimal comma that OFX 3.2.9.1 allows.
func ofxAmount(value string) string {
	if strings.Count(value, ",") == 1 && !strings.Contains(value, ".") {
		return strings.Replace(value, ",", ".", 1)
	}
	return value
}

package statement

import (
	"encoding/xml"
	"io"
	"strings"

	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// camtKinds maps family and sub-family of the ISO 20022 bank transaction codes
// (external code set), the more telling one first.
var camtKinds = []struct{ code, kind string }{
	{"SALA", "salary"}, {"INTR", "interest"}, {"DVCA", "dividend"}, {"CHRG", "fee"}, {"COMM", "fee"}, {"FEES", "fee"},
	{"CCRD", "card"}, {"MCRD", "card"}, {"CNTR", "cash"}, {"RCHQ", "check"}, {"ICHQ", "check"},
	{"RDDT", "direct-debit"}, {"IDDT", "direct-debit"},
	{"RCDT", "transfer"}, {"ICDT", "transfer"}, {"RRCT", "transfer"}, {"IRCT", "transfer"},
}

type camtFile struct {
	x       *stream.XML
	account string
	txn     Movement
	sign    string
	status  string
	codes   []string
	n       int
	found   func(Movement) error
}

// Camt reads ISO 20022 camt.053, bank to customer statement, in any of its
// versions: the elements read here have kept their names, except that Sts has
// a Cd inside since version 8.
func Camt(r io.Reader, found func(Movement) error) error {
	f := &camtFile{x: stream.NewXML(r), found: found}
	f.x.Start = func(attrs []xml.Attr) error {
		switch {
		case f.x.At("BkToCstmrStmt", "Stmt"):
			f.account = ""
		case f.x.At("Stmt", "Ntry"):
			f.n++
			f.txn, f.sign, f.status, f.codes = Movement{Account: f.account}, "", "", nil
		case f.x.At("Stmt", "Ntry", "Amt"):
			f.txn.Currency = stream.Attr(attrs, "Ccy")
		}
		return nil
	}
	f.x.End = f.end
	return f.x.Walk()
}

func (f *camtFile) end(text string) error {
	x := f.x
	switch {
	case x.At("Stmt", "Acct", "Id", "IBAN"), x.At("Stmt", "Acct", "Id", "Othr", "Id"):
		f.account = text
	case x.At("Stmt", "Ntry", "Amt"):
		f.txn.Amount = text
	case x.At("Stmt", "Ntry", "CdtDbtInd"):
		f.sign = text
	case x.At("Stmt", "Ntry", "Sts"), x.At("Stmt", "Ntry", "Sts", "Cd"):
		f.status += text
	case x.At("Stmt", "Ntry", "BookgDt", "Dt"), x.At("Stmt", "Ntry", "BookgDt", "DtTm"):
		f.txn.Date = camtDay(text)
	case x.At("Ntry", "BkTxCd", "Domn", "Fmly", "Cd"), x.At("Ntry", "BkTxCd", "Domn", "Fmly", "SubFmlyCd"):
		f.codes = append(f.codes, text)
	case x.At("Stmt", "Ntry"):
		return f.entry()
	}
	return nil
}

// entry takes a booked entry; pending and informational ones are no movement.
func (f *camtFile) entry() error {
	if f.status != "BOOK" && f.status != "" {
		return nil
	}
	switch {
	case strings.HasPrefix(f.txn.Amount, "-"):
		return stream.BadValue("Movement", f.n, "amount")
	case f.sign == "DBIT":
		f.txn.Amount = "-" + f.txn.Amount
	case f.sign != "CRDT":
		return stream.BadValue("Movement", f.n, "CdtDbtInd")
	}
	f.txn.Kind = camtKind(f.codes)
	return f.found(f.txn)
}

func camtKind(codes []string) string {
	for _, k := range camtKinds {
		for _, code := range codes {
			if code == k.code {
				return k.kind
			}
		}
	}
	if len(codes) > 0 {
		return "other"
	}
	return ""
}

// camtDay is the day of "2010-10-18" or "2010-10-18T13:15:00+01:00" in the
// form that a Movement has.
func camtDay(text string) string {
	if len(text) < 10 || text[4] != '-' || text[7] != '-' || len(text) > 10 && !strings.ContainsAny(text[10:11], "T+-Z") {
		return ""
	}
	return text[:4] + text[5:7] + text[8:10]
}

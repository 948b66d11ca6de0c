package bank

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"slices"
	"time"

	"distributed.ai/datacoop/internal/coop"
)

// Order is a payment file to be: one batch of transfers from one account.
type Order struct {
	ID        string // of message and batch, at most 35 characters; a bank takes an id once
	Payer     string // name of the account's holder
	IBAN      string // of the payer, normalised
	Currency  coop.Currency
	Text      string // what the payees read, at most 140 characters
	Transfers []Transfer
	Created   time.Time
	Version   string // one of Versions; "" is the first
}

// Versions lists the versions of pain.001 that Pain001 writes, the one it prefers
// first. Banks that have not moved on take the other.
func Versions() []string { return []string{"pain.001.001.09", "pain.001.001.03"} }

// Transfer is one payment of an order.
type Transfer struct {
	EndToEnd string // at most 35 characters; comes back on the bank statement
	Payee    string
	IBAN     string // of the payee, normalised
	Amount   coop.Money
}

type painDocument struct {
	XMLName    xml.Name       // names the version
	Initiation painInitiation `xml:"CstmrCdtTrfInitn"`
}

type painInitiation struct {
	Header  painHeader  `xml:"GrpHdr"`
	Payment painPayment `xml:"PmtInf"`
}

type painHeader struct {
	MessageID string    `xml:"MsgId"`
	Created   string    `xml:"CreDtTm"`
	Count     int       `xml:"NbOfTxs"`
	Sum       string    `xml:"CtrlSum"`
	Initiator painParty `xml:"InitgPty"`
}

type painParty struct {
	Name string `xml:"Nm"`
}

type painPayment struct {
	ID        string         `xml:"PmtInfId"`
	Method    string         `xml:"PmtMtd"`
	Batch     bool           `xml:"BtchBookg"`
	Count     int            `xml:"NbOfTxs"`
	Sum       string         `xml:"CtrlSum"`
	Service   *painService   `xml:"PmtTpInf"`
	Execute   painDay        `xml:"ReqdExctnDt"`
	Debtor    painParty      `xml:"Dbtr"`
	Account   string         `xml:"DbtrAcct>Id>IBAN"`
	Agent     string         `xml:"DbtrAgt>FinInstnId>Othr>Id"`
	Bearer    string         `xml:"ChrgBr"`
	Transfers []painTransfer `xml:"CdtTrfTxInf"`
}

// painDay is a date as text (version 3) or in an element.
type painDay struct {
	Text string `xml:",chardata"`
	Day  string `xml:"Dt,omitempty"`
}

type painService struct {
	Level string `xml:"SvcLvl>Cd"`
}

type painTransfer struct {
	EndToEnd string     `xml:"PmtId>EndToEndId"`
	Amount   painAmount `xml:"Amt>InstdAmt"`
	Creditor painParty  `xml:"Cdtr"`
	Account  string     `xml:"CdtrAcct>Id>IBAN"`
	Text     string     `xml:"RmtInf>Ustrd"`
}

type painAmount struct {
	Currency string `xml:"Ccy,attr"`
	Value    string `xml:",chardata"`
}

// Pain001 writes an order as an ISO 20022 credit transfer of the order's version,
// to be uploaded in the bank's portal; in euros it is a SEPA credit transfer
// (EPC132-08). ErrVersion refuses any other version. It is executed on the day it was created, in UTC. Names are
// written by Latin.
func (o Order) Pain001() ([]byte, error) {
	var sum coop.Money
	transfers := make([]painTransfer, 0, len(o.Transfers))
	for _, t := range o.Transfers {
		sum += t.Amount
		transfers = append(transfers, painTransfer{EndToEnd: t.EndToEnd, Creditor: painParty{Latin(t.Payee)}, Account: t.IBAN,
			Amount: painAmount{string(o.Currency), t.Amount.Decimal(o.Currency)}, Text: o.Text})
	}
	total, payer, created := sum.Decimal(o.Currency), painParty{Latin(o.Payer)}, o.Created.UTC()
	payment := painPayment{ID: o.ID, Method: "TRF", Batch: true, Count: len(transfers), Sum: total,
		Execute: painDay{Day: created.Format(time.DateOnly)}, Debtor: payer, Account: o.IBAN,
		Agent: "NOTPROVIDED", Bearer: "SHAR", Transfers: transfers}
	if o.Currency == "EUR" {
		payment.Service, payment.Bearer = &painService{"SEPA"}, "SLEV"
	}
	version := cmp.Or(o.Version, Versions()[0])
	if !slices.Contains(Versions(), version) {
		return nil, ErrVersion
	}
	if version == Versions()[1] {
		payment.Execute = painDay{Text: payment.Execute.Day}
	}
	doc := painDocument{XMLName: xml.Name{Space: "urn:iso:std:iso:20022:tech:xsd:" + version, Local: "Document"}, Initiation: painInitiation{Payment: payment,
		Header: painHeader{o.ID, created.Format("2006-01-02T15:04:05Z"), len(transfers), total, payer}}}
	body, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("bank: pain.001: %w", err)
	}
	return append([]byte(xml.Header), append(body, '\n')...), nil
}

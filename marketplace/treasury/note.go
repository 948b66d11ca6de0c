package treasury

import (
	"context"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/desk"
	"distributed.ai/datacoop/marketplace/ledger"
)

// Why a researcher gets money back.
const (
	ReasonUndelivered = "undelivered" // paid, and not fetched before the request expired
	ReasonDispute     = "dispute"     // a steward upheld what the researcher said of a file
)

// Note is a credit note: what a researcher has to get back. Their next invoices
// are paid with it.
type Note struct {
	Number     int64
	Researcher coop.ResearcherID
	Request    coop.RequestID
	File       coop.FileID // of a dispute
	Reason     string
	Amount     coop.Money
	Used       coop.Money // by later invoices
	IssuedAt   int64
}

// Credit issues a credit note and reverses the entry it is about: the amount
// leaves the account it was booked to and is owed to the researcher. The ref
// names the cause, so that it is credited once.
func (t *Till) Credit(tx *db.Tx, n Note, out ledger.Account, ref string) (Note, error) {
	var err error
	if n.Number, err = nextNoteNumber(tx); err != nil {
		return Note{}, err
	}
	n.IssuedAt = t.desk.Now()
	if err := insertNote(tx, n); err != nil {
		return Note{}, err
	}
	return n, t.desk.Post(tx, "credit-note", ref, ledger.Transfer{From: ledger.Credit, To: out, Amount: n.Amount})
}

// Notes lists the researcher's credit notes, newest first.
func (t *Till) Notes(ctx context.Context, r coop.ResearcherID) ([]Note, error) {
	return desk.Read(ctx, t.desk.DB, func(tx *db.Tx) ([]Note, error) { return listNotes(tx, r) })
}

// useNotes pays an amount with a researcher's credit notes, oldest first, as far
// as they go.
func (t *Till) useNotes(tx *db.Tx, r coop.ResearcherID, amount coop.Money) (paid coop.Money, err error) {
	notes, err := openNotes(tx, r)
	if err != nil {
		return 0, err
	}
	for _, n := range notes {
		part := min(n.Amount-n.Used, amount-paid)
		if part == 0 {
			break
		}
		if err := useNote(tx, n.Number, part); err != nil {
			return 0, err
		}
		paid += part
	}
	return paid, nil
}

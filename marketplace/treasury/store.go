package treasury

import (
	"database/sql"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/bank"
	"distributed.ai/datacoop/marketplace/desk"
)

const sqlNextInvoiceNumber = `SELECT coalesce(max(number), 1000) + 1 FROM marketplace_invoices`

func nextInvoiceNumber(tx *db.Tx) (int64, error) {
	return desk.Number[int64](tx, "invoice number", sqlNextInvoiceNumber)
}

const invoiceColumns = `id, number, request, researcher, total, paid, reference, issued_at, due_at, settled_at`

const sqlInsertInvoice = `INSERT INTO marketplace_invoices (` + invoiceColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

func insertInvoice(tx *db.Tx, v Invoice) error {
	return desk.Failed("insert invoice", tx.ExecOne(sqlInsertInvoice, v.ID, v.Number, v.Request, v.Researcher, v.Total, v.Paid, v.Reference,
		v.IssuedAt, v.DueAt, v.SettledAt))
}

func scanInvoice(row desk.Row) (v Invoice, err error) {
	err = row.Scan(&v.ID, &v.Number, &v.Request, &v.Researcher, &v.Total, &v.Paid, &v.Reference,
		&v.IssuedAt, &v.DueAt, &v.SettledAt)
	return v, err
}

const (
	sqlGetInvoice         = `SELECT ` + invoiceColumns + ` FROM marketplace_invoices WHERE id = ?`
	sqlInvoiceByReference = `SELECT ` + invoiceColumns + ` FROM marketplace_invoices WHERE reference = ?`
	sqlListInvoices       = `SELECT ` + invoiceColumns + ` FROM marketplace_invoices WHERE researcher = ? ORDER BY id DESC`
)

func getInvoice(tx *db.Tx, id coop.InvoiceID) (Invoice, error) {
	v, err := scanInvoice(tx.QueryRow(sqlGetInvoice, id))
	return v, desk.Found(err, "invoice")
}

func invoiceByReference(tx *db.Tx, ref string) (Invoice, error) {
	v, err := scanInvoice(tx.QueryRow(sqlInvoiceByReference, ref))
	return v, desk.Found(err, "invoice by reference")
}

func listInvoices(tx *db.Tx, r coop.ResearcherID) ([]Invoice, error) {
	return desk.Collect(tx, "invoices", func(rows *sql.Rows) (Invoice, error) { return scanInvoice(rows) }, sqlListInvoices, r)
}

const (
	sqlAddPaid       = `UPDATE marketplace_invoices SET paid = paid + ? WHERE id = ?`
	sqlSettleInvoice = `UPDATE marketplace_invoices SET settled_at = ? WHERE id = ? AND settled_at = 0`
)

func addPaid(tx *db.Tx, id coop.InvoiceID, amount coop.Money) error {
	return desk.Failed("invoice paid", tx.ExecOne(sqlAddPaid, amount, id))
}

func settleInvoice(tx *db.Tx, id coop.InvoiceID, at int64) error {
	return desk.Failed("settle invoice", tx.ExecOne(sqlSettleInvoice, at, id))
}

const sqlInsertBankEntry = `INSERT INTO marketplace_bank_entries
	(id, amount, reference, invoice, imported_by, imported_at) VALUES (?, ?, ?, ?, ?, ?)
	ON CONFLICT (id) DO NOTHING`

// insertBankEntry notes money in and tells whether it is new.
func insertBankEntry(tx *db.Tx, e bank.Entry, inv coop.InvoiceID, by coop.MemberID, at int64) (fresh bool, err error) {
	n, err := tx.Exec(sqlInsertBankEntry, e.ID, e.Amount, e.Label(), inv, by, at)
	return n == 1, desk.Failed("insert bank entry", err)
}

const sqlUnassigned = `SELECT count(*) FROM marketplace_bank_entries WHERE id = ? AND invoice = ''`

// unassigned reports whether money in was meant for no invoice.
func unassigned(tx *db.Tx, id string) (bool, error) {
	n, err := desk.Number[int](tx, "unassigned entry", sqlUnassigned, id)
	return n > 0, err
}

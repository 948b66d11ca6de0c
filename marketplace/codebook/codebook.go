// Package codebook says what a pool's table is and how people's exports reduce
// to it. Researchers never receive an export: they receive the minimised table
// that is documented here, column by column, with unit and source.
//
// One reducer serves everybody. The command line runs it natively and the
// browser runs it compiled to WebAssembly, so the rules exist once and the raw
// file never leaves the member's machine. The package is therefore pure: no
// network, no clock, no files of its own, nothing but the standard library.
//
// # Which function do I call?
//
// [All] and [For] list the codebooks. [Recognise] tells what a file is by its
// content. [Gather] picks from a folder what belongs together. [Reduce] turns one or more files into a [Table] and a [Profile]:
// the table is what is encrypted and shared, the profile is what the co-op may
// know about it. [Table.WriteCSV] and [ParseCSV] are inverses. [Synthesise]
// invents exports in the real formats and [Sample] the table they reduce to.
//
// # What it guarantees
//
// A table holds only integers, decimals, dates, times and codes from constant
// lists or of public code systems, each within the bounds of its column. There
// is no text type, so a name, an address, an e-mail address, a device name, an
// account number or a remark has no cell it could sit in; the same check stands
// at the end of Reduce, at the door of WriteCSV and in ParseCSV. People inside
// one export are numbered from 1; their original ids are dropped. The same
// files give the same bytes, on every machine and in any order within a format.
//
// Files are read as streams: what is held grows with the rows of the result,
// not with the size of the export. Databases are held up to 64 MiB and read
// page by page beyond.
//
// # What it refuses
//
// Files it does not know, empty, packed and encrypted ones, XML with entity
// declarations, archives that unpack to far more than they weigh, values that
// do not parse where a wrong value would be worse than none. Refusals are
// faults of kind Invalid with a stable code; they name a line or a column of
// the format, never a value from the file.
package codebook

import "slices"

// Types a column can have. There is none for text.
const (
	TypeInteger = "integer" // canonical decimal digits, optionally a minus sign
	TypeDecimal = "decimal" // like integer, with at most Column.Decimals decimals and no trailing zeros
	TypeDate    = "date"    // YYYY-MM-DD
	TypeTime    = "time"    // YYYY-MM-DDThh:mm:ss, followed by Z where Column.Unit is "UTC"
	TypeCode    = "code"    // one of Column.Codes, or a code of Column.Scheme
)

// Column documents one column and bounds what may stand in it.
type Column struct {
	Name        string   `json:"name"`
	Type        string   `json:"type"`
	Unit        string   `json:"unit,omitempty"`
	Source      string   `json:"source"` // which field of which export it comes from
	Description string   `json:"description"`
	Decimals    int      `json:"decimals,omitempty"` // most decimals a decimal has
	Min         int64    `json:"min"`                // least whole number of an integer or decimal
	Max         int64    `json:"max"`                // greatest
	Codes       []string `json:"codes,omitempty"`    // every value a code can have
	Scheme      string   `json:"scheme,omitempty"`   // instead of Codes: "clinical" for a code of LOINC, SNOMED CT, RxNorm or CVX, "dbsnp" for a name of dbSNP
}

// Format is an export that people really have.
type Format struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	File  string `json:"file"` // what the provider calls the file
	How   string `json:"how"`  // how a member gets it
}

// Codebook documents the one table of a pool. Rows are sorted by the columns
// from left to right and no two are equal.
type Codebook struct {
	Pool    string   `json:"pool"`
	Title   string   `json:"title"`
	Row     string   `json:"row"` // what one row stands for
	Formats []Format `json:"formats"`
	Columns []Column `json:"columns"`
	Also    string   `json:"also,omitempty"` // a warning where the data describe other people too
}

// pool joins a codebook with the reducer that fills its table.
type pool struct {
	book    Codebook
	formats []format
	reducer func() reducer
	apart   bool // each file stands for itself: a damaged one in an archive is left out and told
}

// format recognises one Format; reading it is the reducer's part.
type format struct {
	Format
	match func(h head) bool
}

func pools() []pool {
	return []pool{wearablesPool(), activitiesPool(), energyPool(), bankPool(), glucosePool(), mediaPool(), clinicalPool(), genotypePool(), locationPool(), browsingPool()}
}

// All lists the codebook of every pool that has a reducer, in a fixed order.
func All() []Codebook {
	var out []Codebook
	for _, p := range pools() {
		out = append(out, p.documented())
	}
	return out
}

// For finds the codebook of a pool. It reports false for a pool without one.
func For(poolID string) (Codebook, bool) {
	p, ok := poolFor(poolID)
	if !ok {
		return Codebook{}, false
	}
	return p.documented(), true
}

func poolFor(id string) (pool, bool) {
	all := pools()
	i := slices.IndexFunc(all, func(p pool) bool { return p.book.Pool == id })
	if i < 0 {
		return pool{}, false
	}
	return all[i], true
}

func (p pool) documented() Codebook {
	book := p.book
	for _, f := range p.formats {
		book.Formats = append(book.Formats, f.Format)
	}
	return book
}

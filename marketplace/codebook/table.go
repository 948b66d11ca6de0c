package codebook

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// maxRows bounds one table; it is thirty years of five-minute readings.
const maxRows = 3_200_000

// Table is a pool's minimised table. Every row has one cell per column of the
// codebook; an empty cell means that the export does not say.
type Table struct {
	Codebook Codebook
	Rows     [][]string
}

// canonical sorts the rows by their columns from left to right and drops exact
// duplicates.
func (t *Table) canonical() {
	slices.SortFunc(t.Rows, t.compare)
	t.Rows = slices.CompactFunc(t.Rows, slices.Equal[[]string])
}

func (t *Table) compare(a, b []string) int {
	for i, c := range t.Codebook.Columns {
		if c.Type == TypeInteger {
			if order := cmp.Compare(len(a[i]), len(b[i])); order != 0 {
				return order
			}
		}
		if order := cmp.Compare(a[i], b[i]); order != 0 {
			return order
		}
	}
	return 0
}

// check is the structural promise: nothing but typed cells, within bounds.
func (t *Table) check() error {
	for n, row := range t.Rows {
		if len(row) != len(t.Codebook.Columns) {
			return ErrNotReduced.With(fmt.Sprintf("Row %d has another number of cells.", n+1))
		}
		for i, c := range t.Codebook.Columns {
			if !c.valid(row[i]) {
				return ErrNotReduced.With(fmt.Sprintf("Row %d, column %s.", n+1, c.Name))
			}
		}
	}
	return nil
}

// WriteCSV writes the table as RFC 4180 text in one canonical form: a header
// row, LF line ends, no quotes (no type needs any). A table with a cell that
// its column does not allow is refused before the first byte is written.
func (t Table) WriteCSV(w io.Writer) error {
	if err := t.check(); err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 64<<10)
	_, _ = out.WriteString(t.header())
	for _, row := range t.Rows {
		sep := byte('\n')
		for _, cell := range row {
			_ = out.WriteByte(sep)
			_, _ = out.WriteString(cell)
			sep = ','
		}
	}
	_ = out.WriteByte('\n')
	if err := out.Flush(); err != nil {
		return fmt.Errorf("codebook: write table: %w", err)
	}
	return nil
}

func (t Table) header() string {
	names := make([]string, len(t.Codebook.Columns))
	for i, c := range t.Codebook.Columns {
		names[i] = c.Name
	}
	return strings.Join(names, ",")
}

// ParseCSV reads what WriteCSV wrote for the pool and accepts nothing else:
// writing the result again gives the same bytes.
func ParseCSV(poolID string, r io.Reader) (Table, error) {
	p, ok := poolFor(poolID)
	if !ok {
		return Table{}, ErrUnknownPool
	}
	t := Table{Codebook: p.documented()}
	in := bufio.NewReader(r)
	if line, err := readLine(in); err != nil || line != t.header() {
		return Table{}, notReduced(err)
	}
	for {
		line, err := readLine(in)
		if errors.Is(err, io.EOF) && line == "" {
			break
		}
		if err != nil || len(t.Rows) == maxRows {
			return Table{}, notReduced(err)
		}
		t.Rows = append(t.Rows, strings.Split(line, ","))
	}
	if err := t.check(); err != nil {
		return Table{}, err
	}
	return t, t.checkOrder()
}

func (t *Table) checkOrder() error {
	for i := 1; i < len(t.Rows); i++ {
		if t.compare(t.Rows[i-1], t.Rows[i]) >= 0 {
			return ErrNotReduced.With(fmt.Sprintf("Row %d is out of order.", i+1))
		}
	}
	return nil
}

// readLine reads up to a line feed, which it requires, within the buffer.
func readLine(in *bufio.Reader) (string, error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return string(line), err
	}
	return string(line[:len(line)-1]), nil
}

func notReduced(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, bufio.ErrBufferFull) {
		return ErrNotReduced
	}
	return fmt.Errorf("codebook: read table: %w", err)
}

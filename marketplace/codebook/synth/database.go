package synth

import (
	"encoding/binary"
	"fmt"
)

// dbTable is a table of a database in the making. Row ids count from 1; a nil
// is NULL, also where a column stands for the row id.
type dbTable struct {
	name, columns string
	rows          [][]any // nil, int or string
}

const (
	dbPage     = 4096
	dbChildren = 200 // of an inner page, well below what fits
)

// database writes tables as an SQLite file: "Database File Format", sections
// 1.3, 1.6 and 2.1. Rows are short enough never to overflow a page.
func (m *maker) database(tables ...dbTable) {
	pages := [][]byte{nil} // the first page is the schema, which comes last
	schema := dbTable{}
	for _, t := range tables {
		root := t.write(&pages)
		schema.rows = append(schema.rows, []any{"table", t.name, t.name, root, fmt.Sprintf("CREATE TABLE %s (%s)", t.name, t.columns)})
	}
	pages[0] = schema.leaves(100)[0].page
	header := append([]byte("SQLite format 3\x00\x10\x00\x01\x01\x00\x40\x20\x20"), make([]byte, 76)...)
	for at, v := range map[int]int{24: 1, 28: len(pages), 40: 1, 44: 4, 56: 1, 92: 1, 96: 3_045_000} {
		binary.BigEndian.PutUint32(header[at:], uint32(v)) //nolint:gosec // small constants and a count
	}
	copy(pages[0], header)
	for _, page := range pages {
		m.Write(page)
	}
}

// node is a page of a tree with the greatest row id below it.
type node struct {
	page []byte
	last int
}

// write adds the pages of a table and answers the number of its root.
func (t dbTable) write(pages *[][]byte) (root int) {
	level := t.leaves(0)
	for {
		numbers := make([]int, len(level))
		for i, n := range level {
			*pages = append(*pages, n.page)
			numbers[i] = len(*pages)
		}
		if len(level) == 1 {
			return numbers[0]
		}
		level = above(level, numbers)
	}
}

// leaves puts the rows on as many pages as they need; the first page begins
// after an offset.
func (t dbTable) leaves(offset int) (out []node) {
	var cells [][]byte
	used := offset + 8
	for i, row := range t.rows {
		cell := dbCell(i+1, row)
		if used += len(cell) + 2; used > dbPage {
			out = append(out, node{dbLayout(0x0d, offset, cells, 0), i})
			cells, offset, used = nil, 0, 8+len(cell)+2
		}
		cells = append(cells, cell)
	}
	return append(out, node{dbLayout(0x0d, offset, cells, 0), len(t.rows)})
}

// above makes the level of inner pages over another.
func above(level []node, numbers []int) (out []node) {
	for from := 0; from < len(level); from += dbChildren {
		to := min(from+dbChildren, len(level))
		var cells [][]byte
		for i := from; i < to-1; i++ {
			cells = append(cells, dbVarint(dbUint32(nil, numbers[i]), level[i].last))
		}
		out = append(out, node{dbLayout(0x05, 0, cells, numbers[to-1]), level[to-1].last})
	}
	return out
}

// dbLayout lays a page out: header, pointers, and the cells from its end.
func dbLayout(kind byte, offset int, cells [][]byte, right int) []byte {
	page := make([]byte, dbPage)
	end, pointers := dbPage, offset+8
	if kind == 0x05 {
		copy(page[offset+8:], dbUint32(nil, right))
		pointers += 4
	}
	for i, cell := range cells {
		end -= len(cell)
		copy(page[end:], cell)
		binary.BigEndian.PutUint16(page[pointers+2*i:], uint16(end)) //nolint:gosec // within a page
	}
	page[offset] = kind
	binary.BigEndian.PutUint16(page[offset+3:], uint16(len(cells))) //nolint:gosec // within a page
	binary.BigEndian.PutUint16(page[offset+5:], uint16(end))
	return page
}

// dbCell is a row as it stands on a leaf.
func dbCell(rowID int, row []any) []byte {
	var types, values []byte
	for _, v := range row {
		switch v := v.(type) {
		case int:
			types = dbVarint(types, 6)
			values = binary.BigEndian.AppendUint64(values, uint64(v)) //nolint:gosec // two's complement
		case string:
			types = dbVarint(types, 13+2*len(v))
			values = append(values, v...)
		default:
			types = dbVarint(types, 0)
		}
	}
	record := append(append(dbVarint(nil, len(types)+1), types...), values...)
	return append(dbVarint(dbVarint(nil, len(record)), rowID), record...)
}

func dbUint32(to []byte, v int) []byte {
	return binary.BigEndian.AppendUint32(to, uint32(v)) //nolint:gosec // a count of pages
}

// dbVarint appends a number, seven bits a byte, the greatest first.
func dbVarint(to []byte, v int) []byte {
	var reversed []byte
	for ; v > 127; v >>= 7 {
		reversed = append(reversed, byte(v&127))
	}
	to = append(to, byte(v&127)|more(len(reversed) > 0))
	for i := len(reversed) - 1; i >= 0; i-- {
		to = append(to, reversed[i]|more(i > 0))
	}
	return to
}

func more(follows bool) byte {
	if follows {
		return 128
	}
	return 0
}

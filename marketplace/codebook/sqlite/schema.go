package sqlite

import (
	"strings"

	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// table is where a table begins and where its columns stand in a record.
type table struct {
	root    int64
	columns map[string]int
	rowID   int // the column that is the row id under another name, or -1
}

// readSchema reads the list of tables from the first page.
func (f *File) readSchema() error {
	f.tables = map[string]table{}
	count := 0
	w := &walk{file: f, left: f.pages, rowID: -1, places: []int{0, 1, 3, 4}, row: make([]Value, 4)}
	w.visit = func(row []Value) error {
		if count++; count > maxSchema {
			return stream.ErrMalformedFile
		}
		root, _ := row[2].Number()
		if row[0].Text() != "table" || root < 1 {
			return nil
		}
		if t, ok := declared(row[3].Text()); ok {
			t.root = root
			f.tables[row[1].Text()] = t
		}
		return nil
	}
	return w.page(1, 0)
}

// declared reads the names of the columns from the statement that made the
// table; false for a table without row ids and for what is no such statement.
func declared(sql string) (table, bool) {
	t := table{columns: map[string]int{}, rowID: -1}
	open := strings.IndexByte(sql, '(')
	if open < 0 || !strings.HasPrefix(strings.ToUpper(sql), "CREATE TABLE") {
		return table{}, false
	}
	definitions, after := divided(sql[open+1:])
	if strings.Contains(strings.ToUpper(after), "WITHOUT") {
		return table{}, false
	}
	for _, d := range definitions {
		name, kind := column(d)
		if name == "" {
			continue // a constraint of the table
		}
		if strings.HasPrefix(strings.Join(strings.Fields(strings.ToUpper(kind)), " "), "INTEGER PRIMARY KEY") && !strings.Contains(strings.ToUpper(kind), "KEY DESC") {
			t.rowID = len(t.columns)
		}
		t.columns[name] = len(t.columns)
	}
	return t, len(t.columns) > 0
}

// divided cuts a list at its commas, up to the bracket that closes it, and
// answers what comes after.
func divided(list string) (parts []string, after string) {
	depth, from, quote := 0, 0, byte(0)
	for i := range len(list) {
		c := list[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case c == '[':
			quote = ']'
		case c == '(':
			depth++
		case c == ')' && depth == 0:
			return append(parts, list[from:i]), list[i+1:]
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			parts, from = append(parts, list[from:i]), i+1
		}
	}
	return nil, ""
}

// column is the name that a definition begins with, and the rest; no name for
// a constraint of the table.
func column(definition string) (name, rest string) {
	definition = strings.TrimSpace(definition)
	if definition == "" {
		return "", ""
	}
	if i := strings.IndexByte("\"`['", definition[0]); i >= 0 {
		name, rest, _ = strings.Cut(definition[1:], "\"`]'"[i:i+1])
		return name, rest
	}
	name = definition
	if i := strings.IndexAny(definition, " \t\r\n("); i >= 0 {
		name, rest = definition[:i], definition[i:]
	}
	switch strings.ToUpper(name) {
	case "CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN":
		return "", ""
	}
	return name, rest
}

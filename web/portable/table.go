package portable

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
)

// each reads a list page by page.
func each(ctx context.Context, read Page, visit func(item any) error) error {
	for cursor := ""; ; {
		items, next, err := read(ctx, cursor)
		if err != nil {
			return err
		}
		for _, item := range items {
			if err := visit(item); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		cursor = next
	}
}

// writeJSON writes a list as one array, an item a line, and returns the columns
// that its items have as rows.
func writeJSON(ctx context.Context, w io.Writer, read Page) ([]string, error) {
	columns := map[string]bool{}
	before := "[\n"
	err := each(ctx, read, func(item any) error {
		text, err := json.Marshal(item)
		if err != nil {
			return err
		}
		row, err := flat(text)
		if err != nil {
			return err
		}
		for name := range row {
			columns[name] = true
		}
		_, err = io.WriteString(w, before+string(text))
		before = ",\n"
		return err
	})
	if err != nil {
		return nil, err
	}
	end := "\n]\n"
	if before == "[\n" {
		end = "[]\n"
	}
	_, err = io.WriteString(w, end)
	return ordered(columns), err
}

// ordered puts the id first and the rest by the alphabet.
func ordered(columns map[string]bool) []string {
	out := slices.Sorted(maps.Keys(columns))
	if i := slices.Index(out, "id"); i > 0 {
		out = append([]string{"id"}, slices.Delete(out, i, i+1)...)
	}
	return out
}

// writeCSV writes a list as RFC 4180 rows under the names of their columns.
func writeCSV(ctx context.Context, w io.Writer, read Page, columns []string) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if len(columns) > 0 {
		if err := out.Write(columns); err != nil {
			return err
		}
	}
	err := each(ctx, read, func(item any) error {
		text, err := json.Marshal(item)
		if err != nil {
			return err
		}
		row, err := flat(text)
		if err != nil {
			return err
		}
		cells := make([]string, len(columns))
		for i, name := range columns {
			cells[i] = row[name]
		}
		return out.Write(cells)
	})
	if err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

// flat makes a row of an item: the fields of objects within it become columns
// named by their path, lists stay JSON.
func flat(text []byte) (map[string]string, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var item any
	if err := d.Decode(&item); err != nil {
		return nil, err
	}
	row := map[string]string{}
	return row, spread(row, "", item)
}

func spread(row map[string]string, path string, v any) error {
	switch v := v.(type) {
	case map[string]any:
		for name, field := range v {
			if err := spread(row, strings.TrimPrefix(path+"."+name, "."), field); err != nil {
				return err
			}
		}
		return nil
	case nil:
		row[named(path)] = ""
	case string:
		row[named(path)] = inert(v)
	default: // numbers, truth and lists
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		row[named(path)] = string(text)
	}
	return nil
}

// named is a column's name; a list of plain values has one column.
func named(path string) string {
	if path == "" {
		return "value"
	}
	return path
}

// inert keeps a spreadsheet from taking text for a formula (OWASP, CSV
// injection). The JSON beside it has the text as it is.
func inert(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

package agreement

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Round is one round of people's judgements.
type Round struct {
	Name     string
	Items    []Item
	Official map[string]float64 // the round's own published score by the item's name; may be empty
}

// Limits of what is read.
const (
	maxFile = 64 << 20
	maxVote = 1e9
)

var (
	errNoRound = errors.New("agreement: no CSV file with the columns name and amount")
	errVotes   = errors.New("agreement: amount must be a list of finite numbers, such as [1, 4, 2]")
)

// ReadRounds reads the CSV files of a directory. A file with the columns
// name and amount is a round: amount lists an item's votes, as JSON or as
// Python writes it; id, and the texts contribution and impact, are taken where
// they are. Files with the columns "Project Name" and Score are the published
// results of the rounds. Other files are passed over.
func ReadRounds(dir fs.FS) ([]Round, error) {
	names, err := fs.Glob(dir, "*.csv")
	if err != nil {
		return nil, fmt.Errorf("agreement: %w", err)
	}
	slices.Sort(names)
	var rounds []Round
	official := map[string]float64{}
	for _, name := range names {
		table, err := readTable(dir, name)
		if err != nil {
			return nil, err
		}
		switch {
		case table.has("name", "amount"):
			items, err := table.items()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			rounds = append(rounds, Round{Name: strings.TrimSuffix(name, filepath.Ext(name)), Items: items, Official: official})
		case table.has("Project Name", "Score"):
			if err := table.scores(official); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	if len(rounds) == 0 {
		return nil, errNoRound
	}
	return rounds, nil
}

type table struct {
	columns map[string]int
	rows    [][]string
}

func readTable(dir fs.FS, name string) (table, error) {
	f, err := dir.Open(name)
	if err != nil {
		return table{}, fmt.Errorf("agreement: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	rows, err := csv.NewReader(io.LimitReader(f, maxFile)).ReadAll()
	if err != nil {
		return table{}, fmt.Errorf("agreement: %s: %w", name, err)
	}
	t := table{columns: map[string]int{}}
	if len(rows) > 0 {
		for i, column := range rows[0] {
			t.columns[strings.TrimPrefix(column, "\ufeff")] = i
		}
		t.rows = rows[1:]
	}
	return t, nil
}

func (t table) has(columns ...string) bool {
	return !slices.ContainsFunc(columns, func(c string) bool { _, ok := t.columns[c]; return !ok })
}

// cell is empty where there is no such column.
func (t table) cell(row []string, column string) string {
	if i, ok := t.columns[column]; ok {
		return row[i]
	}
	return ""
}

func (t table) items() ([]Item, error) {
	var out []Item
	for n, row := range t.rows {
		votes, err := parseVotes(t.cell(row, "amount"))
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", n+2, err)
		}
		id := t.cell(row, "id")
		if id == "" {
			id = strconv.Itoa(n + 1)
		}
		text := strings.TrimSpace(t.cell(row, "contribution") + "\n\n" + t.cell(row, "impact"))
		out = append(out, Item{ID: id, Name: t.cell(row, "name"), Text: text, Votes: votes})
	}
	return out, nil
}

func parseVotes(list string) ([]float64, error) {
	var votes []float64
	if err := json.Unmarshal([]byte(list), &votes); err != nil || votes == nil {
		return nil, errVotes
	}
	for _, v := range votes {
		if math.Abs(v) > maxVote {
			return nil, errVotes
		}
	}
	return votes, nil
}

func (t table) scores(into map[string]float64) error {
	for n, row := range t.rows {
		score, err := strconv.ParseFloat(t.cell(row, "Score"), 64)
		if err != nil || math.IsNaN(score) || math.Abs(score) > maxVote {
			return fmt.Errorf("row %d: the score is not a number", n+2)
		}
		into[strings.TrimSpace(t.cell(row, "Project Name"))] = score
	}
	return nil
}

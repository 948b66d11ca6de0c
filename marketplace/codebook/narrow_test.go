package codebook_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"distributed.ai/datacoop/marketplace/codebook"
)

// everything is the table of all the formats of a pool.
func everything(t testing.TB, book codebook.Codebook) (codebook.Table, codebook.Profile) {
	t.Helper()
	var inputs []codebook.Input
	for _, f := range book.Formats {
		inputs = append(inputs, export(t, f.ID, 7))
	}
	return reduce(t, book.Pool, inputs...)
}

func TestLeavingNothingOutChangesNothing(t *testing.T) {
	for _, book := range codebook.All() {
		whole, profile := everything(t, book)
		same, still, err := whole.Narrow(profile, codebook.Narrowing{})
		if err != nil || csvOf(t, same) != csvOf(t, whole) || !reflect.DeepEqual(still, profile) {
			t.Errorf("%s: %v, %+v, want %+v", book.Pool, err, still, profile)
		}
	}
}

func TestLeftOutColumnsAreEmpty(t *testing.T) {
	whole, profile := reduce(t, "wearables", fixture(t, "02-fitbit-cohort/dailyActivity_merged.csv"))
	table, p, err := whole.Narrow(profile, codebook.Narrowing{Without: []string{"energy_kcal", "steps"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"energy_kcal", "steps"} {
		if got := strings.Join(column(t, table, name), ""); got != "" || slices.Contains(p.Columns, name) {
			t.Errorf("%s is still there", name)
		}
	}
	if p.Rows != profile.Rows || p.Persons != 33 || p.Days != profile.Days || p.Coverage >= profile.Coverage {
		t.Errorf("%+v", p)
	}
	if parsed, err := codebook.ParseCSV("wearables", strings.NewReader(csvOf(t, table))); err != nil || len(parsed.Rows) != p.Rows {
		t.Errorf("not a table of the pool any more: %v", err)
	}
}

func TestOnlyTheseDaysStay(t *testing.T) {
	whole, profile := reduce(t, "wearables", fixture(t, "02-fitbit-cohort/dailyActivity_merged.csv"))
	if first, last := whole.Days(); first != "2016-04-12" || last != "2016-05-12" {
		t.Fatalf("%s to %s", first, last)
	}
	table, p, err := whole.Narrow(profile, codebook.Narrowing{From: "2016-04-20", To: "2016-04-21"})
	if err != nil {
		t.Fatal(err)
	}
	if first, last := table.Days(); first != "2016-04-20" || last != "2016-04-21" || p.Days != 2 || p.From != "2016-04" || p.To != "2016-04" {
		t.Errorf("%s to %s, %+v", first, last, p)
	}
	if len(whole.Rows) != 940 {
		t.Error("the whole table was changed")
	}
}

func TestTimesAreNarrowedByDay(t *testing.T) {
	whole, profile := reduce(t, "energy", export(t, "green-button", 3))
	table, _, err := whole.Narrow(profile, codebook.Narrowing{From: "2026-02-05", To: "2026-02-05"})
	if err != nil || len(table.Rows) == 0 {
		t.Fatal(err)
	}
	for _, at := range column(t, table, "start") {
		if !strings.HasPrefix(at, "2026-02-05T") {
			t.Errorf("%s is another day", at)
		}
	}
}

func TestARowWithoutADayIsOutsideEveryRange(t *testing.T) {
	book, _ := codebook.For("media")
	table := codebook.Table{Codebook: book, Rows: [][]string{{"", "1", "title", "", ""}, {"2026-01-02", "1", "title", "", ""}}}
	narrow, p, err := table.Narrow(codebook.Profile{Persons: 1}, codebook.Narrowing{To: "2026-12-31"})
	if err != nil || len(narrow.Rows) != 1 || narrow.Rows[0][0] == "" || p.Persons != 1 {
		t.Errorf("%v, %v", narrow.Rows, err)
	}
}

func TestNarrowingRefusals(t *testing.T) {
	whole, profile := reduce(t, "media", export(t, "netflix-viewing", 1))
	var all []string
	for _, c := range whole.Codebook.Columns {
		all = append(all, c.Name)
	}
	for want, list := range map[error][]codebook.Narrowing{
		codebook.ErrUnknownColumn: {{Without: []string{"titles"}}, {Without: []string{""}}},
		codebook.ErrBadDay:        {{From: "yesterday"}, {To: "2026-02-30"}, {To: "2026-2-3"}},
		codebook.ErrNothingLeft:   {{Without: all}, {From: "2050-01-01"}, {To: "1950-01-01"}, {From: "2026-02-09", To: "2026-02-08"}},
	} {
		for _, n := range list {
			if _, _, err := whole.Narrow(profile, n); !errors.Is(err, want) {
				t.Errorf("%+v: %v, want %v", n, err, want)
			}
		}
	}
}

func TestNarrowTablesStayTablesOfThePool(t *testing.T) {
	type pool struct {
		table   codebook.Table
		profile codebook.Profile
	}
	var pools []pool
	for _, book := range codebook.All() {
		table, profile := everything(t, book)
		pools = append(pools, pool{table, profile})
	}
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(pools).Draw(t, "pool")
		var n codebook.Narrowing
		for _, c := range p.table.Codebook.Columns {
			if rapid.Bool().Draw(t, c.Name) {
				n.Without = append(n.Without, c.Name)
			}
		}
		n.From = rapid.SampledFrom([]string{"", "2026-02-10"}).Draw(t, "from")
		table, _, err := p.table.Narrow(p.profile, n)
		if errors.Is(err, codebook.ErrNothingLeft) {
			return
		}
		var csv strings.Builder
		if err != nil || table.WriteCSV(&csv) != nil {
			t.Fatal(err)
		}
		if _, err := codebook.ParseCSV(table.Codebook.Pool, strings.NewReader(csv.String())); err != nil {
			t.Fatalf("%+v: %v", n, err)
		}
	})
}

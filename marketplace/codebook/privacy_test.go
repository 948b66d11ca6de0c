package codebook_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"distributed.ai/datacoop/marketplace/codebook"
)

// leaks names the planted identifiers that text holds, whatever their case.
func leaks(text string) []string {
	var out []string
	text = strings.ToLower(text)
	for _, canary := range codebook.Planted() {
		if strings.Contains(text, strings.ToLower(canary)) {
			out = append(out, canary)
		}
	}
	return out
}

func TestNoPlantedIdentifierSurvives(t *testing.T) {
	for _, book := range codebook.All() {
		var all []codebook.Input
		for _, f := range book.Formats {
			in := export(t, f.ID, 11)
			all = append(all, in)
			if f.ID == "synthea-patients" {
				continue // people without events make no rows
			}
			noLeak(t, f.ID, book.Pool, in)
		}
		noLeak(t, "all formats", book.Pool, all...)
	}
}

func noLeak(t *testing.T, name, pool string, inputs ...codebook.Input) {
	t.Helper()
	table, profile := reduce(t, pool, inputs...)
	if found := leaks(csvOf(t, table)); found != nil {
		t.Errorf("%s: the table holds %q", name, found)
	}
	sent, err := json.Marshal(profile)
	if err != nil {
		t.Fatal(err)
	}
	if found := leaks(string(sent)); found != nil {
		t.Errorf("%s: the profile holds %q", name, found)
	}
}

func TestSampleHoldsNoPlantedIdentifier(t *testing.T) {
	for _, book := range codebook.All() {
		sample, err := codebook.Sample(book.Pool)
		if err != nil {
			t.Fatal(err)
		}
		if found := leaks(string(sample)); found != nil {
			t.Errorf("%s: %q", book.Pool, found)
		}
	}
}

// A cell that is no value of its column never leaves, even if a caller puts it
// into a table by hand.
func TestTextCannotBeWritten(t *testing.T) {
	hostile := []string{"Rosalind", "=HYPERLINK(\"http://x\")", "+31705550142", "@SUM(1)", "-", "1,2", "1\n2", "\"1\"", " 1", "01", "1.0", "-0", "1e3", "NaN", "2026-02-30", "2026-1-2"}
	for _, book := range codebook.All() {
		for i, c := range book.Columns {
			for _, cell := range hostile {
				row := make([]string, len(book.Columns))
				row[i] = cell
				var out bytes.Buffer
				err := codebook.Table{Codebook: book, Rows: [][]string{row}}.WriteCSV(&out)
				if err == nil || out.Len() > 0 {
					t.Errorf("%s.%s lets %q pass", book.Pool, c.Name, cell)
				}
			}
		}
	}
}

func TestOrdinalsReplaceIds(t *testing.T) {
	const rows = "Id,ActivityDate,TotalSteps\n8877689391,4/12/2016,100\n1503960366,4/12/2016,200\n8877689391,4/13/2016,300\n"
	table, profile := reduce(t, "wearables", text(rows))
	if got := strings.Join(column(t, table, "person"), " "); got != "1 2 2" || profile.Persons != 2 {
		t.Errorf("persons %s, %d", got, profile.Persons)
	}
	if got := strings.Join(column(t, table, "steps"), " "); got != "200 100 300" {
		t.Errorf("steps %s", got)
	}
}

func TestRefusalsHoldNothingFromTheFile(t *testing.T) {
	for _, in := range []string{
		"Id,ActivityDate,TotalSteps\nRosalind,4/12/2016,100\n",
		"Id,ActivityDate,TotalSteps\n8093452617,Rosalind,100\n",
		"Id,ActivityDate,TotalSteps\n8093452617,4/12/2016,Rosalind\n",
		"OFXHEADER:100\n<OFX><STMTTRN><TRNAMT>Rosalind<DTPOSTED>20260101</STMTTRN></OFX>",
	} {
		_, pool, err := codebook.Recognise(text(in))
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = codebook.Reduce(pool, text(in))
		if err == nil {
			t.Fatalf("no refusal of %q", in)
		}
		whole, _ := json.Marshal(err)
		if found := leaks(err.Error() + string(whole)); found != nil {
			t.Errorf("the refusal repeats %q", found)
		}
	}
}

func TestProfileSaysOnlyWhatMayBeKnown(t *testing.T) {
	_, profile := reduce(t, "wearables", export(t, "apple-health", 3))
	if profile.Format != "apple-health" || profile.From != "2026-02" || profile.To != "2026-04" || profile.Days != 60 {
		t.Errorf("profile %+v", profile)
	}
	if profile.Coverage < 500 || profile.Coverage > 1000 || profile.Persons != 1 || profile.Skipped != 0 {
		t.Errorf("profile %+v", profile)
	}
	rounded := profile.Rounded()
	if rounded.Days != 60 || rounded.Coverage%100 != 0 {
		t.Errorf("rounded %+v", rounded)
	}
	profile.Rows, profile.Days = 8760, 95
	if rounded = profile.Rounded(); rounded.Rows != 9000 || rounded.Days != 100 {
		t.Errorf("rounded %+v", rounded)
	}
}

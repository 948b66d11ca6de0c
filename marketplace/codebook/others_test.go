package codebook_test

import (
	"errors"
	"strings"
	"testing"

	"distributed.ai/datacoop/marketplace/codebook"
)

const dexcomHeader = "\ufeffIndex,Timestamp (YYYY-MM-DDThh:mm:ss),Event Type,Patient Info,Source Device ID,Glucose Value (UNIT),Insulin Value (u),Carb Value (grams)\n"

func clarity(unit string, rows ...string) codebook.Input {
	return text(strings.Replace(dexcomHeader, "UNIT", unit, 1) + strings.Join(rows, "\n") + "\n")
}

func TestClarityEvents(t *testing.T) {
	table, _ := reduce(t, "glucose", clarity("mg/dL",
		"1,,FirstName,Rosalind,,,,",
		"2,2026-01-05T08:00:00,EGV,,SM68U4F1K2,101,,",
		"3,2026-01-05T08:05:00,EGV,,SM68U4F1K2,Low,,",
		"4,2026-01-05T08:10:00,EGV,,SM68U4F1K2,High,,",
		"5,2026-01-05 08:15:00,Calibration,,SM68U4F1K2,99,,",
		"6,2026-01-05T08:20:00,Insulin,,SM68U4F1K2,,4.5,",
		"7,2026-01-05T08:25:00,Carbs,,SM68U4F1K2,,,40",
		"8,2026-01-05T08:30:00,Exercise,Rosalind,SM68U4F1K2,,,"))
	want := []string{
		"2026-01-05T08:00:00,reading,101,,,", "2026-01-05T08:05:00,reading,,low,,", "2026-01-05T08:10:00,reading,,high,,",
		"2026-01-05T08:15:00,calibration,99,,,", "2026-01-05T08:20:00,insulin,,,4.5,", "2026-01-05T08:25:00,carbohydrates,,,,40",
	}
	for i, row := range table.Rows {
		if got := strings.Join(row, ","); got != want[i] {
			t.Errorf("row %d is %s", i, got)
		}
	}
}

func TestMillimolesBecomeMilligrams(t *testing.T) {
	table, _ := reduce(t, "glucose", clarity("mmol/L", "1,2026-01-05T08:00:00,EGV,,x,5.6,,"))
	if got := cells(t, table, "glucose_mg_dl"); got != "101" {
		t.Error(got)
	}
}

func TestBadGlucoseIsRefused(t *testing.T) {
	for _, row := range []string{
		"1,2026-01-05T08:00:00,EGV,,x,,,", "1,2026-01-05T08:00:00,EGV,,x,Rosalind,,", "1,2026-01-05T08:00:00,EGV,,x,9000,,",
		"1,,EGV,,x,100,,", "1,2026-01-05T25:00:00,EGV,,x,100,,", "1,2026-01-05T08:00:00,Insulin,,x,,much,",
	} {
		if _, _, err := codebook.Reduce("glucose", clarity("mg/dL", row)); !errors.Is(err, codebook.ErrBadValue) {
			t.Errorf("%s: %v", row, err)
		}
	}
}

func TestNetflixFixture(t *testing.T) {
	table, profile := reduce(t, "media", fixture(t, "10-media/NetflixViewingHistory.csv"))
	if len(table.Rows) != 577 || profile.From != "2019-07" || profile.To != "2021-06" {
		t.Errorf("%d rows, %+v", len(table.Rows), profile)
	}
	last := strings.Join(table.Rows[len(table.Rows)-1], ",")
	if last != "2021-06-06,3,title,," {
		t.Errorf("last row %s", last)
	}
}

func TestViewings(t *testing.T) {
	in := text("Title,Date\n" +
		"\"The Lantern Keepers: Season 1: Two\",5/29/21\n" +
		"A Quiet Orchard,5/29/21\n\"A Quiet Orchard\",5/29/21\n" +
		"\"Highlander: Endgame\",5/28/21\n\"The Lantern Keepers: Season 1: One\",1/2/21\n")
	for _, inputs := range [][]codebook.Input{{in}, {in, in}} {
		table, _ := reduce(t, "media", inputs...)
		want := "2021-01-02 1 episode 1 \n2021-05-28 1 title  \n2021-05-29 1 title  \n2021-05-29 2 title  \n2021-05-29 3 episode 1"
		if got := cells(t, table, "date", "entry", "kind", "series"); got != want {
			t.Errorf("%q", got)
		}
	}
}

func TestDateOrders(t *testing.T) {
	for in, want := range map[string]string{
		"13/06/2021 12/06/2021": "2021-06-12 2021-06-13", // no 13th month
		"06/13/2021 06/12/2021": "2021-06-12 2021-06-13",
		"05/06/2021 04/06/2020": "2020-06-04 2021-06-05 ?", // newest first either way
		"01/02/2021 12/01/2021": "2021-01-12 2021-02-01",   // newest first only day first
		"13.06.2021 12.06.2021": "2021-06-12 2021-06-13",
		"2021-06-05 2021-06-04": "2021-06-04 2021-06-05",
		"06/06/2021 06/06/2021": "2021-06-06 2021-06-06", // the same either way
	} {
		file := text("Title,Date\nx," + strings.ReplaceAll(in, " ", "\nx,") + "\n")
		table, _, err := codebook.Reduce("media", file)
		if strings.HasSuffix(want, "?") {
			if !errors.Is(err, codebook.ErrAmbiguousDates) {
				t.Errorf("%s: %v", in, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := strings.Join(column(t, table, "date"), " "); got != want {
			t.Errorf("%s read as %s", in, got)
		}
	}
	for _, bad := range []string{"", "yesterday", "1/2", "1/2/3/4", "0/1/2021", "-1/2/2021", "31/12/99999"} {
		if _, _, err := codebook.Reduce("media", text("Title,Date\nx,"+bad+"\n")); !errors.Is(err, codebook.ErrBadValue) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestClinicalFixture(t *testing.T) {
	var inputs []codebook.Input
	for _, name := range []string{"patients", "observations", "conditions", "medications", "procedures", "immunizations", "allergies", "encounters"} {
		inputs = append(inputs, fixture(t, "05-synthea-csv/"+name+".csv"))
	}
	table, profile := reduce(t, "clinical", inputs...)
	if profile.Persons != 27 || profile.Skipped != 79 {
		t.Errorf("profile %+v", profile)
	}
	written := csvOf(t, table)
	for _, kept := range []string{"Maynard46", "999-17-5017", "784 Stamm Lock", "Somerville", "3edac2e3", "2014-10-06", "Never smoker", "pharyngitis"} {
		if strings.Contains(written, kept) {
			t.Errorf("the table holds %s", kept)
		}
	}
}

func TestConceptsNeedTheirCheckDigit(t *testing.T) {
	const header = "DATE,PATIENT,ENCOUNTER,CATEGORY,CODE,DESCRIPTION,VALUE,UNITS,TYPE\n"
	in := text(header +
		"2026-01-05T08:00:00Z,p,e,v,8480-6,x,120,mm[Hg],numeric\n" +
		"2026-01-05T08:00:00Z,p,e,v,8480-5,x,120,mm[Hg],numeric\n" +
		"2026-01-05T08:00:00Z,p,e,v,999-41-7077,x,120,mm[Hg],numeric\n" +
		"2026-01-05T08:00:00Z,p,e,v,8480-6,x,120,Rosalind,numeric\n")
	table, profile := reduce(t, "clinical", in)
	if got := cells(t, table, "concept", "value", "unit"); got != "LOINC:8480-6 120 mm[Hg]" || profile.Skipped != 3 {
		t.Errorf("%q, skipped %d", got, profile.Skipped)
	}
}

func TestAgesEndAtNinety(t *testing.T) {
	people := text("Id,BIRTHDATE,DEATHDATE,GENDER\na,1920-06-15,,F\nb,1980-06-15,,M\nc,2030-01-01,,X\n")
	events := text("START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION\n2026-06-14,,a,e,73595000,x\n2026-06-14,,b,e,73595000,x\n2026-06-15,,b,e,73595000,x\n2026-06-15,,c,e,73595000,x\n")
	table, _ := reduce(t, "clinical", people, events)
	if got := cells(t, table, "person", "age", "sex"); got != "1 90 F \n2 45 M \n2 46 M \n3" {
		t.Errorf("%q", got)
	}
}

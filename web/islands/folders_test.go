package islands_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/codebook"
)

// kinds is one export of every folder of the fixtures, with what its table
// answers.
var kinds = []struct {
	pool    string
	files   []string
	folder  bool // chosen as a folder, with files in it that are none of the export's
	studies []string
}{
	{pool: "wearables", files: []string{"01-apple-health/dogsheep/export.xml"}},
	{pool: "wearables", files: []string{"02-fitbit-cohort/dailyActivity_merged.csv", "02-fitbit-cohort/sleepDay_merged.csv", "02-fitbit-cohort/weightLogInfo_merged.csv"},
		studies: []string{"F1_mean_daily_steps", "F2_sleep_on_active_days"}},
	{pool: "activities", files: []string{"03-activity-files/fit/garmin-fenix-5-run.fit", "03-activity-files/gpx/cerknicko-jezero.gpx", "03-activity-files/tcx/sup_activity_1.tcx"}},
	{pool: "clinical", files: []string{"04-openmhealth/test-data/omh/blood-pressure/4.0/shouldPass/blood-pressure-only.json", "04-openmhealth/test-data/omh/step-count/3.0/shouldPass/valid-step-count.json"}},
	{pool: "clinical", folder: true, studies: []string{"F3_systolic_bp_over_40", "F4_condition_prevalence"},
		files: []string{"05-synthea-csv/patients.csv", "05-synthea-csv/observations.csv", "05-synthea-csv/conditions.csv", "05-synthea-csv/medications.csv",
			"05-synthea-csv/encounters.csv", "05-synthea-csv/immunizations.csv", "05-synthea-csv/allergies.csv", "05-synthea-csv/procedures.csv"}},
	{pool: "clinical", files: []string{"06-synthea-fhir-r4/"}, studies: []string{"F5_fhir_latest_bmi"}},
	{pool: "glucose", files: []string{"07-cgm/dexcom/test_file.csv"}, studies: []string{"F6_cgm_time_in_range"}},
	{pool: "genotype", files: []string{"08-genotype/23andme.txt"}},
	{pool: "location", files: []string{"09-takeout/dogsheep/Takeout/Location History/Location History.json"}},
	{pool: "media", files: []string{"10-media/NetflixViewingHistory.csv"}},
	{pool: "browsing", files: []string{"11-browser/chrome.sqlite"}},
	{pool: "bank", files: []string{"12-bank/ofx/checking.ofx"}, studies: []string{"F8_bank_flows"}},
	{pool: "bank", files: []string{"12-bank/camt-csv/golden/camt053_multicurrency.xml"}, studies: []string{"F8_bank_flows"}},
	{pool: "energy", files: []string{"13-energy/benchmark/fixtures/Coastal_Multi_Family_12hr_Jan_1_2011_to_Jan_1_2012_RetailCustomer_3.xml"}, studies: []string{"F7_energy_year"}},
}

// plantedIn writes fixtures into a folder, each with an identifier in it and
// one in its name.
func plantedIn(t *testing.T, dir string, names ...string) (paths []string) {
	t.Helper()
	for _, name := range names {
		if strings.HasSuffix(name, "/") { // every document of the folder
			err := filepath.WalkDir(testkit.Fixture(t, strings.TrimSuffix(name, "/")), func(path string, _ fs.DirEntry, err error) error {
				if err == nil && filepath.Ext(path) == ".json" {
					paths = append(paths, plantedIn(t, dir, name+filepath.Base(path))...)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			continue
		}
		with := testkit.Plant(t, name, testkit.FixtureBytes(t, name))
		if with == nil {
			t.Fatalf("nothing was planted into %s", name)
		}
		to := filepath.Join(dir, plantedName+filepath.Base(name))
		if err := os.WriteFile(to, with, 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, to)
	}
	return paths
}

// canaries are the parts of what was planted, any of which would tell.
func canaries() []string {
	return []string{testkit.Canary, "Rosalind", "Achterberg", "Fernhill", "rosalind.achterberg@example.org", "NL02COOP0417164300", strings.TrimSuffix(plantedName, "_")}
}

// TestEveryKindOfExportIsAddedInTheBrowser: an export of each folder of the
// fixtures, full of planted identifiers, goes through the browser to a
// researcher. Studies that somebody else computed from the raw files come out
// of what was fetched and decrypted, and no identifier is in what was sent, in
// the server's storage or in the researcher's copy.
func TestEveryKindOfExportIsAddedInTheBrowser(t *testing.T) {
	if os.Getenv("DATACOOP_BROWSER") == "" {
		t.Skip("takes a minute: DATACOOP_BROWSER=1 asks for it, as .ci/run does")
	}
	c := openCoop(t)
	const login = "eva"
	var sets []order
	var tables []string
	for _, k := range kinds {
		dir := t.TempDir()
		paths := plantedIn(t, dir, k.files...)
		tables = append(tables, reduced(t, k.pool, codebook.Narrowing{}, paths...))
		o := order{"files": paths}
		if k.folder {
			for name, text := range map[string]string{"holiday.jpg": "\xff\xd8", "diary.txt": "Dear " + testkit.Canary, "statement.csv": "Date,Amount,Currency\n2026-01-05,1,EUR\n"} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			o = order{"folder": dir}
		}
		sets = append(sets, o)
	}
	a := c.play(t, "folders", login, order{"sets": sets})
	for i, k := range kinds {
		want := ""
		if k.folder {
			want = "Not read: 1 file for another pool: add it again to share that too, 1 other file, 1 picture."
		}
		if a.Left[i] != want {
			t.Errorf("%s: the page says %q, not %q", k.files[0], a.Left[i], want)
		}
	}
	c.nothingPlantedLeft(t)
	shared := map[string]bool{}
	for i, k := range kinds {
		if !shared[k.pool] { // a pool of one member would be too small to be released
			shared[k.pool] = true
			for _, other := range []string{"ivo", "june"} {
				c.shared(t, other, k.pool, formatWithRows(k.pool))
			}
		}
		if got := c.opened(t, login, a.Datasets[i], c.people[login].IdentityFile); got != tables[i] {
			t.Errorf("%s: the member's own copy is not the table", k.files[0])
		}
	}
	for pool := range shared {
		c.researched(t, pool, tables)
	}
}

// formatWithRows is a format of a pool that makes rows by itself.
func formatWithRows(pool string) string {
	book, _ := codebook.For(pool)
	i := slices.IndexFunc(book.Formats, func(f codebook.Format) bool { return f.ID != "synthea-patients" })
	return book.Formats[i].ID
}

// nothingPlantedLeft looks for planted identifiers in everything that was sent
// and everything that the server keeps.
func (c *coop) nothingPlantedLeft(t *testing.T) {
	t.Helper()
	if leaks := c.leaked(canaries()); len(leaks) > 0 {
		t.Errorf("%q left the browser", leaks)
	}
	if len(c.leaked([]string{"fit-activity", "synthea-observations"})) != 2 {
		t.Error("the recorder did not see what every upload says")
	}
	files, size, said := 0, 0, false
	err := filepath.WalkDir(filepath.Join(c.dir, "data"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		files, size = files+1, size+len(text)
		said = said || strings.Contains(string(text), "synthea-observations")
		for _, w := range canaries() {
			if strings.Contains(string(text), w) {
				t.Errorf("%q is in the server's %s", w, d.Name())
			}
		}
		return err
	})
	if err != nil || files < len(kinds) || !said {
		t.Errorf("%d files of the server, in which what it knows of an upload was found: %v, %v", files, said, err)
	}
	t.Logf("%d bytes sent, %d bytes in %d files of the server", c.sent.Len(), size, files)
}

// researched fetches a pool as a researcher: every table is there, the studies
// come out, and nothing that was planted is in it.
func (c *coop) researched(t *testing.T, pool string, tables []string) {
	t.Run("researcher "+pool, func(t *testing.T) {
		got := c.fetched(t, pool)
		for i, k := range kinds {
			if k.pool != pool {
				continue
			}
			at := slices.Index(got, tables[i])
			if at < 0 {
				t.Errorf("%s: of %d files that were fetched none is its table", k.files[0], len(got))
				continue
			}
			table, err := codebook.ParseCSV(pool, strings.NewReader(got[at]))
			if err != nil {
				t.Fatal(err)
			}
			for _, question := range k.studies {
				testkit.Answer(t, question, table)
			}
		}
		for _, text := range got {
			for _, w := range canaries() {
				if strings.Contains(text, w) {
					t.Errorf("%q reached the researcher", w)
				}
			}
		}
	})
}

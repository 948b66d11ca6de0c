package codebook_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/codebook"
)

func zipped(t testing.TB, files ...string) codebook.Input {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.Write([]byte(files[i+1]))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return codebook.Bytes("export.zip", out.Bytes())
}

const fitbitRow = "Id,ActivityDate,TotalSteps\n1503960366,4/12/2016,13162\n"

func TestRefusals(t *testing.T) {
	apple := "<HealthData><Record type=\"HKQuantityTypeIdentifierStepCount\" unit=\"count\" startDate=\"2026-01-01 10:00:00 +0100\" value=\"5\"/></HealthData>"
	cases := map[string]struct {
		pool string
		in   codebook.Input
		want *fault.Error
	}{
		"empty":                     {"wearables", text(""), codebook.ErrEmptyFile},
		"only a byte order mark":    {"wearables", text("\ufeff\n"), codebook.ErrEmptyFile},
		"a letter to grandmother":   {"wearables", text("Dear grandmother, I am well."), codebook.ErrUnknownFormat},
		"a picture":                 {"wearables", text("\x89PNG\r\n\x1a\n\x00\x00\x00"), codebook.ErrUnknownFormat},
		"a web page":                {"energy", text("<html><body>http://naesb.org/espi</body></html>"), codebook.ErrUnknownFormat},
		"an age file":               {"bank", text("age-encryption.org/v1\n-> X25519 abc\n"), codebook.ErrEncryptedFile},
		"another pool's export":     {"energy", text(fitbitRow), codebook.ErrWrongPool},
		"another pool's, zipped":    {"energy", zipped(t, "a.csv", fitbitRow), codebook.ErrWrongPool},
		"no such pool":              {"genealogy", text(fitbitRow), codebook.ErrUnknownPool},
		"an empty archive":          {"wearables", zipped(t), codebook.ErrUnknownFormat},
		"an archive of pictures":    {"wearables", zipped(t, "a.jpg", "x", "notes.txt", "hello"), codebook.ErrUnknownFormat},
		"half an archive":           {"wearables", text("PK\x03\x04\x14\x00\x00"), codebook.ErrMalformedFile},
		"a header and no rows":      {"wearables", text("Id,ActivityDate,TotalSteps\n"), codebook.ErrNoData},
		"steps in words":            {"wearables", text("Id,ActivityDate,TotalSteps\n1,4/12/2016,many\n"), codebook.ErrBadValue},
		"a phone number as steps":   {"wearables", text("Id,ActivityDate,TotalSteps\n1,4/12/2016,31705550142\n"), codebook.ErrBadValue},
		"a date that is none":       {"wearables", text("Id,ActivityDate,TotalSteps\n1,2/30/2016,5\n"), codebook.ErrBadValue},
		"a name as Id":              {"wearables", text("Id,ActivityDate,TotalSteps\nRosalind,4/12/2016,5\n"), codebook.ErrBadValue},
		"a ragged row":              {"wearables", text("Id,ActivityDate,TotalSteps\n1,4/12/2016\n"), codebook.ErrMalformedFile},
		"an open quote":             {"wearables", text("Id,ActivityDate,TotalSteps\n1,\"4/12/2016,5\n"), codebook.ErrMalformedFile},
		"Apple with entities":       {"wearables", text("<!DOCTYPE HealthData [<!ENTITY a \"b\">]><HealthData>&a;</HealthData>"), codebook.ErrXMLEntities},
		"Apple with outside entity": {"wearables", text("<!DOCTYPE HealthData [<!entity % a SYSTEM \"file:///etc/passwd\">%a;]><HealthData/>"), codebook.ErrXMLEntities},
		"Apple cut short":           {"wearables", text(apple[:len(apple)-5]), codebook.ErrMalformedFile},
		"Apple badly nested":        {"wearables", text("<HealthData><a></HealthData></a>"), codebook.ErrMalformedFile},
		"Apple without records":     {"wearables", text("<HealthData locale=\"nl\"/>"), codebook.ErrNoData},
		"readings without a unit":   {"energy", fixture(t, "13-energy/spec/fixtures/ESPIIntervalBlock.xml"), codebook.ErrUnknownUnit},
		"reading types alone":       {"energy", fixture(t, "13-energy/spec/fixtures/ESPIReadingTypes.xml"), codebook.ErrNoData},
		"an authorisation":          {"energy", fixture(t, "13-energy/spec/fixtures/ESPIAuthorization.xml"), codebook.ErrNoData},
		"payment orders":            {"bank", fixture(t, "12-bank/camt-csv/pain.001.001.03.xml"), codebook.ErrUnknownFormat},
		"a document of nothing":     {"bank", fixture(t, "12-bank/camt-csv/invalid.xml"), codebook.ErrUnknownFormat},
		"camt with garbled amount":  {"bank", fixture(t, "12-bank/camt-csv/golden/camt053_garbled_amount.xml"), codebook.ErrBadValue},
		"OFX without dates":         {"bank", fixture(t, "12-bank/ofx/fail_nice/date_missing.ofx"), codebook.ErrBadValue},
		"OFX with dollar signs":     {"bank", fixture(t, "12-bank/ofx/fail_nice/decimal_error.ofx"), codebook.ErrBadValue},
		"OFX with nothing":          {"bank", fixture(t, "12-bank/ofx/bank_small.ofx"), codebook.ErrNoData},
		"OFX with an error":         {"bank", fixture(t, "12-bank/ofx/error_message.ofx"), codebook.ErrNoData},
		"OFX with a failed login":   {"bank", fixture(t, "12-bank/ofx/signon_fail.ofx"), codebook.ErrNoData},
		"OFX with balances only":    {"bank", fixture(t, "12-bank/ofx/multiple_accounts.ofx"), codebook.ErrNoData},
		"OFX with a 401k only":      {"bank", fixture(t, "12-bank/ofx/vanguard401k.ofx"), codebook.ErrNoData},
		"dates either way round":    {"media", text("Title,Date\nA Quiet Orchard,03/06/2021\nA Quiet Orchard,02/06/2021\n"), codebook.ErrAmbiguousDates},
		"a date no calendar has":    {"media", text("Title,Date\nA Quiet Orchard,31/02/2021\n"), codebook.ErrBadValue},
		"a history cut short":       {"browsing", cutShort(t, "11-browser/chrome.sqlite", 5000), codebook.ErrMalformedFile},
		"half a page of history":    {"browsing", cutShort(t, "11-browser/chrome.sqlite", 2000), codebook.ErrMalformedFile},
		"another program's base":    {"browsing", databaseOf(t, "CREATE TABLE contacts (name, phone)"), codebook.ErrUnknownFormat},
		"a browser just installed":  {"browsing", databaseOf(t, "CREATE TABLE urls (id INTEGER PRIMARY KEY, url)", "CREATE TABLE visits (id INTEGER PRIMARY KEY, url, visit_time)"), codebook.ErrNoData},
		"a write-ahead log":         {"browsing", text("\x37\x7f\x06\x83\x00\x2d\xe2\x18\x00\x00\x10\x00"), codebook.ErrDatabaseLog},
		"xz":                        {"browsing", fixture(t, "11-browser/merged_dump.json.xz"), codebook.ErrPackedFile},
		"7z":                        {"browsing", text("7z\xbc\xaf\x27\x1c\x00\x04"), codebook.ErrPackedFile},
		"RAR":                       {"genotype", text("Rar!\x1a\x07\x01\x00"), codebook.ErrPackedFile},
		"gzip cut short":            {"browsing", cutShort(t, "11-browser/merged_dump.json.gz", 100), codebook.ErrMalformedFile},
		"a gzip bomb":               {"browsing", gzipped(t, "[{\"url\":\"https://github.com\",\"dt\":1600133363}"+strings.Repeat(" ", 60<<20)+"]"), codebook.ErrZipBomb},
		"JSON without a bottom":     {"browsing", text("[{\"url\":\"https://github.com\",\"dt\":" + strings.Repeat("[", 1<<20)), codebook.ErrMalformedFile},
		"JSON of a depth":           {"location", text("{\"timelineObjects\":[" + strings.Repeat("{\"placeVisit\":", 50_000) + "1" + strings.Repeat("}", 50_000) + "]}"), codebook.ErrMalformedFile},
		"a timeline of nothing":     {"location", text("{\"semanticSegments\": []}"), codebook.ErrNoData},
		"a timeline of nonsense":    {"location", text("{\"semanticSegments\": [{\"startTime\": \"<script>\"}]}"), codebook.ErrNoData},
		"location settings":         {"location", text("{\"createdTime\": \"2022-01-01T00:00:00Z\", \"deviceSettings\": []}"), codebook.ErrUnknownFormat},
		"a schema of locations":     {"location", fixture(t, "09-takeout/schemas/Records.schema.json"), codebook.ErrUnknownFormat},
		"activity as a web page":    {"browsing", fixture(t, "09-takeout/purarue/HtmlTakeout/My Activity/Chrome/MyActivity.html"), codebook.ErrUnknownFormat},
		"only incognito":            {"media", text("[{\"ts\":\"2026-01-05T00:00:00Z\",\"ms_played\":1,\"master_metadata_track_name\":\"x\",\"incognito_mode\":true}]"), codebook.ErrNoData},
		"genes of a family":         {"genotype", text("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tRosalind\tOma\n"), codebook.ErrSeveralPeople},
		"no genes":                  {"genotype", text("# 23andMe\n# rsid\tchromosome\tposition\tgenotype\n"), codebook.ErrNoData},
		"genes without genotypes":   {"genotype", text("# 23andMe\n# rsid\tchromosome\tposition\tgenotype\nrs1\t1\t101\n"), codebook.ErrBadValue},
		"two people's differences":  {"genotype", fixture(t, "08-genotype/discrepant_snps.csv"), codebook.ErrUnknownFormat},
		"genes as a history":        {"browsing", fixture(t, "08-genotype/23andme.txt"), codebook.ErrWrongPool},
		"people without events":     {"clinical", fixture(t, "05-synthea-csv/patients.csv"), codebook.ErrNoData},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			table, _, err := codebook.Reduce(c.pool, c.in)
			if !errors.Is(err, c.want) {
				t.Fatalf("refused with %v, want %s", err, c.want.Code)
			}
			if fault.KindOf(err) != c.want.Kind || len(table.Rows) > 0 {
				t.Errorf("kind %s, %d rows", fault.KindOf(err), len(table.Rows))
			}
		})
	}
}

func TestBadValueSaysWhere(t *testing.T) {
	_, _, err := codebook.Reduce("wearables", text(fitbitRow+"1503960366,4/13/2016,-3\n"))
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Detail) != 1 || f.Detail[0] != "Line 3, column TotalSteps." {
		t.Errorf("%v", err)
	}
}

func TestOnlyReducedTablesParse(t *testing.T) {
	const header = "date,entry,kind,series,minutes\n"
	for name, body := range map[string]string{
		"nothing":            "",
		"another header":     "date,entry,kind,title,minutes\n",
		"no line end":        header + "2026-01-05,1,title,,",
		"too few cells":      header + "2026-01-05,1,title\n",
		"too many cells":     header + "2026-01-05,1,title,,,\n",
		"text":               header + "2026-01-05,1,A Quiet Orchard,,\n",
		"quotes":             header + "\"2026-01-05\",1,title,,\n",
		"carriage return":    header + "2026-01-05,1,title,,\r\n",
		"no canonical form":  header + "2026-01-05,01,title,,\n",
		"out of bounds":      header + "2026-01-05,0,title,,\n",
		"out of order":       header + "2026-01-06,1,title,,\n2026-01-05,1,title,,\n",
		"the same row twice": header + "2026-01-05,1,title,,\n2026-01-05,1,title,,\n",
		"an empty line":      header + "\n",
		"an endless line":    header + strings.Repeat("1", 1<<20) + "\n",
	} {
		if _, err := codebook.ParseCSV("media", strings.NewReader(body)); !errors.Is(err, codebook.ErrNotReduced) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := codebook.ParseCSV("genealogy", strings.NewReader("")); !errors.Is(err, codebook.ErrUnknownPool) {
		t.Error(err)
	}
}

func TestSynthesiseRefuses(t *testing.T) {
	for _, days := range []int{-1, 0, 100_000} {
		if _, _, err := codebook.Synthesise("ofx", 1, monday, days); err == nil {
			t.Errorf("%d days are accepted", days)
		}
	}
	if _, _, err := codebook.Synthesise("papyrus", 1, monday, 5); !errors.Is(err, codebook.ErrUnknownFormat) {
		t.Error(err)
	}
}

func TestOpenAndReadErrorsAreNotFaults(t *testing.T) {
	broken := errors.New("disk on fire")
	for name, in := range map[string]codebook.Input{
		"open": {Open: func() (io.ReadCloser, error) { return nil, broken }},
		"read": {Open: func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader(fitbitRow), &failing{broken})), nil
		}},
	} {
		_, _, err := codebook.Reduce("wearables", in)
		if !errors.Is(err, broken) || fault.KindOf(err) != fault.Internal {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

// Every fixture there is, of whatever kind, either reduces to valid rows or is
// refused with a fault.
func TestEveryFixtureEndsWell(t *testing.T) {
	for _, folder := range []string{"01-apple-health", "02-fitbit-cohort", "03-activity-files", "05-synthea-csv", "07-cgm", "08-genotype", "10-media", "11-browser", "12-bank", "13-energy"} {
		eachFile(t, testkit.Fixture(t, folder), func(path string, in codebook.Input) {
			_, pool, err := codebook.Recognise(in)
			if err == nil {
				_, _, err = codebook.Reduce(pool, in)
			}
			if err != nil && fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s: %v", path, err)
			}
		})
	}
}

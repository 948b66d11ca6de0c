package codebook_test

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/codebook"
)

// FuzzReduce holds for every format: whatever the bytes are, the answer is a
// fault, or a table that is written and read back unchanged.
func FuzzReduce(f *testing.F) {
	for _, book := range codebook.All() {
		for _, format := range book.Formats {
			_, data, err := codebook.Synthesise(format.ID, 3, monday, 2)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data[:min(len(data), 8<<10)])
			f.Add(data[:len(data)/2])
		}
	}
	f.Add([]byte(appleDTD + "<HealthData>" + record(stepType, "x", "count", "2026-03-01 10:00:00 +0100", "1e2") + "</HealthData>"))
	f.Add([]byte("<feed xmlns=\"http://naesb.org/espi\">" + series(1, wh, hour(h0, 5)) + "</feed>"))
	f.Add([]byte("\xff\xfeT\x00i\x00t\x00l\x00e\x00,\x00D\x00a\x00t\x00e\x00\n\x00x\x00,\x001\x003\x00/\x001\x00/\x002\x001\x00\n\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		in := codebook.Bytes("upload", data)
		_, pool, err := codebook.Recognise(in)
		if err != nil {
			mustBeInvalid(t, err)
			return
		}
		table, profile, err := codebook.Reduce(pool, in)
		if err != nil {
			mustBeInvalid(t, err)
			return
		}
		written := csvOf(t, table)
		again, err := codebook.ParseCSV(pool, strings.NewReader(written))
		if err != nil || csvOf(t, again) != written {
			t.Fatalf("the table does not survive the round trip: %v", err)
		}
		if profile.Rows != len(table.Rows) || profile.Rows == 0 || profile.Coverage > 1000 {
			t.Fatalf("profile %+v", profile)
		}
	})
}

func mustBeInvalid(t *testing.T, err error) {
	t.Helper()
	if fault.KindOf(err) != fault.Invalid {
		t.Fatalf("not a refusal but %v", err)
	}
}

// FuzzParseCSV holds that what parses is exactly what WriteCSV writes.
func FuzzParseCSV(f *testing.F) {
	for _, book := range codebook.All() {
		sample, err := codebook.Sample(book.Pool)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(book.Pool, sample[:min(len(sample), 2<<10)])
		f.Add(book.Pool, sample[:bytes.IndexByte(sample, '\n')+1])
	}
	f.Fuzz(func(t *testing.T, pool string, data []byte) {
		table, err := codebook.ParseCSV(pool, bytes.NewReader(data))
		if err == nil && csvOf(t, table) != string(data) {
			t.Fatal("accepted a table in another form than its own")
		}
	})
}

func TestPackageBuildsForTheBrowser(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil || testing.Short() {
		t.Skip("needs the go command and a minute the first time")
	}
	build := exec.CommandContext(t.Context(), goTool, "build", ".")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func BenchmarkReduceApple(b *testing.B) {
	data := []byte(appleDTD + "<HealthData>" + strings.Repeat(record("HKQuantityTypeIdentifierHeartRate", "watch of Rosalind", "count/min", "2026-03-01 10:00:00 +0100", "61.5"), 50_000) + "</HealthData>")
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, _, err := codebook.Reduce("wearables", codebook.Bytes("export.xml", data)); err != nil {
			b.Fatal(err)
		}
	}
}

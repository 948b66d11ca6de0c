package testkit

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Canary is what Plant plants: a name, an address, the number of an account. It
// is invented.
const Canary = "Rosalind Achterberg of 17 Fernhill Lane, rosalind.achterberg@example.org, NL02COOP0417164300"

// plenty is how much of a long file is planted into.
const plenty = 100_000

var (
	jsonObject = regexp.MustCompile(`\{(\s*")`)
	xmlOpening = regexp.MustCompile(`(<(?:[a-z0-9]+:)?(?:HealthData|Record|Workout|gpx|trk|trkpt|Activity|Lap|Trackpoint|Ntry|Stmt|entry|IntervalBlock|IntervalReading|ReadingType)(?:\s[^<>]*[^/<>])?>)`)
	appleName  = regexp.MustCompile(`sourceName="[^"]*"`)
	ofxOpening = regexp.MustCompile(`(?i)(<(?:STMTTRN|OFX|BANKACCTFROM)>)`)
)

// Plant writes Canary wherever a fixture has room for words: into fields,
// elements, columns, remarks and rows of its own that no reader asks for, and
// into those that are there. The name is that of the fixture, with its folder.
// Nil where a file has no such room.
func Plant(t testing.TB, name string, data []byte) []byte {
	t.Helper()
	var rest []byte
	if ext := path.Ext(name); len(data) > plenty && (ext == ".json" || ext == ".xml") {
		data, rest = data[:plenty], data[plenty:]
	}
	with := append(plant(t, name, data), rest...)
	if !bytes.Contains(with, []byte(Canary)) {
		return nil
	}
	return with
}

func plant(t testing.TB, name string, data []byte) []byte {
	t.Helper()
	switch ext := strings.ToLower(path.Ext(name)); {
	case ext == ".json" || ext == ".jsonl":
		return jsonObject.ReplaceAll(data, []byte(`{"planted":"`+Canary+`",$1`))
	case ext == ".xml" || ext == ".gpx" || ext == ".tcx":
		data = appleName.ReplaceAll(data, []byte(`sourceName="`+Canary+`"`))
		return xmlOpening.ReplaceAll(data, []byte(`$1<planted kind="`+Canary+`">`+Canary+`</planted>`))
	case ext == ".ofx":
		return ofxOpening.ReplaceAll(data, []byte("$1<MEMO>"+Canary+"\n"))
	case ext == ".fit":
		return append(bytes.Clone(data), fitNamed(Canary)...)
	case ext == ".csv" && strings.HasPrefix(name, "10-media"):
		return bytes.ReplaceAll(data, []byte(`: `), []byte(`: `+Canary+`: `))
	case ext == ".csv" && !strings.HasPrefix(name, "08-genotype"):
		return another(data)
	case ext == ".vcf":
		return bytes.ReplaceAll(bytes.ReplaceAll(data, []byte("SAMPLEID"), []byte(Canary)), []byte("##\n"), []byte("##"+Canary+"\n"))
	case strings.HasPrefix(name, "08-genotype"):
		return append([]byte("# "+Canary+"\n"), data...)
	case strings.HasSuffix(name, "chrome.sqlite"):
		return Changed(t, data, "UPDATE urls SET title = '"+Canary+"', url = url || '?q="+Canary+"'", "INSERT INTO keyword_search_terms VALUES (1, 1, '"+Canary+"', '"+Canary+"')")
	case strings.HasSuffix(name, "qutebrowser.sqlite"):
		return Changed(t, data, "UPDATE History SET title = '"+Canary+"', url = url || '#"+Canary+"'")
	case ext == ".html":
		return bytes.ReplaceAll(data, []byte("</a>"), []byte(Canary+"</a>"))
	}
	return nil
}

// another adds a column with Canary to every row of a CSV file.
func another(data []byte) []byte {
	first, _, _ := bytes.Cut(data, []byte("\n"))
	divider := ","
	if bytes.Count(first, []byte(";")) > bytes.Count(first, []byte(",")) {
		divider = ";"
	}
	var out bytes.Buffer
	for line := range bytes.Lines(data) {
		text := bytes.TrimRight(line, "\r\n")
		out.Write(text)
		if len(text) > 0 {
			out.WriteString(divider + `"` + Canary + `"`)
		}
		out.Write(line[len(text):])
	}
	return out.Bytes()
}

// fitNamed is a FIT file that holds nothing but a name (message user_profile).
func fitNamed(name string) []byte {
	body := append([]byte{0x40, 0, 0, 3, 0, 1, 0, byte(len(name)), 7, 0}, name...)     //nolint:gosec // Canary is short
	out := binary.LittleEndian.AppendUint32([]byte{12, 16, 100, 0}, uint32(len(body))) //nolint:gosec // so is its message
	out = append(append(out, ".FIT"...), body...)
	sum := uint16(0)
	for _, b := range out {
		sum ^= uint16(b)
		for range 8 {
			if sum&1 != 0 {
				sum = sum>>1 ^ 0xA001
			} else {
				sum >>= 1
			}
		}
	}
	return binary.LittleEndian.AppendUint16(out, sum)
}

// Changed is a SQLite file after some statements; without data, a new one.
func Changed(t testing.TB, data []byte, statements ...string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "history")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite3", file)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if data, err = os.ReadFile(file); err != nil {
		t.Fatal(err)
	}
	return data
}

package islands_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/codebook"
	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/islands"
	"distributed.ai/datacoop/web/sealed"
)

// given is one export that a member adds in the browser.
type given struct {
	login, pool string
	files       []string // of the fixtures
	narrow      codebook.Narrowing
	extent      string // what the page says once something is left out
}

var gifts = []given{
	{login: "eva", pool: "wearables", files: []string{"02-fitbit-cohort/dailyActivity_merged.csv", "02-fitbit-cohort/sleepDay_merged.csv", "02-fitbit-cohort/weightLogInfo_merged.csv"}},
	{login: "finn", pool: "wearables", files: []string{"01-apple-health/alxdrcirilo/export.zip"}},
	{login: "guel", pool: "wearables", files: []string{"01-apple-health/dogsheep/export.xml"}},
	{login: "eva", pool: "bank", files: []string{"12-bank/ofx/checking.ofx"}},
	{login: "finn", pool: "bank", files: []string{"12-bank/camt-csv/camt.053.001.02.xml"}, narrow: codebook.Narrowing{Without: []string{"kind"}}, extent: "row"},
	{login: "hana", pool: "energy", files: []string{"13-energy/benchmark/fixtures/Coastal_Multi_Family_12hr_Jan_1_2011_to_Jan_1_2012_RetailCustomer_3.xml"},
		narrow: codebook.Narrowing{Without: []string{"flow"}, From: "2011-02-01", To: "2011-02-28"}, extent: "1 February 2011"},
	{login: "eva", pool: "browsing", files: []string{"11-browser/chrome.sqlite", "11-browser/merged_dump.jsonl.gz"}},
	{login: "finn", pool: "location", files: []string{"09-takeout/dogsheep/Takeout/Location History/Location History.json"}},
	{login: "hana", pool: "genotype", files: []string{"08-genotype/23andme_win.txt", "08-genotype/ancestry.txt"}},
}

func (g given) order(t *testing.T) order {
	o := order{"files": copied(t, fixtures(t, g.files...)...), "from": g.narrow.From, "to": g.narrow.To, "extent": g.extent}
	if len(g.narrow.Without) > 0 {
		o["without"] = g.narrow.Without
	}
	return o
}

// TestDataIsAddedInTheBrowser: what members add in the browser is, once a
// researcher has fetched it, exactly what the command line would have made of
// it; and no identifier of an export left the browser or reached the
// researcher.
func TestDataIsAddedInTheBrowser(t *testing.T) {
	c := openCoop(t)
	var words []string
	want := map[string][]string{} // tables by pool
	for i, g := range gifts {
		paths := fixtures(t, g.files...)
		words = append(words, identifiers(t, paths...)...)
		table := reduced(t, g.pool, g.narrow, paths...)
		want[g.pool] = append(want[g.pool], table)
		t.Run(fmt.Sprintf("%d-%s", i, g.pool), func(t *testing.T) {
			a := c.play(t, "share", g.login, g.order(t))
			if got := c.opened(t, g.login, a.Dataset, c.people[g.login].IdentityFile); got != table {
				t.Errorf("the member's own copy has %d bytes, not the %d of the table", len(got), len(table))
			}
		})
	}
	if t.Failed() {
		return
	}
	for pool, formats := range map[string]string{"bank": "ofx", "energy": "green-button", "browsing": "firefox-history", "location": "google-timeline", "genotype": "vcf"} {
		for _, login := range []string{"ivo", "june", "kai"}[len(want[pool])-1:] {
			c.shared(t, login, pool, formats)
		}
	}
	t.Run("nothing leaks", func(t *testing.T) {
		words = append(words, plantedName, "AGE-SECRET-KEY", "Alexandre", "Apple Watch", "1503960366", "export.zip", ".xml", ".csv", ".ofx")
		if len(c.leaked([]string{"fitbit-daily-activity", "very_active_minutes"})) != 2 {
			t.Error("the recorder did not see what every upload says")
		}
		for _, w := range c.leaked(words) {
			t.Errorf("%q left the browser", w)
		}
		for _, host := range c.strange {
			if !itsMaker.MatchString(host) {
				t.Errorf("the browser wanted to speak to %s", host)
			}
		}
		t.Logf("%d words of the exports looked for in %d bytes", len(words), c.sent.Len())
	})
	for pool, tables := range want {
		t.Run("researcher "+pool, func(t *testing.T) {
			got := c.fetched(t, pool)
			for _, table := range tables {
				if !slices.Contains(got, table) {
					t.Errorf("of %d files that were fetched none is the table of %d bytes", len(got), len(table))
				}
			}
			for _, w := range words {
				if slices.ContainsFunc(got, func(text string) bool { return strings.Contains(text, w) }) {
					t.Errorf("%q reached the researcher", w)
				}
			}
		})
	}
}

// itsMaker is whom Chromium calls on its own account.
var itsMaker = regexp.MustCompile(`(^|\.)(google|googleapis|gvt1|gvt2|gstatic)\.com(:[0-9]+)?$`)

var (
	wordPattern    = regexp.MustCompile(`[\p{L}\p{N}][\p{L}\p{N}@._'’+-]{5,}`) // shorter ones stand in any ciphertext by chance
	tellingPattern = regexp.MustCompile(`\p{L}{3}|[0-9]{9}`)
)

// identifiers are the words of exports that neither the codebook nor the
// programs that run in the browser know: names, addresses, numbers of accounts
// and devices. Numbers and times are left to the comparison of tables.
func identifiers(t *testing.T, paths ...string) (words []string) {
	t.Helper()
	known := ours(t)
	seen := map[string]bool{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range wordPattern.FindAllString(string(text), -1) {
			if seen[w] || strings.Contains(known, strings.ToLower(w)) || !tellingPattern.MatchString(w) {
				continue
			}
			seen[w] = true
			words = append(words, w)
		}
	}
	return words
}

// ours is every word that may be sent: those of the codebook, the API and the
// program itself, in lower case.
func ours(t *testing.T) string {
	t.Helper()
	books, err := json.Marshal(codebook.All())
	if err != nil {
		t.Fatal(err)
	}
	wire, err := os.ReadFile("../client/wire_member.go")
	if err != nil {
		t.Fatal(err)
	}
	all := []string{string(books), string(wire), "User-Agent text/html;charset=UTF-8 localhost"}
	err = fs.WalkDir(os.DirFS("."), "src", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		all = append(all, string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.ToLower(strings.Join(all, "\n"))
}

// fetched is what the researcher gets of a pool: request, payment, download,
// decryption.
func (c *coop) fetched(t *testing.T, pool string) (texts []string) {
	t.Helper()
	ctx := context.Background()
	r, err := client.New(c.base, client.WithCredentials(c.researcher.ClientID, c.researcher.ClientSecret))
	if err != nil {
		t.Fatal(err)
	}
	req, err := r.SubmitRequest(ctx, client.RequestDraft{Pool: pool, Title: "A study of " + pool, DUO: "DUO:0000042",
		DPV: "AcademicResearch", RetentionDays: 30, Recipient: c.researcher.RecipientID})
	if err != nil {
		t.Fatal(err)
	}
	inv, err := r.Accept(ctx, req.ID)
	if err != nil {
		t.Fatalf("%d granted, %d refused: %v", req.Granted, req.Refused, err)
	}
	if _, err := c.api(t, "bea").ImportBankStatement(ctx, payment(inv)); err != nil {
		t.Fatal(err)
	}
	identity, err := client.ReadIdentity(c.researcher.IdentityFile)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	got, err := r.Fetch(ctx, client.FetchOptions{Request: req.ID, Out: dir, Identities: []client.Identity{identity}})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range got.Files {
		text, err := os.ReadFile(filepath.Join(dir, f.File))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return texts
}

// payment is a bank statement (camt.053) that pays an invoice.
func payment(inv client.Invoice) []byte {
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>%[1]s</MsgId><CreDtTm>%[2]s</CreDtTm></GrpHdr>
<Stmt><Id>%[1]s</Id><Ntry><Amt Ccy="%[3]s">%[4]d.%02[5]d</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<AcctSvcrRef>%[1]s-1</AcctSvcrRef><NtryDtls><TxDtls><RmtInf><Strd><CdtrRefInf><Ref>%[1]s</Ref></CdtrRefInf></Strd></RmtInf></TxDtls></NtryDtls>
</Ntry></Stmt></BkToCstmrStmt></Document>
`, inv.Reference, time.Now().UTC().Format("2006-01-02T15:04:05Z"), inv.Currency, inv.Total/100, inv.Total%100)
}

// TestFromFirstVisitToReceipt: a member with nothing but a browser needs at
// most nine clicks, and the recovery sheet opens what they added.
func TestFromFirstVisitToReceipt(t *testing.T) {
	c := sharedCoop(t)
	file := fixtures(t, "12-bank/ofx/checking.ofx")
	a := c.play(t, "first", "lena", order{"files": file, "forget": true})
	if a.Clicks > 9 {
		t.Errorf("%d clicks", a.Clicks)
	}
	if !strings.Contains(a.Receipt, a.Dataset) || !strings.Contains(a.Receipt, "https://w3id.org/dpv") {
		t.Errorf("the consent receipt is %s", a.Receipt)
	}
	secret := bySheet(t, a.Sealed, a.Sheet)
	identity := keep(t, "my-key.txt", []byte(secret+"\n"))
	table := reduced(t, "bank", codebook.Narrowing{}, file...)
	if got := c.opened(t, "lena", a.Dataset, identity); got != table {
		t.Errorf("the sheet opens %q, not the table", got)
	}
	c.openedByStockAge(t, "lena", a.Dataset, identity, table)
	if leaks := c.leaked([]string{secret, "AGE-SECRET-KEY", a.Sheet}); len(leaks) > 0 {
		t.Error("the secret key or its code left the browser")
	}
	t.Logf("%d clicks", a.Clicks)
}

// openedByStockAge has the age command open what the browser made.
func (c *coop) openedByStockAge(t *testing.T, login, dataset, identity, want string) {
	t.Helper()
	command := testkit.CurrentAge(t)
	if command == "" {
		return
	}
	body, err := c.api(t, login).Content(context.Background(), dataset)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	run := exec.Command(command, "-d", "-i", identity)
	run.Stdin = body
	out, err := run.Output()
	if err != nil || string(out) != want {
		t.Errorf("stock age: %d bytes, not the %d of the table: %v", len(out), len(want), err)
	}
}

// bySheet opens what the page stored of a new key, with the code of its sheet.
func bySheet(t *testing.T, stored, code string) string {
	t.Helper()
	var doc sealed.Document
	if err := json.Unmarshal([]byte(stored), &doc); err != nil || doc.Validate() != nil || len(doc.Locks) != 2 {
		t.Fatalf("the page stores %s: %v", stored, err)
	}
	with, err := age.NewScryptIdentity(code)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range doc.Locks {
		file, err := base64.StdEncoding.DecodeString(l.Sealed)
		if err != nil {
			t.Fatal(err)
		}
		if l.Kind != sealed.KindSheet {
			continue
		}
		plain, err := age.Decrypt(bytes.NewReader(file), with)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(plain)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(text))
	}
	t.Fatal("there is no sheet")
	return ""
}

// TestEveryStepLooksRight shows each step to axe-core, in both themes and at
// both widths; with DATACOOP_SHOTS it keeps pictures there for people.
func TestEveryStepLooksRight(t *testing.T) {
	c := sharedCoop(t)
	for login, width := range map[string]int{"eva": 390, "finn": 1280} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			g := gifts[0]
			g.narrow.Without, g.extent = []string{"energy_kcal"}, "940"
			o := g.order(t)
			o["look"], o["axe"], o["themes"], o["forget"] = map[string]any{"width": width}, true, []string{"dark", "light"}, true
			c.play(t, "first", login, o)
		})
	}
}

// appleBegins is how Apple Health writes: with a document type of its own, in the
// file. That must not be taken for an attack.
const appleBegins = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE HealthData [
<!-- HealthKit Export Version: 14 -->
<!ELEMENT HealthData (ExportDate,Me,(Record|Correlation|Workout|ActivitySummary|ClinicalRecord|Audiogram|VisionPrescription)*)>
<!ATTLIST HealthData
  locale CDATA #REQUIRED
>
<!ELEMENT Record ((MetadataEntry|HeartRateVariabilityMetadataList)*)>
<!ATTLIST Record
  type          CDATA #REQUIRED
  unit          CDATA #IMPLIED
  value         CDATA #IMPLIED
>
]>
<HealthData locale="en_GB">
`

// TestUnfitFilesAreRefusedInSentences: each with the reducer's own sentence,
// and the page goes on.
func TestUnfitFilesAreRefusedInSentences(t *testing.T) {
	c := sharedCoop(t)
	export := bytes.Repeat([]byte("<x>0</x>"), 4<<20)
	dir := t.TempDir()
	var files [][]string
	want := map[string]string{}
	activity := fixtures(t, "02-fitbit-cohort/dailyActivity_merged.csv")
	steps, err := os.ReadFile(activity[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]struct {
		data []byte
		want string
		size int64 // of the whole file, zeros after the data
	}{
		"holiday.png":   {[]byte("\x89PNG\r\n\x1a\n and so on"), codebook.ErrUnknownFormat.Message, 0},
		"nothing.csv":   {nil, codebook.ErrEmptyFile.Message, 0},
		"locked.zip":    {zipped(t, "export.xml", "<HealthData/>", 1), codebook.ErrEncryptedFile.Message, 0},
		"bomb.zip":      {zipped(t, "apple_health_export/export.xml", "<HealthData>"+string(export), 0), codebook.ErrZipBomb.Message, 0},
		"cut.xml":       {[]byte(`<?xml version="1.0"?><HealthData locale="en"><Record type="HKQuantityTypeIdentifierStepCount"`), codebook.ErrMalformedFile.Message, 0},
		"entities.xml":  {[]byte(`<!DOCTYPE HealthData [<!ENTITY a "b">]><HealthData/>`), codebook.ErrXMLEntities.Message, 0},
		"<b>markup.csv": {[]byte("<b>bold</b>"), codebook.ErrUnknownFormat.Message, 0},
		"huge.bin":      {nil, codebook.ErrUnknownFormat.Message, 4<<30 + 1},
		"huge.csv":      {steps, codebook.ErrMalformedFile.Message, 4<<30 + 1},
		"huge.xml":      {[]byte(appleBegins), codebook.ErrMalformedFile.Message, 4<<30 + 1},
		"huge.zip":      {[]byte("PK\x03\x04"), codebook.ErrMalformedFile.Message, 4<<30 + 1},
	} {
		path := filepath.Join(dir, name)
		err := os.WriteFile(path, bad.data, 0o600)
		if err == nil && bad.size > 0 {
			err = os.Truncate(path, bad.size) // it takes no room: what is not there reads as zeros
		}
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, []string{path})
		want[name] = bad.want
	}
	slices.SortFunc(files, slices.Compare)
	good := fixtures(t, "12-bank/ofx/checking.ofx")
	files = append(files, []string{good[0], activity[0]}, []string{activity[0], filepath.Join(dir, "holiday.png")})
	want["checking.ofx"] = "These files belong to two pools: Bank movements and Wearables."
	want["dailyActivity_merged.csv"] = "It is about “holiday.png”."
	apple := appleBegins + `<Record type="HKQuantityTypeIdentifierStepCount" sourceName="P" unit="count" startDate="2026-03-01 10:00:00 +0100" endDate="2026-03-01 10:05:00 +0100" value="61"/></HealthData>`
	a := c.play(t, "refused", "eva", order{"files": files, "good": keep(t, "export.xml", []byte(apple)), "axe": true})
	for name, sentence := range want {
		if !strings.Contains(a.Sentences[name], sentence) {
			t.Errorf("%s: %q, want %q", name, a.Sentences[name], sentence)
		}
	}
	if a.After != "" {
		t.Errorf("after that a good file is refused: %s", a.After)
	}
	if leaks := c.leaked([]string{"holiday", "nothing.csv", "locked.zip"}); len(leaks) > 0 {
		t.Errorf("%q left the browser", leaks)
	}
}

// TestWhatIsDroppedOnThePageIsRead: a file, and a folder with more in it than the
// export. The table of what came is turned page by page, and shared as it is.
func TestWhatIsDroppedOnThePageIsRead(t *testing.T) {
	c := sharedCoop(t)
	activity := fixtures(t, "02-fitbit-cohort/dailyActivity_merged.csv")
	dir := t.TempDir()
	inner := filepath.Join(dir, "Takeout", "days")
	if err := os.MkdirAll(inner, 0o700); err != nil {
		t.Fatal(err)
	}
	steps, err := os.ReadFile(activity[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{filepath.Join(inner, "dailyActivity_merged.csv"): steps, filepath.Join(dir, "holiday.jpg"): []byte("\xff\xd8")} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a := c.play(t, "dropped", "kai", order{"files": fixtures(t, "12-bank/ofx/checking.ofx"), "folder": dir})
	if !strings.Contains(a.Said, "Bank movements") || strings.Contains(a.Said, "Not read") {
		t.Errorf("of the file: %s", a.Said)
	}
	if !strings.Contains(a.Text, "Wearables") || !strings.Contains(a.Text, "Not read: 1 picture.") {
		t.Errorf("of the folder: %s", a.Text)
	}
	table := reduced(t, "wearables", codebook.Narrowing{}, activity...)
	row := strings.Trim(regexp.MustCompile(`,+`).ReplaceAllString(strings.Split(table, "\n")[21], ","), ",") // columns that are empty are not shown
	if a.Sentences["first"] != "Rows 1 to 20 of 940" || a.Sentences["second"] != "Rows 21 to 40 of 940" || a.Sentences["row"] != row {
		t.Errorf("%q, want the row %s", a.Sentences, row)
	}
	if got := c.opened(t, "kai", a.Dataset, c.people["kai"].IdentityFile); got != table {
		t.Error("what was shared is not the table of the folder")
	}
}

func TestWithoutJavaScriptThePageSaysSo(t *testing.T) {
	c := sharedCoop(t)
	a := c.play(t, "plain", "eva", order{})
	for _, want := range []string{"JavaScript is switched off", "program on your own computer", "This browser cannot add data."} {
		if !strings.Contains(a.Text, want) {
			t.Errorf("the page does not say %q: %s", want, a.Text)
		}
	}
}

// large is an invented export of so many days, each about ten kilobytes of table;
// a chunk of an upload takes about eight hundred.
func large(t *testing.T, days int) (pool string, file string) {
	t.Helper()
	name, data, err := codebook.Synthesise("dexcom-clarity", 3, time.Date(2020, time.January, 6, 0, 0, 0, 0, time.UTC), days)
	if err != nil {
		t.Fatal(err)
	}
	return "glucose", keep(t, name, data)
}

// TestUploadGoesOnAfterTheLineAndThePageWereLost: nothing is sent twice beyond
// what was under way.
func TestUploadGoesOnAfterTheLineAndThePageWereLost(t *testing.T) {
	c := sharedCoop(t)
	pool, file := large(t, 1300)
	c.hold(1, trouble{cutAfter: 3 << 20})
	c.hold(3, trouble{stall: true})
	a := c.play(t, "resume", "eva", order{"files": []string{file}, "axe": true})
	table := reduced(t, pool, codebook.Narrowing{}, file)
	if got := c.opened(t, "eva", a.Dataset, c.people["eva"].IdentityFile); got != table {
		t.Error("what arrived is not the table")
	}
	if !strings.Contains(a.Pending, "Glucose") || !strings.Contains(a.OtherTab, "another tab") {
		t.Errorf("%q, %q", a.Pending, a.OtherTab)
	}
	size, twice := int64(len(table)), int64(2*8<<20)
	if sent := c.bytesUploaded(); sent < size || sent > size+size/1000+twice {
		t.Errorf("%d bytes were sent for a table of %d", sent, size)
	}
	t.Logf("table of %d bytes, %d sent in %d chunks", size, c.bytesUploaded(), c.patches)
}

// TestWithoutAFileSystemMemoryMustDo: the page says that it must stay open.
func TestWithoutAFileSystemMemoryMustDo(t *testing.T) {
	c := sharedCoop(t)
	worker, err := fs.ReadFile(islands.Assets(), "worker.js")
	if err != nil {
		t.Fatal(err)
	}
	file := fixtures(t, "12-bank/ofx/checking.ofx")
	c.hold(1, trouble{stall: true})
	a := c.play(t, "memory", "hana", order{"files": file, "worker": string(worker)})
	if !strings.Contains(a.Said, "Keep this page open") {
		t.Errorf("%q", a.Said)
	}
	if got := c.opened(t, "hana", a.Dataset, c.people["hana"].IdentityFile); got != reduced(t, "bank", codebook.Narrowing{}, file...) {
		t.Error("what arrived is not the table")
	}
}

// TestADiskThatIsFull: the page says so, nothing is lost, and it goes on once
// there is room.
func TestADiskThatIsFull(t *testing.T) {
	c := sharedCoop(t)
	worker, err := fs.ReadFile(islands.Assets(), "worker.js")
	if err != nil {
		t.Fatal(err)
	}
	pool, file := large(t, 200)
	a := c.play(t, "full", "ivo", order{"files": []string{file}, "worker": string(worker), "axe": true})
	if !strings.Contains(a.Said, "There is no room left on this device") || !strings.Contains(a.Said, "Go on") {
		t.Errorf("%q", a.Said)
	}
	if got := c.opened(t, "ivo", a.Dataset, c.people["ivo"].IdentityFile); got != reduced(t, pool, codebook.Narrowing{}, file) {
		t.Error("what arrived is not the table")
	}
}

// TestWhatIsGivenUpIsGone: here and on the server.
func TestWhatIsGivenUpIsGone(t *testing.T) {
	c := sharedCoop(t)
	file := fixtures(t, "12-bank/ofx/checking.ofx")
	c.hold(1, trouble{stall: true})
	a := c.play(t, "drop", "june", order{"files": file})
	for d, err := range c.api(t, "june").Datasets(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		if (d.ID == a.Dataset) != (d.SealedAt != nil) {
			t.Errorf("dataset %s is %s", d.ID, d.State)
		}
	}
	if got := c.opened(t, "june", a.Dataset, c.people["june"].IdentityFile); got != reduced(t, "bank", codebook.Narrowing{}, file...) {
		t.Error("what arrived is not the table")
	}
}

// howFast is how far something is that is sent, how fast it goes and how long it
// takes.
var howFast = regexp.MustCompile(`^[0-9.,]+ [kM]?B of [0-9.,]+ MB · [0-9.,]+ ([kM]B|B|bytes?) a second · about (a minute|[0-9,]+ (seconds|minutes|hours)) left$`)

func TestSignedOutInTheMiddleOfAnUpload(t *testing.T) {
	c := sharedCoop(t)
	pool, file := large(t, 1000)
	c.hold(2, trouble{stall: true})
	a := c.play(t, "expired", "finn", order{"files": []string{file}, "axe": true})
	if !strings.Contains(a.Said, "You have been signed out") || !strings.Contains(a.Said, "Nothing is lost") {
		t.Errorf("%q", a.Said)
	}
	if !slices.ContainsFunc(a.Figures, howFast.MatchString) {
		t.Errorf("nobody reads how fast it goes: %q", a.Figures)
	}
	if got := c.opened(t, "finn", a.Dataset, c.people["finn"].IdentityFile); got != reduced(t, pool, codebook.Narrowing{}, file) {
		t.Error("what arrived is not the table")
	}
}

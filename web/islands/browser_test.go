package islands_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/codebook"
	"distributed.ai/datacoop/web/client"
)

// coop is a demo server with a browser in front of it.
type coop struct {
	t        *testing.T
	dir      string
	base     string
	chromium string
	node     string
	*recorder
	people     map[string]person
	researcher struct {
		ClientID     string `json:"client_id"`
		ClientSecret string `json:"client_secret"`
		IdentityFile string `json:"identity_file"`
		RecipientID  string `json:"recipient_id"`
	}
}

type person struct {
	Login        string   `json:"login"`
	Password     string   `json:"password"`
	Token        string   `json:"token"`
	IdentityFile string   `json:"identity_file"`
	Recipient    string   `json:"recipient"`
	Roles        []string `json:"roles"`
}

// lacking skips a test for want of a program, or fails it where the browser
// is required.
func lacking(t *testing.T, what, how string) {
	t.Helper()
	if os.Getenv("DATACOOP_BROWSER") != "" {
		t.Fatalf("%s is missing: %s", what, how)
	}
	t.Skipf("%s is missing: %s", what, how)
}

func located(t *testing.T, how string, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	lacking(t, names[0], how)
	return ""
}

// openCoop starts the demo with nobody's data in it.
func openCoop(t *testing.T) *coop {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a server and a browser")
	}
	c := &coop{t: t, dir: t.TempDir(), node: located(t, "apt-get install nodejs", "node"),
		chromium: located(t, "apt-get install chromium", "chromium", "chromium-browser", "google-chrome")}
	if _, err := os.Stat("node_modules/playwright-core"); err != nil {
		lacking(t, "playwright-core", "npm ci in web/islands")
	}
	binary := filepath.Join(c.dir, "datacoop")
	if out, err := exec.Command("go", "build", "-o", binary, "distributed.ai/datacoop/cmd/datacoop").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c.start(binary)
	c.recorder = record(t, c.base)
	return c
}

// start runs the server and reads who its people are.
func (c *coop) start(binary string) {
	c.t.Helper()
	data := filepath.Join(c.dir, "data")
	run := exec.Command(binary, "demo", "--no-story", "--listen", "localhost:0", "--data", data)
	var log bytes.Buffer
	run.Stderr = &log
	out, err := run.StdoutPipe()
	if err == nil {
		err = run.Start()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		_ = run.Process.Signal(syscall.SIGTERM)
		_ = run.Wait()
		if strings.Contains(log.String(), "ERROR") {
			c.t.Errorf("the server had faults:\n%s", log.String())
		}
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "Stop with") {
	}
	var demo struct {
		BaseURL    string   `json:"base_url"`
		Members    []person `json:"members"`
		Researcher any      `json:"researcher"`
	}
	demo.Researcher = &c.researcher
	text, err := os.ReadFile(filepath.Join(data, "demo.json"))
	if err != nil || json.Unmarshal(text, &demo) != nil {
		c.t.Fatalf("no demo.json: %v\n%s", err, log.String())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	c.base, c.people = demo.BaseURL, map[string]person{}
	for _, p := range demo.Members {
		c.people[p.Login] = p
	}
}

// order is what a journey is told; answer what came of it.
type order map[string]any

type answer struct {
	Clicks     int               `json:"clicks"`
	Complaints []string          `json:"complaints"`
	Failed     string            `json:"failed"`
	Refused    string            `json:"refused"`
	Extent     string            `json:"extent"`
	Sheet      string            `json:"sheet"`
	Sealed     string            `json:"sealed"`
	Dataset    string            `json:"dataset"`
	Datasets   []string          `json:"datasets"`
	Left       []string          `json:"left"`
	Receipt    string            `json:"receipt"`
	Sentences  map[string]string `json:"sentences"`
	After      string            `json:"after"`
	Text       string            `json:"text"`
	Pending    string            `json:"pending"`
	OtherTab   string            `json:"otherTab"`
	Said       string            `json:"said"`
}

// play plays a journey as a member. Nothing may fail and the browser may
// complain about nothing.
func (c *coop) play(t *testing.T, journey, login string, o order) answer {
	t.Helper()
	all := order{"journey": journey, "login": login, "password": c.people[login].Password, "base": c.base,
		"proxy": c.server.URL, "control": c.control.URL, "chromium": c.chromium,
		"shots": os.Getenv("DATACOOP_SHOTS"), "tag": regexp.MustCompile(`\W+`).ReplaceAllString(t.Name(), "-")}
	for name, value := range o {
		all[name] = value
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(context.Background(), 8*time.Minute)
	defer stop()
	run := exec.CommandContext(ctx, c.node, "browser/journey.mjs")
	run.Stdin, run.Stderr = bytes.NewReader(text), os.Stderr
	out, err := run.Output()
	var a answer
	if err != nil || json.Unmarshal(out, &a) != nil {
		t.Fatalf("%s: %v: %s", journey, err, out)
	}
	if a.Failed != "" || a.Refused != "" {
		t.Fatalf("%s: %s%s", journey, a.Failed, a.Refused)
	}
	for _, complaint := range a.Complaints {
		t.Errorf("the browser complains: %s", complaint)
	}
	return a
}

// api is a member's client beside the browser.
func (c *coop) api(t *testing.T, login string) *client.Client {
	t.Helper()
	api, err := client.New(c.base, client.WithToken(c.people[login].Token))
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// copied puts an export under a name that carries an e-mail address, as some
// providers do, and answers its path.
func copied(t *testing.T, paths ...string) (out []string) {
	t.Helper()
	dir := t.TempDir()
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, plantedName+filepath.Base(path))
		if err := os.WriteFile(to, data, 0o600); err != nil {
			t.Fatal(err)
		}
		out = append(out, to)
	}
	return out
}

const plantedName = "jan.de.vries@mail.example_"

func fixtures(t *testing.T, names ...string) (out []string) {
	t.Helper()
	for _, name := range names {
		out = append(out, testkit.Fixture(t, name))
	}
	return out
}

// reduced is the table of files as the command line makes it.
func reduced(t *testing.T, pool string, n codebook.Narrowing, paths ...string) string {
	t.Helper()
	var inputs []codebook.Input
	for _, path := range paths {
		in, err := client.InputFile(path)
		if err != nil {
			t.Fatal(err)
		}
		inputs = append(inputs, in)
	}
	table, profile, err := codebook.Reduce(pool, inputs...)
	if err == nil {
		table, _, err = table.Narrow(profile, n)
	}
	var csv strings.Builder
	if err != nil || table.WriteCSV(&csv) != nil {
		t.Fatalf("%s: %v", pool, err)
	}
	return csv.String()
}

// opened downloads a member's own dataset and opens it with a recovery sheet
// or an identity file.
func (c *coop) opened(t *testing.T, login, dataset, identityFile string) string {
	t.Helper()
	identity, err := client.ReadIdentity(identityFile)
	if err != nil {
		t.Fatal(err)
	}
	body, err := c.api(t, login).Content(context.Background(), dataset)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	var plain strings.Builder
	if _, err := identity.Decrypt(&plain, body); err != nil {
		t.Fatal(err)
	}
	return plain.String()
}

// shared adds invented data of a member through the Go client.
func (c *coop) shared(t *testing.T, login, pool, format string) {
	t.Helper()
	name, data, err := codebook.Synthesise(format, 5, time.Date(2026, time.June, 1, 0, 0, 0, 0, time.UTC), 20)
	if err != nil {
		t.Fatal(err)
	}
	key, err := client.NewSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	api := c.api(t, login)
	terms := client.Terms{Effect: "given", Purposes: []string{"DUO:0000042"}, RequesterKinds: []string{"university"}}
	err = api.SetSigningKey(context.Background(), key.Public().(ed25519.PublicKey))
	if err == nil {
		_, err = api.Share(context.Background(), client.ShareOptions{Pool: pool, Inputs: []codebook.Input{codebook.Bytes(name, data)},
			Recipient: c.people[login].Recipient, SigningKey: key, Consent: &terms, Dir: t.TempDir()})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// zipped makes an archive of one file.
func zipped(t *testing.T, name, text string, flags uint16) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Flags: flags})
	if err == nil {
		_, err = io.WriteString(f, text)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

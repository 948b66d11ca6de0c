package islands_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/codebook"
	"distributed.ai/datacoop/web/client"
)

// coop is a demo server with a browser in front of it.
type coop struct {
	*server
	chromium string
	node     string
	*recorder
}

// server is a running demo.
type server struct {
	dir        string
	base       string
	people     map[string]person
	researcher struct {
		ClientID     string `json:"client_id"`
		ClientSecret string `json:"client_secret"`
		IdentityFile string `json:"identity_file"`
		RecipientID  string `json:"recipient_id"`
	}
	run *exec.Cmd
	log bytes.Buffer
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

// workshop is the folder of what the tests of this package share, and the server
// among it; both end with the package.
var workshop struct {
	dir  string
	once sync.Once
	err  error
	*server
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "islands")
	if err != nil {
		panic(err)
	}
	workshop.dir = dir
	code := m.Run()
	if err := workshop.server.stop(); err != nil {
		fmt.Println(err)
		code = 1
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// compiled is the server's program, made once.
var compiled = sync.OnceValues(func() (string, error) {
	binary := filepath.Join(workshop.dir, "datacoop")
	out, err := exec.Command("go", "build", "-o", binary, "distributed.ai/datacoop/cmd/datacoop").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, out)
	}
	return binary, err
})

// browsed finds what a browser needs.
func browsed(t *testing.T) *coop {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a server and a browser")
	}
	c := &coop{node: located(t, "apt-get install nodejs", "node"), chromium: located(t, "apt-get install chromium", "chromium", "chromium-browser", "google-chrome")}
	if _, err := os.Stat("node_modules/playwright-core"); err != nil {
		lacking(t, "playwright-core", "npm ci in web/islands")
	}
	return c
}

// openCoop starts the demo with nobody's data in it.
func openCoop(t *testing.T) *coop {
	t.Helper()
	c := browsed(t)
	var err error
	if c.server, err = serve(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.stop(); err != nil {
			t.Error(err)
		}
	})
	c.recorder = record(t, c.base)
	return c
}

// sharedCoop is one server for all who mind no other's data: of no two of them
// does the same member add to the same pool.
func sharedCoop(t *testing.T) *coop {
	t.Helper()
	c := browsed(t)
	workshop.once.Do(func() { workshop.server, workshop.err = serve(filepath.Join(workshop.dir, "shared")) })
	if workshop.err != nil {
		t.Fatal(workshop.err)
	}
	c.server = workshop.server
	c.recorder = record(t, c.base)
	return c
}

// serve runs a server and reads who its people are.
func serve(dir string) (*server, error) {
	binary, err := compiled()
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	s := &server{dir: dir, people: map[string]person{}, run: exec.Command(binary, "demo", "--no-story", "--listen", "localhost:0", "--data", data)}
	s.run.Stderr = &s.log
	out, err := s.run.StdoutPipe()
	if err == nil {
		err = s.run.Start()
	}
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "Stop with") {
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	var demo struct {
		BaseURL    string   `json:"base_url"`
		Members    []person `json:"members"`
		Researcher any      `json:"researcher"`
	}
	demo.Researcher = &s.researcher
	text, err := os.ReadFile(filepath.Join(data, "demo.json"))
	if err == nil {
		err = json.Unmarshal(text, &demo)
	}
	if err != nil {
		return nil, errors.Join(err, s.stop(), errors.New(s.log.String()))
	}
	s.base = demo.BaseURL
	for _, p := range demo.Members {
		s.people[p.Login] = p
	}
	return s, nil
}

// stop ends a server, which must have had no faults.
func (s *server) stop() error {
	if s == nil {
		return nil
	}
	_ = s.run.Process.Signal(syscall.SIGTERM)
	_ = s.run.Wait()
	if strings.Contains(s.log.String(), "ERROR") {
		return fmt.Errorf("the server had faults:\n%s", s.log.String())
	}
	return nil
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
	Figures    []string          `json:"figures"` // of progress, while something was sent
}

// play plays a journey as a member. Nothing may fail and the browser may
// complain about nothing.
func (c *coop) play(t *testing.T, journey, login string, o order) answer {
	t.Helper()
	all := order{"journey": journey, "login": login, "password": c.people[login].Password, "base": c.base,
		"proxy": c.proxied.URL, "control": c.control.URL, "chromium": c.chromium,
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

package islands_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/evanw/esbuild/pkg/api"

	"distributed.ai/datacoop/vault/header"
	"distributed.ai/datacoop/web/client"
	"distributed.ai/datacoop/web/islands"
)

// trial is one encryption in the browser.
type trial struct {
	Size  int64  `json:"size"`
	Stock bool   `json:"stock"`
	Piece int    `json:"piece,omitempty"` // 0: from a file
	To    string `json:"to"`              // page, nowhere or store
	Own   string `json:"own,omitempty"`
	Vault string `json:"vault,omitempty"`
}

// outcome is what the page says about a trial.
type outcome struct {
	Ms     float64 `json:"ms"`
	Native bool    `json:"native"`
	Print  string  `json:"print"` // digest of what was encrypted
	Stall  float64 `json:"stall"` // longest time the page itself did nothing, ms
	Sealed struct {
		Size       int64  `json:"size"`
		Header     string `json:"header"`
		Payload    string `json:"payload"`
		HeaderSize int64  `json:"headerSize"`
	} `json:"sealed"`
	file []byte
}

// page tries one encryption after the other and sends in how it went. It is a
// plain page, without a debugger attached, because that slows messages down.
const page = `
const trials = %s;
addEventListener("error", (e) => fetch("end", { method: "POST", body: e.message }));
const scripts = trustedTypes.createPolicy("worker", { createScriptURL: (u) => u });
(async () => {
  for (const [i, trial] of trials.entries()) {
    let stall = 0, last = performance.now();
    const beat = setInterval(() => { const now = performance.now(); stall = Math.max(stall, now - last - 5); last = now; }, 5);
    const worker = new Worker(scripts.createScriptURL("cipher.js"));
    const done = await new Promise((answer, fail) => {
      worker.onmessage = (m) => answer(m.data);
      worker.onerror = (e) => fail(new Error(e.message));
      worker.postMessage(trial);
    });
    clearInterval(beat);
    worker.terminate();
    const { file, ...said } = done;
    await fetch("file?trial=" + i, { method: "POST", body: file });
    await fetch("said?trial=" + i, { method: "POST", body: JSON.stringify({ ...said, stall }) });
  }
  await fetch("end", { method: "POST", body: "" });
})().catch((err) => fetch("end", { method: "POST", body: String(err) }));
`

// inBrowser runs trials in headless Chromium and answers how each went, and
// the most memory that one of its pages held, in bytes.
func inBrowser(t testing.TB, trials ...trial) (out []outcome, held int64) {
	t.Helper()
	chromium, script := browserPath(t), tried(t)
	out = make([]outcome, len(trials))
	ended := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i, _ := strconv.Atoi(r.URL.Query().Get("trial"))
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		switch w.Header().Set("Content-Security-Policy", islands.PagePolicy); r.URL.Path {
		case "/":
			_, _ = io.WriteString(w, `<!doctype html><title>Encryption</title><script src="page.js"></script>`)
		case "/page.js":
			w.Header().Set("Content-Type", "text/javascript")
			text, _ := json.Marshal(trials)
			fmt.Fprintf(w, page, text)
		case "/cipher.js":
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write(script)
		case "/file":
			out[i].file = body
		case "/said":
			if err := json.Unmarshal(body, &out[i]); err != nil {
				t.Error(err)
			}
		case "/end":
			ended <- string(body)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	run := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
		"--user-data-dir="+t.TempDir(), strings.Replace(server.URL, "127.0.0.1", "localhost", 1))
	run.Cancel = func() error { return run.Process.Signal(os.Interrupt) }
	run.WaitDelay = 10 * time.Second
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { stop(); _ = run.Wait() }()
	every, late := time.NewTicker(100*time.Millisecond), time.After(5*time.Minute)
	for {
		select {
		case why := <-ended:
			if why != "" {
				t.Fatal(why)
			}
			return out, held
		case <-late:
			t.Fatal("the browser says nothing")
		case <-every.C:
			held = max(held, renderer())
		}
	}
}

// tried is the Worker of the trials.
func tried(t testing.TB) []byte {
	result := api.Build(api.BuildOptions{EntryPoints: []string{"browser/cipher.ts"}, AbsWorkingDir: here(t), Outdir: t.TempDir(),
		Alias: aliases("vendor"), Bundle: true, LogLevel: api.LogLevelSilent, Platform: api.PlatformBrowser, Format: api.FormatIIFE, Target: api.ES2022,
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true})
	if len(result.Errors) > 0 {
		t.Fatal(result.Errors)
	}
	return result.OutputFiles[0].Contents
}

// renderer is what the largest page of a Chromium of ours holds, in bytes.
func renderer() (most int64) {
	names, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, name := range names {
		if line, _ := os.ReadFile(name); !bytes.Contains(line, []byte("--type=renderer")) {
			continue
		}
		text, _ := os.ReadFile(filepath.Join(filepath.Dir(name), "statm"))
		if fields := strings.Fields(string(text)); len(fields) > 1 {
			pages, _ := strconv.ParseInt(fields[1], 10, 64)
			most = max(most, pages*int64(os.Getpagesize()))
		}
	}
	return most
}

func browserPath(t testing.TB) string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("DATACOOP_BROWSER") != "" {
		t.Fatal("chromium is missing: apt-get install chromium")
	}
	t.Skip("chromium is missing: apt-get install chromium")
	return ""
}

// invented is what the Worker encrypts.
func invented(size int64) []byte {
	out := make([]byte, size)
	for i := range out {
		at := i % (1 << 20)
		out[i] = byte(at*31 + at>>8)
	}
	return out
}

// TestWhatTheBrowserEncryptsOpens holds the browser's own cipher and the
// library's against Go's age, at the edges of chunks, for both kinds of keys.
func TestWhatTheBrowserEncryptsOpens(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	var trials []trial
	var keys []client.Identity
	add := func(own, vault client.Identity, o trial) {
		o.To, o.Own, o.Vault = "page", own.Recipient(), vault.Recipient()
		trials, keys = append(trials, o), append(keys, own)
	}
	for _, classic := range []bool{false, true} {
		own, err := client.Keygen(classic)
		if err != nil {
			t.Fatal(err)
		}
		vault, err := client.Keygen(classic)
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []int64{0, 1, 64<<10 - 1, 64 << 10, 64<<10 + 1, 128 << 10, 3<<20 + 7} {
			for _, stock := range []bool{false, true} {
				add(own, vault, trial{Size: size, Stock: stock, Piece: 1 << 20})
			}
		}
		for _, piece := range []int{1000, 64<<10 - 1, 64 << 10, 64<<10 + 1, 100_003, 128 << 10} {
			add(own, vault, trial{Size: 384 << 10, Piece: piece})
		}
	}
	for _, stock := range []bool{false, true} {
		add(keys[0], keys[0], trial{Size: 32<<20 + 1, Stock: stock}) // more than is digested at once
	}
	outcomes, _ := inBrowser(t, trials...)
	if !outcomes[0].Native {
		t.Log("this browser has no cipher of its own; both ways were the library's")
	}
	for i, o := range outcomes {
		if o.Native && trials[i].Stock {
			t.Error("the fallback was not tried")
		}
		if err := opens(o, trials[i], keys[i]); err != nil {
			t.Errorf("%d bytes, %d at a time, stock %v: %v", trials[i].Size, trials[i].Piece, trials[i].Stock, err)
		}
	}
}

func opens(o outcome, want trial, key client.Identity) error {
	var plain bytes.Buffer
	if _, err := key.Decrypt(&plain, bytes.NewReader(o.file)); err != nil {
		return err
	}
	if !bytes.Equal(plain.Bytes(), invented(want.Size)) {
		return errors.New("it opens to something else")
	}
	hdr, payload, err := header.Split(bytes.NewReader(o.file))
	if err != nil {
		return err
	}
	rest, err := io.ReadAll(payload)
	if err != nil {
		return err
	}
	if info, err := header.Inspect(hdr); err != nil || len(info.Stanzas) != 2 {
		return fmt.Errorf("header: %+v %w", info, err)
	}
	h, p, plainly := sha256.Sum256(hdr), sha256.Sum256(rest), sha256.Sum256(plain.Bytes())
	if o.Print != hex.EncodeToString(plainly[:]) {
		return errors.New("the Worker digested something else")
	}
	if s := o.Sealed; s.Header != hex.EncodeToString(h[:]) || s.Payload != hex.EncodeToString(p[:]) || s.HeaderSize != int64(len(hdr)) || s.Size != int64(len(o.file)) {
		return fmt.Errorf("the Worker describes another file: %+v", s)
	}
	return nil
}

// BenchmarkBrowserEncryption encrypts a file of half a gigabyte in a Worker and
// throws the ciphertext away, with the browser's cipher and with the library's,
// and the same file with the age command; all in turns, three times. It tells
// medians, and the worst stall of the page and its most memory.
//
// stored-MB/s is the speed of what an upload does until it sends, for a table of
// 30 MiB: besides being encrypted, the table is digested, and the ciphertext
// goes to the browser's private file system. A table of more than 32 MiB is
// digested in JavaScript, which is slower than the cipher. Left out is what
// makes the table, the reducer, and the sending, during which the payload's
// digest is taken.
func BenchmarkBrowserEncryption(b *testing.B) {
	const size, table, rounds = 500 << 20, 30 << 20, 3
	stock, err := exec.LookPath("age")
	if err != nil {
		b.Skip("age is not installed: apt-get install age")
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		b.Fatal(err)
	}
	plain := filepath.Join(b.TempDir(), "plain")
	if err := os.WriteFile(plain, invented(size), 0o600); err != nil {
		b.Fatal(err)
	}
	own := id.Recipient().String()
	ways := []trial{{To: "nowhere", Size: size}, {To: "nowhere", Size: size, Stock: true}, {To: "store", Size: table}}
	for b.Loop() {
		var took [4][]float64 // seconds: the three ways, then age
		var stall float64
		var held int64
		for range rounds {
			for i, way := range ways {
				way.Own, way.Vault = own, own
				outcomes, most := inBrowser(b, way)
				took[i] = append(took[i], outcomes[0].Ms/1e3)
				stall, held = max(stall, outcomes[0].Stall), max(held, most)
			}
			took[3] = append(took[3], aged(b, stock, own, plain))
		}
		ours := median(took[0])
		b.ReportMetric(size/1e6/ours, "MB/s")
		b.ReportMetric(median(took[1])/ours, "x-stock")
		b.ReportMetric(median(took[3])/ours, "x-age")
		b.ReportMetric(table/1e6/median(took[2]), "stored-MB/s")
		b.ReportMetric(stall, "stall-ms")
		b.ReportMetric(float64(held)/1e6, "page-MB")
	}
}

// aged is how many seconds the age command takes for a file.
func aged(b *testing.B, command, recipient, path string) float64 {
	plain, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer plain.Close()
	run := exec.Command(command, "-r", recipient, "-r", recipient, "-o", os.DevNull)
	run.Stdin = plain
	begun := time.Now()
	if text, err := run.CombinedOutput(); err != nil {
		b.Fatalf("%v %s", err, text)
	}
	return time.Since(begun).Seconds()
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

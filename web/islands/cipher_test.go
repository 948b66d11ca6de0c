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
	Keep  bool   `json:"keep"`
	Own   string `json:"own,omitempty"`
	Vault string `json:"vault,omitempty"`
}

// outcome is what the page says about a trial.
type outcome struct {
	Ms     float64 `json:"ms"`
	Native bool    `json:"native"`
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
	chromium := browserPath(t)
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
			_, _ = w.Write(tried(t))
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
				trials = append(trials, trial{Size: size, Stock: stock, Keep: true, Own: own.Recipient(), Vault: vault.Recipient()})
				keys = append(keys, own)
			}
		}
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
			t.Errorf("%d bytes, stock %v: %v", trials[i].Size, trials[i].Stock, err)
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
	h, p := sha256.Sum256(hdr), sha256.Sum256(rest)
	if s := o.Sealed; s.Header != hex.EncodeToString(h[:]) || s.Payload != hex.EncodeToString(p[:]) || s.HeaderSize != int64(len(hdr)) || s.Size != int64(len(o.file)) {
		return fmt.Errorf("the Worker describes another file: %+v", s)
	}
	return nil
}

// BenchmarkBrowserEncryption encrypts half a gigabyte in a Worker, with the
// browser's cipher and with the library's, and the same with the age command.
func BenchmarkBrowserEncryption(b *testing.B) {
	const size = 500 << 20
	stock, err := exec.LookPath("age")
	if err != nil {
		b.Skip("age is not installed: apt-get install age")
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		outcomes, held := inBrowser(b, trial{Size: size, Own: id.Recipient().String(), Vault: id.Recipient().String()},
			trial{Size: size, Stock: true, Own: id.Recipient().String(), Vault: id.Recipient().String()})
		ours, theirs := outcomes[0].Ms/1e3, outcomes[1].Ms/1e3
		command := exec.Command(stock, "-r", id.Recipient().String(), "-o", os.DevNull)
		command.Stdin = bytes.NewReader(invented(size))
		begun := time.Now()
		if text, err := command.CombinedOutput(); err != nil {
			b.Fatalf("%v %s", err, text)
		}
		b.ReportMetric(size/1e6/ours, "MB/s")
		b.ReportMetric(theirs/ours, "x-stock")
		b.ReportMetric(time.Since(begun).Seconds()/ours, "x-age")
		b.ReportMetric(outcomes[0].Stall, "stall-ms")
		b.ReportMetric(float64(held)/1e6, "page-MB")
	}
}

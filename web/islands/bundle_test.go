package islands_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"

	"distributed.ai/datacoop/web/islands"
)

var update = flag.Bool("update", false, "renew vendor from node_modules, where there is one, and rewrite dist")

// toolchain is the Go release that the committed reducer was built with.
// Another one compiles the same source to other bytes.
const toolchain = "go1.26.8"

// here is the folder of this package.
func here(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// bundled builds the scripts with the packages in a folder and answers them
// with the names of all files that went into them.
func bundled(t testing.TB, packages string) (files map[string][]byte, inputs []string) {
	t.Helper()
	dir := here(t)
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{"src/add.ts", "src/own.ts", "src/worker.ts"}, AbsWorkingDir: dir, Outdir: filepath.Join(dir, "dist"),
		Alias: aliases(packages), Bundle: true, Metafile: true, LogLevel: api.LogLevelSilent,
		Platform: api.PlatformBrowser, Format: api.FormatIIFE, Target: api.ES2022, Charset: api.CharsetUTF8,
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true, LegalComments: api.LegalCommentsNone,
		TsconfigRaw: `{"compilerOptions":{"target":"ES2022","useDefineForClassFields":true}}`,
		Banner:      map[string]string{"js": "/* Apache-2.0; licences of others are in licences.txt beside this file */"},
	})
	for _, m := range result.Errors {
		t.Error(m.Text, m.Location)
	}
	var meta struct {
		Inputs map[string]json.RawMessage `json:"inputs"`
	}
	if t.Failed() || json.Unmarshal([]byte(result.Metafile), &meta) != nil {
		t.Fatal("the scripts do not build")
	}
	files = map[string][]byte{}
	for _, f := range result.OutputFiles {
		files[filepath.Base(f.Path)] = f.Contents
	}
	return files, slices.Sorted(maps.Keys(meta.Inputs))
}

// aliases send imports of packages to their copies in a folder. Without them
// esbuild would find node_modules by itself, where there is one.
func aliases(folder string) map[string]string {
	out := map[string]string{}
	for _, name := range []string{"age-encryption", "@noble/ciphers", "@noble/curves", "@noble/hashes", "@noble/post-quantum", "@scure/base"} {
		out[name] = "./" + folder + "/" + name
	}
	return out
}

// built is everything that belongs into dist, but for the reducer.
func built(t testing.TB) map[string][]byte {
	t.Helper()
	files, _ := bundled(t, "vendor")
	style, err := os.ReadFile("src/add.css")
	if err != nil {
		t.Fatal(err)
	}
	files["add.css"] = style
	files["licences.txt"] = licences(t)
	return files
}

// licences are those of every vendored package, one after the other.
func licences(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, name := range vendored(t) {
		if !strings.HasPrefix(path.Base(name), "LICENSE") {
			continue
		}
		text, err := os.ReadFile(filepath.Join("vendor", name))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "%s\n\n%s\n\n", path.Dir(name), bytes.TrimSpace(text))
	}
	return out.Bytes()
}

func vendored(t testing.TB) (names []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS("vendor"), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// reducer builds the WebAssembly program, packed.
func reducer(t testing.TB) []byte {
	t.Helper()
	if runtime.Version() != toolchain {
		t.Skipf("this is %s; the committed reducer was built with %s", runtime.Version(), toolchain)
	}
	out := filepath.Join(t.TempDir(), "reducer.wasm")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", out, "./reducer")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0", "GOTOOLCHAIN=local", "GOFLAGS=", "GOWASM=", "GOEXPERIMENT=", "GODEBUG=")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	program, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(program); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// compare holds a built file against the committed one, or commits it.
func compare(t *testing.T, name string, data []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(filepath.Join("dist", name), data, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	committed, err := fs.ReadFile(islands.Assets(), name)
	if err != nil || !bytes.Equal(committed, data) {
		t.Errorf("dist/%s is not what its sources build (%d bytes, %d built); run go generate in web/islands: %v", name, len(committed), len(data), err)
	}
}

func TestBundleIsWhatItsSourcesBuild(t *testing.T) {
	if *update {
		vendor(t)
	}
	files := built(t)
	for name, data := range files {
		compare(t, name, data)
	}
	entries, err := fs.ReadDir(islands.Assets(), ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, ok := files[e.Name()]; !ok && e.Name() != "reducer.wasm.gz" {
			t.Errorf("dist/%s has no source", e.Name())
		}
	}
}

func TestTheTypesOfTheScriptsHold(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed: apt-get install nodejs")
	}
	if _, err := os.Stat("node_modules/typescript"); err != nil {
		t.Skip("TypeScript is not installed: npm ci in web/islands")
	}
	if out, err := exec.Command(node, "node_modules/typescript/bin/tsc", "--noEmit", "-p", ".").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestBundleHasTheReducerOfThisSource(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the standard library for WebAssembly")
	}
	compare(t, "reducer.wasm.gz", reducer(t))
}

// TestVendorIsNeededAndOriginal: nothing is vendored but what is bundled, with
// the licence and the description of its package; where npm has installed the
// originals, they are the same.
func TestVendorIsNeededAndOriginal(t *testing.T) {
	_, inputs := bundled(t, "vendor")
	var needed []string
	for _, name := range inputs {
		if rest, ok := strings.CutPrefix(name, "vendor/"); ok {
			needed = append(needed, rest)
		}
	}
	for _, name := range vendored(t) {
		base := path.Base(name)
		if base != "package.json" && !strings.HasPrefix(base, "LICENSE") && !slices.Contains(needed, name) {
			t.Errorf("vendor/%s is in no bundle", name)
		}
		if original, err := os.ReadFile(filepath.Join("node_modules", name)); err == nil {
			if copied, _ := os.ReadFile(filepath.Join("vendor", name)); !bytes.Equal(original, copied) {
				t.Errorf("vendor/%s is not the package's own file", name)
			}
		}
	}
	for _, name := range needed {
		if _, err := os.Stat(filepath.Join("vendor", packageOf(name), "LICENSE")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVendoredGoSupportIsTheToolchains(t *testing.T) {
	if runtime.Version() != toolchain {
		t.Skipf("this is %s; the committed support script belongs to %s", runtime.Version(), toolchain)
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	original, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		t.Skipf("this installation of Go has no wasm_exec.js: %v", err)
	}
	if copied, err := os.ReadFile("vendor/go/wasm_exec.js"); err != nil || !bytes.Equal(original, copied) {
		t.Errorf("vendor/go/wasm_exec.js is another one: %v", err)
	}
}

// packageOf is the folder of a vendored file's package.
func packageOf(name string) string {
	parts := strings.SplitN(name, "/", 3)
	if strings.HasPrefix(name, "@") {
		return path.Join(parts[0], parts[1])
	}
	return parts[0]
}

// vendor copies from node_modules what the scripts need.
func vendor(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("node_modules/age-encryption"); errors.Is(err, fs.ErrNotExist) {
		t.Log("npm ci was not run: vendor stays as it is")
		return
	}
	for _, name := range vendored(t) {
		if !strings.HasPrefix(name, "go/") {
			if err := os.Remove(filepath.Join("vendor", name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, inputs := bundled(t, "node_modules")
	copies := map[string]bool{}
	for _, name := range inputs {
		if rest, ok := strings.CutPrefix(name, "node_modules/"); ok {
			copies[rest] = true
			copies[path.Join(packageOf(rest), "package.json")] = true
			copies[path.Join(packageOf(rest), "LICENSE")] = true
		}
	}
	for name := range copies {
		data, err := os.ReadFile(filepath.Join("node_modules", name))
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join("vendor", name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, data, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}

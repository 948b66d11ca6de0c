// Package internal_test holds the house to its own plan: who may import whom,
// who names which table, and how large things may grow. It parses the sources
// itself, because a cached run of go list would not notice a change.
package internal_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "distributed.ai/datacoop"

// floors is the house, from the ground up. A package imports only lower
// floors, never its own.
var floors = map[string]int{
	"internal/child": 0,
	"internal/coop":  0,
	"internal/fault": 0,

	"internal/language": 0,

	"marketplace/appraisal/fakellm": 0,

	"internal/db":          1,
	"vault/header":         1,
	"marketplace/codebook": 1,

	"internal/audit": 2,
	"internal/jobs":  2,
	"internal/once":  2,

	"policies": 3,

	"consent":                         4,
	"policies/rehearsal":              4,
	"policies/document":               4,
	"marketplace/appraisal/agreement": 4,
	"marketplace/appraisal/checklist": 4,
	"marketplace/appraisal/jury":      4,
	"marketplace/appraisal/learning":  4,

	"vault":                 5,
	"governance":            5,
	"marketplace/ledger":    5,
	"marketplace/appraisal": 5,

	"marketplace/appraisal/comparison": 5,
	"marketplace/appraisal/spotcheck":  5,

	"marketplace": 6,

	"governance/inbox":          7,
	"web/client":                7,
	"web/authserver":            7,
	"marketplace/appraisal/llm": 7,

	"web":           8,
	"internal/demo": 8,

	"cmd/datacoop": 9,
}

// annexes are packages a room keeps for itself, because it would be too large
// without them. They stand just below their room and only it and those after
// them in this list may import them.
var annexes = []string{
	"policies/trees",
	"policies/condition",
	"policies/document/odrl",
	"consent/terms",
	"consent/proof",
	"consent/papers",
	"consent/ask",
	"consent/cohort",
	"consent/freeze",
	"vault/bucket",
	"vault/blobs",
	"vault/keystore",
	"vault/papers",
	"vault/reserve",
	"vault/hygiene",
	"marketplace/codebook/decimal",
	"marketplace/codebook/stream",
	"marketplace/codebook/calendar",
	"marketplace/codebook/fit",
	"marketplace/codebook/track",
	"marketplace/codebook/sqlite",
	"marketplace/codebook/genome",
	"marketplace/codebook/journey",
	"marketplace/codebook/sites",
	"marketplace/codebook/plays",
	"marketplace/codebook/concept",
	"marketplace/codebook/record",
	"marketplace/codebook/cgm",
	"marketplace/codebook/statement",
	"marketplace/codebook/fitbit",
	"marketplace/codebook/synth",
	"marketplace/bank",
	"marketplace/desk",
	"marketplace/related",
	"marketplace/treasury",
	"marketplace/closing",
	"marketplace/dispute",
	"marketplace/outcome",
	"marketplace/herald",
	"marketplace/patronage",
	"marketplace/accrual",
	"marketplace/cluster",
	"marketplace/appeals",
	"marketplace/adoption",
	"marketplace/alarm",
	"marketplace/veil",
	"marketplace/headcount",
	"marketplace/outlook",
	"marketplace/review",
	"marketplace/nearest",
	"marketplace/calibration",
	"marketplace/shadow",
	"marketplace/split",
	"governance/gitsource",
	"governance/trial",
	"governance/inbox/mail",
	"web/client/rest",
	"web/client/resume",
	"web/client/accounts",
	"web/authserver/passkey",
	"web/authserver/held",
	"web/authserver/peer",
	"web/authserver/templates",
	"web/islands/reducer",
	"web/islands",
	"web/entry",
	"web/portable",
	"web/stepup",
	"web/sealed",
	"web/signin",
	"web/takeaway",
	"web/farewell",
	"web/lawbook",
	"web/terms",
	"web/appeals",
	"web/incident",
	"web/money",
	"web/portal/consenting",
	"web/portal/health",
	"web/portal/notice",
	"web/portal/chart",
	"web/portal/feed",
	"web/portal/static",
	"web/portal/hearings",
	"web/portal/complaints",
	"web/portal/glossary",
	"web/portal/words",
	"web/portal/annals",
	"web/portal/typed",
	"web/portal",
	"web/lessons",
	"web/offer",
	"web/share",
	"web/bereavement",
	"web/results",
	"web/messages",
	"web/console",
	"web/account",
	"web/tus",
	"web/patience",
	"web/waymark",
	"cmd/datacoop/approval",
	"cmd/datacoop/exports",
	"cmd/datacoop/render",
	"cmd/datacoop/custody",
	"cmd/datacoop/bench/cassette",
	"cmd/datacoop/bench/trial",
	"cmd/datacoop/bench/process",
	"cmd/datacoop/bench",
	"cmd/datacoop/founding",
	"cmd/datacoop/proof",
	"cmd/datacoop/law",
	"cmd/datacoop/treasury",
	"cmd/datacoop/ops",
	"cmd/datacoop/meter",
}

// purposes says what each floor is there for, so that a refusal explains itself.
var purposes = [...]string{
	0: "the ground: words and error kinds, which depend on nothing",
	1: "the foundation: one database, age headers and codebooks, which know no rules",
	2: "the foundation: what happened, what must happen and idempotency, which know no domain",
	3: "the law book, which judges what it is given and looks nothing up",
	4: "the conscience: no delivery without a permit, so consent knows nobody who delivers; and the rehearsal of new law, which knows nobody at all",
	5: "strongroom, council hall, ledger and appraisal, each of which works without the others",
	6: "the market, which joins the rooms below and knows no HTTP",
	7: "client, issuer, judge and postman, which reach the house from outside, or the outside from the house",
	8: "the hall, which speaks HTTP and holds no rules",
	9: "the front door, which wires everything and is imported by nothing",
}

// owned lists what only some packages may import, by prefix of the import path.
var owned = []struct {
	prefix string
	by     []string
	reason string
}{
	{"github.com/labstack/echo", []string{"web"}, "moving to another HTTP framework must be one package's work"},
	{"github.com/danielgtaylor/huma", []string{"web"}, "the OpenAPI document is the hall's"},
	{"github.com/coreos/go-oidc", []string{"web"}, "who somebody is, is decided in one place"},
	{"github.com/alexedwards/scs", []string{"web"}, "sessions are the hall's"},
	{"github.com/ory/fosite", []string{"web/authserver"}, "tokens are issued in one place"},
	{"github.com/go-webauthn/webauthn", []string{"web/authserver"}, "passkeys are judged in one place"},
	{"github.com/open-policy-agent/opa", []string{"policies"}, "law is evaluated in one place, under one list of capabilities"},
	{"filippo.io/age", []string{"vault", "vault/header", "web/client", "cmd/datacoop/bench", "cmd/datacoop/ops"}, "keys are handled in the strongroom and on the member's own machine, nowhere else; the benchmarks measure age itself, and operators encrypt backups to a key of theirs"},
	{"github.com/sashabaranov/go-openai", []string{"marketplace/appraisal/llm"}, "the house works without a model"},
	{"github.com/mattn/go-sqlite3", []string{"internal/db"}, "durability is set up in one place"},
	{"github.com/jackc/pgx", []string{"internal/db"}, "durability is set up in one place"},
	{"github.com/pressly/goose", []string{"internal/db"}, "migrations run through the one writer"},
}

// closed lists lower floors that a package may all the same not import.
var closed = []struct {
	who    string
	what   []string
	reason string
}{
	{"marketplace/appraisal", []string{"internal/db", "internal/audit", "internal/jobs", "internal/once", "policies", "consent"},
		"shares are pure functions of the evidence, so that anybody can recompute them"},
	{"internal/demo", []string{"internal/db", "internal/audit", "internal/jobs", "internal/once", "consent", "vault", "governance", "marketplace", "marketplace/ledger"},
		"the demo reaches the server only over HTTP, as a stranger would"},
	{"web/client", []string{"internal/db", "internal/audit", "internal/jobs", "internal/once", "consent", "vault", "governance", "marketplace", "marketplace/ledger"},
		"the client has nothing but the public API"},
	{"vault/header", []string{"internal/coop"}, "the header code also runs in the client and knows files only"},
}

const testkit = "internal/testkit"

// source is one parsed Go file.
type source struct {
	name string // slash-separated, from the root of the repository
	pkg  string // its folder
	file *ast.File
	set  *token.FileSet
	text []byte
}

func (s source) test() bool { return strings.HasSuffix(s.name, "_test.go") }

func (s source) imports() (paths []string) {
	for _, spec := range s.file.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			paths = append(paths, p)
		}
	}
	return paths
}

// read parses every Go file of the module, whatever its build tags.
func read(root fs.FS) (sources []source, err error) {
	err = fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != "." {
			return skip(root, name)
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		sources = append(sources, source{name: name, pkg: path.Dir(name), file: file, set: set, text: text})
		return nil
	})
	return sources, err
}

// skip leaves out what the go command leaves out: hidden folders, test data,
// dependencies of the islands, and modules of their own.
func skip(root fs.FS, dir string) error {
	base := path.Base(dir)
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "node_modules" {
		return fs.SkipDir
	}
	if _, err := fs.Stat(root, path.Join(dir, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

// edges finds the imports the plan forbids.
func edges(sources []source) (findings []string) {
	for _, s := range sources {
		if s.test() {
			continue
		}
		for _, imported := range s.imports() {
			if reason := forbidden(s.pkg, imported); reason != "" {
				findings = append(findings, fmt.Sprintf("%s imports %s: %s", s.name, imported, reason))
			}
		}
	}
	return findings
}

// forbidden says why pkg may not import the path, or "".
func forbidden(pkg, imported string) string {
	for _, o := range owned {
		if within(imported, o.prefix) && !slices.Contains(o.by, room(pkg)) && !slices.Contains(o.by, pkg) {
			return fmt.Sprintf("only %s may: %s", strings.Join(o.by, ", "), o.reason)
		}
	}
	if room(pkg) == "marketplace/codebook" && !within(imported, module) && strings.Contains(imported, ".") {
		return "the codebook uses the standard library alone, because it also runs in the browser"
	}
	target, ours := strings.CutPrefix(imported, module+"/")
	switch {
	case !ours:
		return ""
	case target == testkit:
		return "test support is for tests"
	}
	for _, c := range closed {
		if c.who == room(pkg) && slices.Contains(c.what, target) {
			return c.reason
		}
	}
	from, to := level(pkg), level(target)
	switch {
	case to < 0:
		return "it has no floor; give it one in internal/layers_test.go"
	case slices.Contains(annexes, target) && !within(pkg, room(target)):
		return "it is an annex of " + room(target) + " and nobody else's"
	case to == from:
		return fmt.Sprintf("both are on floor %d, %s", floors[pkg], purposes[floors[pkg]])
	case to > from:
		return fmt.Sprintf("%s is above; %s is on floor %d, %s", target, pkg, floors[room(pkg)], purposes[floors[room(pkg)]])
	}
	return ""
}

// room is the package that an annex belongs to, or the package itself.
func room(pkg string) string {
	for slices.Contains(annexes, pkg) {
		pkg = path.Dir(pkg)
	}
	return pkg
}

// storey is how far floors are apart: there must be room for every annex between.
const storey = 1000

// level orders packages: floors are a storey apart, annexes lie right below
// their room in the order of their list. A package without a floor is at -1.
func level(pkg string) int {
	if pkg == testkit {
		return 3*storey - 1 // above the foundation, which it opens for tests
	}
	floor, known := floors[room(pkg)]
	if !known {
		return -1
	}
	if i := slices.Index(annexes, pkg); i >= 0 {
		return floor*storey - len(annexes) + i
	}
	return floor * storey
}

// within reports whether an import path is a module or lies in it, in any
// major version.
func within(imported, prefix string) bool {
	return imported == prefix || strings.HasPrefix(imported, prefix+"/")
}

// unplanned finds packages without a floor and floors without a package.
func unplanned(sources []source) (findings []string) {
	there := map[string]bool{}
	for _, s := range sources {
		if !s.test() {
			there[s.pkg] = true
		}
	}
	for pkg := range there {
		if level(pkg) < 0 {
			findings = append(findings, pkg+" has no floor; give it one in internal/layers_test.go")
		}
	}
	for _, pkg := range append(slices.Collect(maps.Keys(floors)), annexes...) {
		if !there[pkg] {
			findings = append(findings, pkg+" has a floor and does not exist")
		}
	}
	slices.Sort(findings)
	return findings
}

func house(t *testing.T) (fs.FS, []source) {
	t.Helper()
	root := os.DirFS("..")
	sources, err := read(root)
	if err != nil {
		t.Fatal(err)
	}
	return root, sources
}

func report(t *testing.T, findings []string) {
	t.Helper()
	for _, f := range findings {
		t.Error(f)
	}
}

func TestImportsOnlyGoDown(t *testing.T) {
	_, sources := house(t)
	report(t, edges(sources))
}

func TestEveryPackageHasAFloor(t *testing.T) {
	_, sources := house(t)
	report(t, unplanned(sources))
}

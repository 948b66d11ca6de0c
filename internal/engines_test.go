package internal_test

import (
	"fmt"
	"go/ast"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// filesOnly lists packages whose tables are never on PostgreSQL, and why.
var filesOnly = map[string]string{
	"vault/keystore": "keys have to be destroyed, which a server's database cannot",
}

// engineChoices are the functions of testkit that open whichever database the
// tests are run on.
var engineChoices = []string{"DB", "Address", "AddressAt"}

// choosers are the packages with a test that opens either database.
func choosers(sources []source) map[string]bool {
	out := map[string]bool{}
	for _, s := range sources {
		if !s.test() || s.pkg == testkit {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			f, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if kit, ok := f.X.(*ast.Ident); ok && kit.Name == "testkit" && slices.Contains(engineChoices, f.Sel.Name) {
				out[s.pkg] = true
			}
			return true
		})
	}
	return out
}

var onPostgres = regexp.MustCompile(`(?m)^\s*DATACOOP_POSTGRES=\$postgres (?:[A-Z_]+=\S+ )?tests (?:.*\\\n)*.*`)

// suite lists the packages that .ci/run tests on PostgreSQL.
func suite(script string) (packages []string) {
	for _, command := range onPostgres.FindAllString(script, -1) {
		for _, word := range strings.Fields(command) {
			if strings.HasPrefix(word, "./") {
				packages = append(packages, path.Clean(word))
			}
		}
	}
	return packages
}

// untried finds packages with tables that no test tries on both databases: there
// has to be one beside the store files, or in the room that the package belongs
// to, and .ci/run has to run it on PostgreSQL.
func untried(sources []source, script string) (findings []string) {
	able, run := choosers(sources), suite(script)
	stores := map[string]bool{}
	for _, s := range sources {
		if strings.HasPrefix(path.Base(s.name), "store") && !s.test() {
			stores[s.pkg] = true
		}
	}
	for pkg := range stores {
		if filesOnly[pkg] != "" {
			continue
		}
		tester := pkg
		for !able[tester] && tester != room(tester) {
			tester = path.Dir(tester)
		}
		switch {
		case !able[tester]:
			findings = append(findings, pkg+" has tables and no test that opens either database (testkit.DB)")
		case !slices.Contains(run, tester):
			findings = append(findings, fmt.Sprintf("%s has tables, which %s tests, and .ci/run does not run that on PostgreSQL", pkg, tester))
		}
	}
	for pkg := range able {
		if !slices.Contains(run, pkg) {
			findings = append(findings, pkg+" has tests for either database, and .ci/run does not run them on PostgreSQL")
		}
	}
	slices.Sort(findings)
	return slices.Compact(findings)
}

func TestEveryTableIsTriedOnBothDatabases(t *testing.T) {
	root, sources := house(t)
	script, err := fs.ReadFile(root, ".ci/run")
	if err != nil {
		t.Fatal(err)
	}
	if len(suite(string(script))) == 0 {
		t.Fatal(".ci/run tests nothing on PostgreSQL, or says so in another way than this test reads")
	}
	report(t, untried(sources, string(script)))
}

func TestATableThatOneDatabaseNeverSeesIsFound(t *testing.T) {
	const tested = "package %s\n\nimport (\n\t\"testing\"\n\n\t\"distributed.ai/datacoop/internal/testkit\"\n)\n\nfunc TestA(t *testing.T) { testkit.%s(t) }\n"
	file := func(text string, args ...any) *fstest.MapFile {
		return &fstest.MapFile{Data: fmt.Appendf(nil, text, args...)}
	}
	sources, err := read(fstest.MapFS{
		"consent/store.go":           file("package consent\n"),
		"consent/a_test.go":          file(tested, "consent", "DB"),
		"consent/cohort/store.go":    file("package cohort\n"),
		"governance/store.go":        file("package governance\n"),
		"governance/a_test.go":       file(tested, "governance", "File"),
		"marketplace/store.go":       file("package marketplace\n"),
		"marketplace/a_test.go":      file(tested, "marketplace", "Address"),
		"vault/keystore/store.go":    file("package keystore\n"),
		"internal/once/once_test.go": file(tested, "once", "DB"),
	})
	if err != nil {
		t.Fatal(err)
	}
	got := untried(sources, "  DATACOOP_POSTGRES=$postgres tests postgres go test \\\n    ./consent\n")
	want := []string{
		"governance has tables and no test that opens either database (testkit.DB)",
		"internal/once has tests for either database, and .ci/run does not run them on PostgreSQL",
		"marketplace has tables, which marketplace tests, and .ci/run does not run that on PostgreSQL",
		"marketplace has tests for either database, and .ci/run does not run them on PostgreSQL",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

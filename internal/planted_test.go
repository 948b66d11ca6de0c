package internal_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// planted is a house with one file of our choosing.
func planted(t *testing.T, name, text string) (fstest.MapFS, []source) {
	t.Helper()
	root := fstest.MapFS{name: &fstest.MapFile{Data: []byte(text)}}
	sources, err := read(root)
	if err != nil {
		t.Fatal(err)
	}
	return root, sources
}

func importing(pkg string, imports ...string) string {
	out := "package " + pkg[strings.LastIndex(pkg, "/")+1:] + "\n"
	for _, i := range imports {
		out += fmt.Sprintf("import _ %q\n", i)
	}
	return out
}

func TestForbiddenEdgesAreFoundWithTheirReason(t *testing.T) {
	for _, c := range []struct{ pkg, imported, reason string }{
		{"consent", module + "/vault", "no delivery without a permit"},
		{"internal/db", module + "/internal/audit", "internal/audit is above; internal/db is on floor 1"},
		{"vault", module + "/governance", "both are on floor 5"},
		{"internal/coop", module + "/internal/fault", "both are on floor 0"},
		{"marketplace", module + "/web", "knows no HTTP"},
		{"web", module + "/internal/nowhere", "it has no floor"},
		{"vault", module + "/internal/testkit", "test support is for tests"},
		{"internal/testkit", module + "/policies", "policies is above"},
		{"marketplace", module + "/marketplace/codebook/synth", "an annex of marketplace/codebook"},
		{"marketplace/codebook/decimal", module + "/marketplace/codebook", "marketplace/codebook is above"},
		{"marketplace/codebook/decimal", module + "/marketplace/codebook/stream", "stream is above"},
		{"marketplace/codebook/stream", "github.com/google/uuid", "standard library alone"},
		{"marketplace/codebook/stream", module + "/internal/db", "internal/db is above"},
		{"marketplace/codebook", module + "/internal/db", "both are on floor 1"},
		{"marketplace/appraisal", module + "/internal/db", "pure functions"},
		{"internal/demo", module + "/vault", "as a stranger would"},
		{"web/client", module + "/governance", "public API"},
		{"web/client/rest", module + "/governance", "public API"},
		{"marketplace/codebook", "github.com/google/uuid", "standard library alone"},
		{"web/authserver", "github.com/labstack/echo/v4", "only web may"},
		{"web/client", "github.com/danielgtaylor/huma/v2", "only web may"},
		{"web/authserver", "github.com/coreos/go-oidc/v3/oidc", "only web may"},
		{"internal/demo", "github.com/alexedwards/scs/v2", "only web may"},
		{"web", "github.com/ory/fosite/compose", "only web/authserver may"},
		{"consent", "github.com/open-policy-agent/opa/v1/rego", "only policies may"},
		{"cmd/datacoop", "filippo.io/age", "on the member's own machine"},
		{"web", "filippo.io/age/armor", "only vault, vault/header, web/client, cmd/datacoop/bench, cmd/datacoop/ops may"},
		{"marketplace", "github.com/sashabaranov/go-openai", "works without a model"},
		{"vault", "github.com/mattn/go-sqlite3", "only internal/db may"},
		{"web", "github.com/pressly/goose/v3", "only internal/db may"},
	} {
		_, sources := planted(t, c.pkg+"/x.go", importing(c.pkg, c.imported))
		if got := strings.Join(edges(sources), "; "); !strings.Contains(got, c.reason) {
			t.Errorf("%s importing %s: %q, want %q", c.pkg, c.imported, got, c.reason)
		}
		_, sources = planted(t, c.pkg+"/x_test.go", importing(c.pkg, c.imported))
		if got := edges(sources); len(got) > 0 {
			t.Errorf("a test of %s may import %s: %v", c.pkg, c.imported, got)
		}
	}
}

func TestAllowedEdgesAreNotFound(t *testing.T) {
	for pkg, imports := range map[string][]string{
		"marketplace/codebook":         {"fmt", "encoding/csv", module + "/internal/fault", module + "/marketplace/codebook/synth"},
		"marketplace/codebook/concept": {module + "/marketplace/codebook/decimal", module + "/internal/fault"},
		"vault":                        {"filippo.io/age", "fmt", module + "/consent", module + "/vault/header", module + "/internal/db"},
		"cmd/datacoop":                 {module + "/web", module + "/web/client", module + "/internal/demo"},
		"internal/testkit":             {module + "/internal/db", module + "/internal/audit"},
		"web":                          {"github.com/labstack/echo/v4", "github.com/labstack/echo/v4/middleware"},
	} {
		_, sources := planted(t, pkg+"/x.go", importing(pkg, imports...))
		if got := edges(sources); len(got) > 0 {
			t.Errorf("%s: %v", pkg, got)
		}
	}
}

func TestUnplannedPackageIsFound(t *testing.T) {
	_, sources := planted(t, "utils/x.go", "package utils\n")
	if got := unplanned(sources); !strings.Contains(strings.Join(got, "; "), "utils has no floor") {
		t.Errorf("%v", got)
	}
	_, sources = planted(t, "web/islands/node_modules/x/x.go", "package x\n")
	if len(sources) != 0 {
		t.Error("dependencies of the islands are ours")
	}
}

func TestStrayTableIsFound(t *testing.T) {
	owner := map[string]string{"vault_datasets": "vault"}
	for _, c := range []struct{ name, literal, want string }{
		{"consent/store.go", "`SELECT id FROM vault_datasets`", "names vault_datasets"},
		{"vault/revoke.go", "`SELECT id FROM vault_datasets`", "names vault_datasets"},
		{"vault/store.go", "`SELECT id FROM vault_datasets WHERE id = $1`", "placeholders"},
		{"vault/store.go", "`SELECT id FROM vault_datasets WHERE id = ?1`", "placeholders"},
		{"vault/store.go", "`SELECT datetime('now')`", "Go's work"},
		{"vault/store_grants.go", "`SELECT id FROM vault_datasets WHERE id = ?`", ""},
		{"vault/store.go", "`costs $5`", ""},
		{"web/store.go", "`my_vault_datasets_too`", ""},
		{"vault/revoke_test.go", "`DELETE FROM vault_datasets`", ""},
	} {
		_, sources := planted(t, c.name, "package x\nconst q = "+c.literal+"\n")
		got := strings.Join(strays(sources, owner), "; ")
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %s: %q, want %q", c.name, c.literal, got, c.want)
		}
	}
}

func TestBrokenSchemaIsFound(t *testing.T) {
	const up = "-- +goose Up\n"
	for _, c := range []struct{ name, text, want string }{
		{"vault/schema/0001_init.sql", up + "CREATE TABLE vault_a (id TEXT NOT NULL);", ""},
		{"vault/schema/0001_init.sql", up + "-- a BLOB once\nCREATE UNIQUE INDEX vault_a_b ON vault_a (b);", ""},
		{"vault/schema/0001_init.sql", up + "CREATE TABLE datasets (id TEXT NOT NULL);", "must carry the room's name"},
		{"vault/schema/0001_init.sql", up + "CREATE INDEX IF NOT EXISTS consent_x ON vault_a (b);", "must carry the room's name"},
		{"vault/schema/0001_init.sql", up + "CREATE TABLE vault_a (m TEXT REFERENCES governance_members (id));", "crosses rooms"},
		{"vault/schema/0001_init.sql", up + "CREATE TRIGGER vault_t AFTER INSERT ON vault_a;", "belongs in the code"},
		{"vault/schema/0001_init.sql", up + "CREATE TABLE vault_a (b BLOB);", "BYTEA"},
		{"vault/schema/0001_init.sql", "CREATE TABLE vault_a (id TEXT);", "forward only"},
		{"vault/schema/0001_init.sql", up + "-- +goose Down\nDROP TABLE vault_a;", "forward only"},
		{"vault/schema/0001_init.sql", up + "CREATE TABLE vault_a (\n\tblob TEXT NOT NULL, serial TEXT NOT NULL);", ""},
		{"vault/schema/0001_init.sql", up + "CREATE TABLE vault_a (id BIGSERIAL);", "made by the application"},
		{"vault/keystore/schema/0001_init.sql", up + "CREATE TABLE vault_keys (id TEXT NOT NULL);", ""},
		{"vault/sql/0001_init.sql", up + "CREATE TABLE vault_a (id TEXT);", "schema folder"},
	} {
		root, sources := planted(t, c.name, c.text)
		all, err := migrations(root, append(sources, source{name: "vault/x.go", pkg: "vault"}))
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(schemas(all), "; ")
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.text, got, c.want)
		}
	}
}

func TestWrongShapeIsFound(t *testing.T) {
	page := "// Package x " + strings.Repeat("says what it is for. ", 20) + "\npackage x\n"
	long := func(lines int) string { return "func f() {\n" + strings.Repeat("\t_ = 0\n", lines-2) + "}\n" }
	for _, c := range []struct{ name, text, want string }{
		{"x/x.go", page + long(60), ""},
		{"x/x.go", page + long(61), "f has 61 lines"},
		{"x/x.go", page + "var f = " + strings.Replace(long(61), "func f", "func", 1), "function literal has 61 lines"},
		{"x/x.go", page + strings.Repeat("\n", 400), "x/x.go has 402 lines"},
		{"x/x.go", page + strings.Repeat("var _ = 0\n", 2501), "x has 2502 lines of code"},
		{"x/x.go", page + strings.Repeat("// prose\n", 300), ""},
		{"x/x.go", "// Code generated by hand. DO NOT EDIT.\n\n" + page + strings.Repeat("\n", 400), ""},
		{"x/main.go", page + strings.Repeat("\n", 40), "at most 40"},
		{"x/x.go", "package x\n", "x has 0 package comments"},
		{"x/x.go", "// Package x is.\npackage x\n", "the room's page"},
		{"x/x.go", strings.Replace(page, "Package x", "This", 1), "begins with Package x"},
		{"x/x_test.go", "package x\n" + long(500), ""},
	} {
		_, sources := planted(t, c.name, c.text)
		got := strings.Join(append(sizes(sources), comments(sources)...), "; ")
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	root, _ := planted(t, "policies/access/access.rego", strings.Repeat("\n", 121))
	if got, err := rego(root); err != nil || len(got) != 1 {
		t.Errorf("long policy: %v, %v", got, err)
	}
}

func TestWrongRootIsFound(t *testing.T) {
	root := fstest.MapFS{".gitignore": &fstest.MapFile{Data: []byte("# built\n/datacoop\n*.out\n")}}
	for _, name := range append([]string{".ci/run", "datacoop", "cover.out"}, rootWanted...) {
		root[name] = &fstest.MapFile{}
	}
	if got, err := listing(root); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	delete(root, "README.md")
	root["docs/x"] = &fstest.MapFile{}
	root[".secret"] = &fstest.MapFile{}
	if got, err := listing(root); err != nil || len(got) != 3 {
		t.Errorf("%v, %v", got, err)
	}
}

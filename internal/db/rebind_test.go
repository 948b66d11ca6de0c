package db_test

import (
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"distributed.ai/datacoop/internal/db"
)

func TestPlaceholdersAreNumberedOutsideLiterals(t *testing.T) {
	for query, want := range map[string]string{
		"SELECT 1":                            "SELECT 1",
		"SELECT ? , ?":                        "SELECT $1 , $2",
		"SELECT '?', \"a?\", ?":               "SELECT '?', \"a?\", $1",
		"SELECT 'it''s ?', ?":                 "SELECT 'it''s ?', $1",
		"SELECT E'\\'?', ?":                   "SELECT E'\\'?', $1",
		"SELECT name'?', ?":                   "SELECT name'?', $1",
		"SELECT '\\', ?":                      "SELECT '\\', $1",
		"SELECT ? -- why?\n, ?":               "SELECT $1 -- why?\n, $2",
		"SELECT /* ? /* ? */ ? */ ?":          "SELECT /* ? /* ? */ ? */ $1",
		"SELECT $$?$$, $tag$ ? $$ ? $tag$, ?": "SELECT $$?$$, $tag$ ? $$ ? $tag$, $1",
		"SELECT a$b$?":                        "SELECT a$b$ $1",
		"SELECT 'open ?":                      "SELECT 'open ?",
		"?":                                   "$1",
		"SELECT 1-?-?":                        "SELECT 1-$1-$2",
		strings.Repeat("?", 11):               "$1 $2 $3 $4 $5 $6 $7 $8 $9 $10 $11",
		"INSERT INTO t VALUES (?, 'ä?', ?) /* open ?": "INSERT INTO t VALUES ($1, 'ä?', $2) /* open ?",
	} {
		if got := db.Rebind(query); got != want {
			t.Errorf("%s\n got %s\nwant %s", query, got, want)
		}
	}
}

// TestOnlyCodeIsNumbered builds statements from parts of which it is known
// what they are.
func TestOnlyCodeIsNumbered(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		inside := rapid.StringOfN(rapid.RuneFrom([]rune("a? ü$")), 0, 6, -1)
		var query, want strings.Builder
		n := 0
		for range rapid.IntRange(1, 8).Draw(rt, "parts") {
			text := inside.Draw(rt, "text")
			part := rapid.SampledFrom([]string{"?", "'", "''", `"`, "--", "/*", "$x$"}).Draw(rt, "kind")
			switch part {
			case "?":
				n++
				query.WriteString(" ? ")
				want.WriteString(" $" + strconv.Itoa(n) + " ")
				continue
			case "''":
				part = "'" + text + "''" + text + "'"
			case "--":
				part = "--" + text + "\n"
			case "/*":
				part = "/*" + text + "*/"
			case "$x$":
				part = "$x$" + strings.ReplaceAll(text, "$", "") + "$x$"
			default:
				part += text + part
			}
			query.WriteString(" " + part)
			want.WriteString(" " + part)
		}
		if got := db.Rebind(query.String()); got != want.String() {
			rt.Fatalf("%s\n got %s\nwant %s", query.String(), got, want.String())
		}
	})
}

func FuzzRebind(f *testing.F) {
	for _, seed := range []string{"SELECT ?", "'?''?'", "E'\\'?", "$a$?$a$?", "/*/**/?", "--?\n?", `"?"?`, "a$1?", "$", "0?$$?", "?1", "??", "?a?"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		once := db.Rebind(query)
		if db.Rebind(once) != once {
			t.Errorf("%q became %q and that another", query, once)
		}
		if strings.Count(query, "?") == strings.Count(once, "?") && once != query {
			t.Errorf("%q became %q although it has nothing to number", query, once)
		}
		_ = db.PostgresSchema(query)
	})
}

func TestSchemasAreTranslated(t *testing.T) {
	const lite = `-- +goose Up
-- TEXT stays here
CREATE TABLE t (
    text TEXT NOT NULL DEFAULT 'TEXT',
    idx  BIGINT NOT NULL
) WITHOUT ROWID, STRICT;
ALTER TABLE t ADD COLUMN more TEXT;`
	const want = `-- +goose Up
-- TEXT stays here
CREATE TABLE t (
    text TEXT COLLATE "C" NOT NULL DEFAULT 'TEXT',
    idx  BIGINT NOT NULL
);
ALTER TABLE t ADD COLUMN more TEXT COLLATE "C";`
	if got := db.PostgresSchema(lite); got != want {
		t.Errorf("got %s", got)
	}
}

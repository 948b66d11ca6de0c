package internal_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var (
	creates    = regexp.MustCompile(`(?i)\bCREATE\s+(?:UNIQUE\s+)?(TABLE|INDEX|VIEW|TRIGGER)\s+(?:IF\s+NOT\s+EXISTS\s+)?"?(\w+)`)
	references = regexp.MustCompile(`(?i)\bREFERENCES\s+"?(\w+)`)
	numbered   = regexp.MustCompile(`[$?][0-9]`)
	sqlComment = regexp.MustCompile(`(?m)--.*$`)
	sqlWords   = regexp.MustCompile(`(?i)^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s`)
)

// rule is something SQL may not hold, and why.
type rule struct {
	pattern *regexp.Regexp
	reason  string
}

// everywhere lists what one of the two databases does not know, or what hides
// an effect from the reader.
var everywhere = []rule{
	{regexp.MustCompile(`(?i)\bTRIGGER\b`), "an effect belongs in the code that has it"},
	{regexp.MustCompile(`(?i)\b(datetime|strftime|julianday|json_\w+)\s*\(|->>`), "dates and JSON are Go's work"},
	{regexp.MustCompile(`(?i)INSERT\s+OR\s+|\bILIKE\b`), "write ON CONFLICT and LIKE"},
}

// inSchemas adds the types.
var inSchemas = append([]rule{
	{regexp.MustCompile(`(?i)\w[ \t]+BLOB\b`), "spell it BYTEA"},
	{regexp.MustCompile(`(?i)\bAUTOINCREMENT\b|\w[ \t]+(BIG)?SERIAL\b`), "ids are made by the application"},
}, everywhere...)

func broken(text string, rules []rule) (findings []string) {
	for _, r := range rules {
		if hit := r.pattern.FindString(text); hit != "" {
			findings = append(findings, fmt.Sprintf("%q: %s", hit, r.reason))
		}
	}
	return findings
}

// migration is one file of a room's schema.
type migration struct {
	name, room, text string
}

func (m migration) prefix() string { return path.Base(m.room) + "_" }

func migrations(root fs.FS, sources []source) (found []migration, err error) {
	err = fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != "." {
			return skip(root, name)
		}
		if path.Ext(name) != ".sql" {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		found = append(found, migration{name: name, room: roomOf(name, sources), text: string(text)})
		return err
	})
	return found, err
}

// roomOf is the package nearest above a file.
func roomOf(name string, sources []source) string {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if slices.ContainsFunc(sources, func(s source) bool { return s.pkg == dir }) {
			return dir
		}
	}
	return "."
}

// tables maps every table to the package that owns it.
func tables(all []migration) map[string]string {
	owner := map[string]string{}
	for _, m := range all {
		for _, match := range creates.FindAllStringSubmatch(m.text, -1) {
			if strings.EqualFold(match[1], "TABLE") {
				owner[match[2]] = m.room
			}
		}
	}
	return owner
}

// schemas finds migrations that break the conventions.
func schemas(all []migration) (findings []string) {
	for _, m := range all {
		complain := func(what string) { findings = append(findings, m.name+": "+what) }
		if path.Base(path.Dir(m.name)) != "schema" {
			complain("migrations live in a room's schema folder")
		}
		if !strings.Contains(m.text, "-- +goose Up") || strings.Contains(m.text, "-- +goose Down") {
			complain("migrations go forward only: one Up and no Down")
		}
		text := sqlComment.ReplaceAllString(m.text, "")
		for _, match := range creates.FindAllStringSubmatch(text, -1) {
			if !strings.HasPrefix(match[2], m.prefix()) {
				complain(fmt.Sprintf("%s must carry the room's name: %s…", match[2], m.prefix()))
			}
		}
		for _, match := range references.FindAllStringSubmatch(text, -1) {
			if !strings.HasPrefix(match[1], m.prefix()) {
				complain("no foreign key crosses rooms: " + match[1])
			}
		}
		for _, what := range broken(text, inSchemas) {
			complain(what)
		}
	}
	return findings
}

// strays finds strings that name a table outside its owner's store files, and
// statements with numbered placeholders.
func strays(sources []source, owner map[string]string) (findings []string) {
	word := regexp.MustCompile(`\b[a-z]+_\w+\b`)
	for _, s := range sources {
		if s.test() {
			continue
		}
		store := strings.HasPrefix(path.Base(s.name), "store")
		for text, line := range literals(s) {
			for _, name := range word.FindAllString(text, -1) {
				keeper, isTable := owner[name]
				if isTable && (keeper != s.pkg && keeper != annexOf(s.pkg) || !store) {
					findings = append(findings, fmt.Sprintf("%s:%d names %s: only the store files of %s may", s.name, line, name, keeper))
				}
			}
			if !sqlWords.MatchString(text) {
				continue
			}
			if hit := numbered.FindString(text); hit != "" {
				findings = append(findings, fmt.Sprintf("%s:%d: %s: the driver ignores the numbers of placeholders; write ?", s.name, line, hit))
			}
			for _, what := range broken(text, everywhere) {
				findings = append(findings, fmt.Sprintf("%s:%d: %s", s.name, line, what))
			}
		}
	}
	return findings
}

// annexOf is the room that keeps the package for itself; "" if none does. An
// annex may have store files for its room's tables.
func annexOf(pkg string) string {
	if !slices.Contains(annexes, pkg) {
		return ""
	}
	return room(pkg)
}

// literals yields every string literal with its line. It leaves out imports
// and the room names that Migrate takes.
func literals(s source) func(yield func(string, int) bool) {
	return func(yield func(string, int) bool) {
		stopped := false
		ast.Inspect(s.file, func(n ast.Node) bool {
			if _, isImport := n.(*ast.ImportSpec); isImport || stopped || migrates(n) {
				return false
			}
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(lit.Value)
			stopped = err == nil && !yield(text, s.set.Position(lit.Pos()).Line)
			return true
		})
	}
}

func migrates(n ast.Node) bool {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return false
	}
	method, ok := call.Fun.(*ast.SelectorExpr)
	return ok && method.Sel.Name == "Migrate"
}

func TestTablesAreNamedByTheirOwnersStoreAlone(t *testing.T) {
	root, sources := house(t)
	all, err := migrations(root, sources)
	if err != nil {
		t.Fatal(err)
	}
	report(t, schemas(all))
	report(t, strays(sources, tables(all)))
}

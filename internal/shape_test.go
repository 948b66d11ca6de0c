package internal_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/scanner"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
)

// The most lines there may be. Tests and generated files are as long as they
// need to be; a package is measured without comments and blank lines, so that
// nobody saves on its page.
const (
	maxFunction = 60
	maxFile     = 400
	maxPackage  = 2500
	maxRego     = 120
	maxMain     = 40
)

// Root is what the repository's first page shows, and nothing else.
var (
	rootWanted = []string{"LICENSE", "README.md", "SECURITY.md", "cmd", "consent", "go.mod", "go.sum", "governance",
		"internal", "marketplace", "policies", "vault", "web"}
	rootHidden = []string{".ci", ".git", ".github", ".gitignore", ".golangci.yml"}
)

// listing finds what is at the root and should not be, and the reverse. What
// .gitignore names there is not part of the repository.
func listing(root fs.FS) (findings []string, err error) {
	entries, err := fs.ReadDir(root, ".")
	if err != nil {
		return nil, err
	}
	ignored, _ := fs.ReadFile(root, ".gitignore") // there may be none
	var there []string
	for _, entry := range entries {
		name := entry.Name()
		there = append(there, name)
		if slices.Contains(rootWanted, name) || slices.Contains(rootHidden, name) || ignores(string(ignored), name) {
			continue
		}
		findings = append(findings, name+" does not belong at the root")
	}
	for _, name := range rootWanted {
		if !slices.Contains(there, name) {
			findings = append(findings, name+" is missing at the root")
		}
	}
	return findings, nil
}

func ignores(list, name string) bool {
	for line := range strings.Lines(list) {
		line = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(line), "/"), "/")
		if ok, err := path.Match(line, name); err == nil && ok {
			return true
		}
	}
	return false
}

// comments finds packages whose page is missing, doubled or too thin.
func comments(sources []source) (findings []string) {
	pages := map[string][]string{}
	for _, s := range sources {
		if s.test() {
			continue
		}
		pages[s.pkg] = append(pages[s.pkg], "")[:len(pages[s.pkg])] // known, perhaps without a page
		if s.file.Doc == nil {
			continue
		}
		text := s.file.Doc.Text()
		pages[s.pkg] = append(pages[s.pkg], text)
		if name := s.file.Name.Name; name != "main" && !strings.HasPrefix(text, "Package "+name+" ") {
			findings = append(findings, s.name+": the package comment begins with Package "+name)
		}
		if len(text) < 200 {
			findings = append(findings, s.name+": the package comment is the room's page: what it is for, guarantees and refuses")
		}
	}
	for pkg, texts := range pages {
		if len(texts) != 1 {
			findings = append(findings, fmt.Sprintf("%s has %d package comments", pkg, len(texts)))
		}
	}
	slices.Sort(findings)
	return findings
}

// sizes finds what has grown too long.
func sizes(sources []source) (findings []string) {
	packages := map[string]int{}
	for _, s := range sources {
		if s.test() || ast.IsGenerated(s.file) {
			continue
		}
		lines := bytes.Count(s.text, []byte("\n"))
		packages[s.pkg] += code(s)
		switch {
		case lines > maxFile:
			findings = append(findings, fmt.Sprintf("%s has %d lines, at most %d", s.name, lines, maxFile))
		case path.Base(s.name) == "main.go" && lines > maxMain:
			findings = append(findings, fmt.Sprintf("%s has %d lines, at most %d", s.name, lines, maxMain))
		}
		findings = append(findings, functions(s)...)
	}
	for pkg, lines := range packages {
		if lines > maxPackage {
			findings = append(findings, fmt.Sprintf("%s has %d lines of code, at most %d", pkg, lines, maxPackage))
		}
	}
	slices.Sort(findings)
	return findings
}

// code counts the lines that hold a token.
func code(s source) (lines int) {
	var scan scanner.Scanner
	set := token.NewFileSet()
	scan.Init(set.AddFile(s.name, -1, len(s.text)), s.text, nil, 0)
	last := 0
	for {
		pos, tok, lit := scan.Scan()
		if tok == token.EOF {
			return lines
		}
		if tok == token.SEMICOLON && lit == "\n" {
			continue
		}
		first := max(set.Position(pos).Line, last+1)
		last = max(last, set.Position(pos).Line+strings.Count(lit, "\n"))
		lines += max(0, last-first+1)
	}
}

func functions(s source) (findings []string) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		name := "function literal"
		switch f := n.(type) {
		case *ast.FuncDecl:
			name = f.Name.Name
		case *ast.FuncLit:
		default:
			return true
		}
		from, to := s.set.Position(n.Pos()).Line, s.set.Position(n.End()).Line
		if lines := to - from + 1; lines > maxFunction {
			findings = append(findings, fmt.Sprintf("%s:%d: %s has %d lines, at most %d", s.name, from, name, lines, maxFunction))
			return false
		}
		return true
	})
	return findings
}

// rego finds policy files that have grown too long to be read before a vote.
func rego(root fs.FS) (findings []string, err error) {
	err = fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != "." {
			return skip(root, name)
		}
		if path.Ext(name) != ".rego" || strings.HasSuffix(name, "_test.rego") {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if lines := bytes.Count(text, []byte("\n")); lines > maxRego {
			findings = append(findings, fmt.Sprintf("%s has %d lines, at most %d", name, lines, maxRego))
		}
		return err
	})
	return findings, err
}

func TestRootHoldsExactlyTheRooms(t *testing.T) {
	root, _ := house(t)
	findings, err := listing(root)
	if err != nil {
		t.Fatal(err)
	}
	report(t, findings)
}

func TestEveryPackageHasItsPage(t *testing.T) {
	_, sources := house(t)
	report(t, comments(sources))
}

func TestNothingOutgrowsItsReader(t *testing.T) {
	root, sources := house(t)
	report(t, sizes(sources))
	findings, err := rego(root)
	if err != nil {
		t.Fatal(err)
	}
	report(t, findings)
}

package language

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write languages/en.json anew")

// rooms are where sentences that members read are made.
var rooms = []string{"internal/coop", "policies", "consent", "vault", "governance", "marketplace", "web"}

// silent are the folders of those rooms whose words reach no page.
var silent = regexp.MustCompile(`/(testdata|node_modules|dist|vendor|llm|fakellm|agreement|client|synth|ledger|schema|bucket|blobs|judges|browser)(/|$)`)

// TestTheCatalogueOfMessagesIsWhole compares the list that translators start
// from with what templates, rooms and laws say.
func TestTheCatalogueOfMessagesIsWhole(t *testing.T) {
	said := map[string]string{}
	for _, m := range slices.Concat(templates(t), literals(t, ""), laws(t), moments()) {
		said[m] = m
	}
	theScripts(t, said)
	for _, m := range uttered(t) {
		said[m] = m
	}
	if len(said) < 1000 {
		t.Fatalf("only %d messages were found", len(said))
	}
	want := written(t, file{"en", "English", said})
	const path = "languages/en.json"
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		c, err := Read(have)
		if err != nil {
			t.Fatal(err)
		}
		for m := range said {
			if _, ok := c.messages[m]; !ok {
				t.Logf("new: %q", m)
			}
		}
		t.Errorf("%s is not what the pages say (%d messages, %d said): go test ./internal/language -update", path, len(c.messages), len(said))
	}
	if _, err := Read(want); err != nil {
		t.Error(err)
	}
	t.Logf("%d messages", len(said))
}

// TestNoSentenceIsGluedTogether finds sentences made of pieces around a
// decision. Another language has its words in another order, so each branch has
// to hold whole ones.
func TestNoSentenceIsGluedTogether(t *testing.T) {
	everyFile(t, ".html", func(path, source string) {
		for _, piece := range glued(source) {
			t.Errorf("%s: %q is a piece of a sentence; put the whole one into each branch", path, piece)
		}
	})
}

// glued are the texts after a decision that go on with a sentence.
func glued(source string) []string {
	var out []string
	decided := false
	for _, tok := range lex(source) {
		switch {
		case tok.kind == control && !strings.Contains(tok.text, "/*"):
			decided = true
		case tok.kind == tag && !inline[tok.name]:
			decided = false
		case tok.kind == words && strings.TrimSpace(tok.text) != "":
			text := strings.TrimSpace(tok.text)
			if decided && readable([]piece{tok}) && continues.MatchString(text) {
				out = append(out, text)
			}
			decided = false
		case tok.kind == action:
			decided = false
		}
	}
	return out
}

var continues = regexp.MustCompile(`^[a-z,;:.)]`)

func TestPiecesAreFound(t *testing.T) {
	for source, want := range map[string]int{
		`<p>{{if .A}}It was.{{else}}It was not.{{end}}</p>`:       0,
		`<p>{{if .A}}It was{{else}}They were{{end}} refused.</p>`: 1,
		`<p>Paid{{if .A}}, today{{end}}</p>`:                      1,
		`{{range .A}}<li>you and me</li>{{end}}`:                  0,
	} {
		if got := glued(source); len(got) != want {
			t.Errorf("%s: %q", source, got)
		}
	}
}

// moments are the ways in which a page writes a day.
func moments() []string {
	var out []string
	for m := time.January; m <= time.December; m++ {
		out = append(out, m.String()+" {1}", "{1} "+m.String()+" {2}")
	}
	return out
}

func templates(t *testing.T) []string {
	var out []string
	everyFile(t, ".html", func(_, source string) { out = append(out, Messages(source)...) })
	return out
}

// everyFile reads every file of the rooms with a name that ends so.
func everyFile(t *testing.T, end string, with func(path, source string)) {
	t.Helper()
	found := 0
	for _, room := range rooms {
		err := filepath.WalkDir(filepath.Join("../..", room), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, end) || strings.Contains(path, "_test.") || silent.MatchString(filepath.ToSlash(filepath.Dir(path))) {
				return err
			}
			found++
			source, err := os.ReadFile(path)
			with(strings.TrimPrefix(filepath.ToSlash(path), "../../"), string(source))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found == 0 {
		t.Fatalf("no file ends in %s", end)
	}
}

// reduces are the packages that run beside the scripts, in a browser.
const reduces = "marketplace/codebook/"

// theScripts compares the list of what the scripts say with their sources and
// those of the codebook; said is what everybody else says.
func theScripts(t *testing.T, said map[string]string) {
	t.Helper()
	list := sayings{Own: []string{}, Shared: literals(t, reduces)}
	for _, m := range uttered(t) {
		if _, ok := said[m]; ok {
			list.Shared = append(list.Shared, m)
		} else {
			list.Own = append(list.Own, m)
		}
	}
	for _, messages := range []*[]string{&list.Own, &list.Shared} {
		slices.Sort(*messages)
		*messages = slices.Compact(*messages)
	}
	want := written(t, list)
	if *update {
		if err := os.WriteFile("scripts.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile("scripts.json")
	if err != nil || !bytes.Equal(have, want) {
		t.Errorf("scripts.json is not what the scripts say (%d and %d messages): go test ./internal/language -update: %v", len(list.Own), len(list.Shared), err)
	}
}

// written is a list as it is committed.
func written(t *testing.T, v any) []byte {
	t.Helper()
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// sentences of the law: titles and reasons in its sources.
func laws(t *testing.T) []string {
	quoted := regexp.MustCompile(`"([A-Z][^"\\]* [^"\\]*)"`)
	titled := regexp.MustCompile(`(?m)^#\s+title: ([A-Z].* .*)$`)
	var out []string
	everyFile(t, ".rego", func(_, source string) {
		for _, found := range slices.Concat(quoted.FindAllStringSubmatch(source, -1), titled.FindAllStringSubmatch(source, -1)) {
			out = append(out, numbered(found[1]))
		}
	})
	return out
}

// literals are the texts in Go's sources that read like a sentence or a label:
// they begin with a capital letter and have more than one word, or stand where
// labels do, or are the two forms of a number of things.
// Under is a folder that they are looked for in, "" for all of them.
func literals(t *testing.T, under string) []string {
	out := map[string]bool{}
	everyFile(t, ".go", func(path, source string) {
		if !strings.HasPrefix(path, under) {
			return
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ImportSpec, *ast.Field:
				return false
			case *ast.CallExpr:
				for _, form := range forms(n) {
					out[form] = true
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && labels[key.Name] {
					if text, ok := constant(n.Value); ok && text != "" {
						out[numbered(text)] = true
					}
				}
			case ast.Expr:
				if text, ok := constant(n); ok {
					if reads(text) || vocabulary.MatchString(path) && label.MatchString(text) {
						out[numbered(text)] = true
					}
					return false
				}
			}
			return true
		})
	})
	return slices.Sorted(maps.Keys(out))
}

// forms are what a call of Count can answer.
func forms(call *ast.CallExpr) []string {
	name := ""
	switch f := call.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
	}
	if !strings.EqualFold(name, "count") || len(call.Args) != 3 {
		return nil
	}
	one, ok := constant(call.Args[1])
	many, also := constant(call.Args[2])
	if !ok || !also {
		return nil
	}
	return []string{"1 " + one, "no " + many, "{1} " + many}
}

// constant is the text of a literal, or of literals that are joined.
func constant(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "", false
		}
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.BinaryExpr:
		left, ok := constant(e.X)
		right, also := constant(e.Y)
		return left + right, ok && also && e.Op == token.ADD
	}
	return "", false
}

var (
	sentenced = regexp.MustCompile(`^(?:[A-Z“]|%[sd] )[^\n\t{}<>|=]*$`)
	program   = regexp.MustCompile(`^(?:SELECT|INSERT|UPDATE|DELETE|CREATE|WITH|DROP|ALTER|PRAGMA|VACUUM|Bearer|Basic|Content-|BEGIN|ISO|DUO:)|%[wxXt+#]|^[A-Z_ ]+$`)
	verb      = regexp.MustCompile(`%(?:\[\d\])?[-0-9.]*[sdvqfc]`)
)

// labels are the fields of structs that people read, and vocabulary the files of
// nothing but words.
var (
	labels     = map[string]bool{"Title": true, "Label": true, "Text": true, "Row": true, "How": true, "Also": true, "Description": true, "Sentence": true, "Why": true}
	vocabulary = regexp.MustCompile(`^internal/coop/|^policies/document/|^policies/condition/|^consent/(terms|ask)/|^web/portal/`)
	label      = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9’' ,()-]*[a-z0-9)]$`)
)

func reads(text string) bool {
	return sentenced.MatchString(text) && strings.Contains(strings.TrimSpace(text), " ") && !program.MatchString(text)
}

// numbered writes a format as a message.
func numbered(format string) string {
	n := 0
	text := verb.ReplaceAllStringFunc(format, func(string) string {
		n++
		return "{" + strconv.Itoa(n) + "}"
	})
	return strings.ReplaceAll(text, "%%", "%")
}

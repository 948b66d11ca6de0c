package language

import (
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
)

// Parsed are pages by name, each parsed when it is first asked for.
type Parsed map[string]func() (*template.Template, error)

// Parse makes the pages of a folder, in the catalogue's language. Files whose
// name begins with "_" are the parts that every page shares. Every page has parts
// of its own, and most of a server's memory would be parts if all were parsed at
// once.
func (c *Catalogue) Parse(files fs.FS, funcs template.FuncMap) (Parsed, error) {
	names, err := fs.Glob(files, "*.html")
	if err != nil {
		return nil, err
	}
	shared := sync.OnceValues(func() (*template.Template, error) {
		parts := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !strings.HasPrefix(name, "_") })
		return c.add(template.New("").Funcs(funcs).Funcs(c.funcs()), files, parts...)
	})
	out := Parsed{}
	for _, name := range names {
		if strings.HasPrefix(name, "_") {
			continue
		}
		out[strings.TrimSuffix(name, path.Ext(name))] = sync.OnceValues(func() (*template.Template, error) {
			parts, err := shared()
			if err != nil {
				return nil, err
			}
			own, err := parts.Clone()
			if err != nil {
				return nil, err
			}
			return c.add(own, files, name)
		})
	}
	return out, nil
}

// add parses more files.
func (c *Catalogue) add(t *template.Template, files fs.FS, names ...string) (*template.Template, error) {
	for _, name := range names {
		source, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		if t, err = t.Parse(c.Page(string(source))); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return t, nil
}

// funcs is what the pages of this language say dynamic sentences with.
func (c *Catalogue) funcs() template.FuncMap {
	return template.FuncMap{"say": func(v any) any {
		if s, ok := v.(string); ok {
			return c.Say(s)
		}
		return v
	}}
}

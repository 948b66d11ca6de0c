package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/BurntSushi/toml"
	"github.com/alecthomas/kong"
)

// settingsFile is what init writes into the data directory and --config reads.
const settingsFile = "datacoop.toml"

// settings are flags of serve by their names, as a TOML file gives them. A flag
// on the command line and a DATACOOP_* variable come before the file.
type settings map[string]any

// readSettings is a kong.ConfigurationLoader.
func readSettings(r io.Reader) (kong.Resolver, error) {
	s := settings{}
	if _, err := toml.NewDecoder(r).Decode(&s); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	return s, nil
}

// Validate refuses what serve has no flag for: a slip of the pen must not
// silently mean a default.
func (s settings) Validate(app *kong.Application) error {
	known := map[string]bool{}
	for _, command := range app.Children {
		if command.Name == "serve" {
			for _, flag := range command.Flags {
				known[flag.Name] = flag.Name != "config" && flag.Name != "help"
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if !known[name] {
			return fmt.Errorf("settings: %q is not a flag of serve", name)
		}
	}
	return nil
}

// Resolve gives a flag its value from the file.
func (s settings) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	value, ok := s[flag.Name]
	for _, variable := range flag.Envs {
		if _, set := os.LookupEnv(variable); set {
			return nil, nil
		}
	}
	switch value := value.(type) {
	case bool:
		return value, nil
	case string, int64:
		return fmt.Sprint(value), nil
	}
	if ok {
		return nil, fmt.Errorf("settings: %q is neither text, a number nor true or false", flag.Name)
	}
	return nil, nil
}

// text writes settings as a file that says who reads it.
func (s settings) text() ([]byte, error) {
	var out bytes.Buffer
	fmt.Fprintf(&out, "# Flags of \"datacoop serve\", read with --config. A flag on the command line and a\n"+
		"# DATACOOP_* variable come before it. Secrets do not belong here.\n\n")
	if err := toml.NewEncoder(&out).Encode(map[string]any(s)); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	return out.Bytes(), nil
}

package governance

import _ "embed" // for the charters

//go:embed charter/default.toml
var defaultCharter string

//go:embed charter/demo.toml
var demoCharter string

// DefaultCharter is the text a new co-op starts from. It parses as it is, but
// names no stewards: a founder fills in the offices.
func DefaultCharter() []byte { return []byte(defaultCharter) }

// DemoCharter is the text of the demonstration co-op: groups of three, open
// admission, and stewards known as ada, bea, cem and dan.
func DemoCharter() []byte { return []byte(demoCharter) }

// Package render is how the commands answer programs that read them.
//
// It guarantees one JSON document a call, laid out for eyes as well, and a
// newline after it. It refuses what JSON cannot say, and then writes nothing.
package render

import (
	"encoding/json"
	"fmt"
	"io"
)

// JSON writes v to w as one indented JSON document and a newline.
func JSON(w io.Writer, v any) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	if err := out.Encode(v); err != nil {
		return fmt.Errorf("answer as JSON: %w", err)
	}
	return nil
}

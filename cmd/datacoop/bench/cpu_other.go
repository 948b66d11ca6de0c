//go:build !unix

package bench

import "time"

var begun = time.Now()

// cpu takes wall time for processor time where the latter is not to be had.
func cpu() time.Duration { return time.Since(begun) }

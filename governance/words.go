package governance

import (
	"cmp"

	"distributed.ai/datacoop/internal/coop"
)

// displayName makes a name fit to be shown: whatever an identity provider
// sends, nobody is kept out for it.
func displayName(s string) string { return cmp.Or(coop.Shown(s, longestName), "Member") }

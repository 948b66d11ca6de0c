package codebook

import (
	"errors"
	"path"
	"slices"
	"strings"

	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// Gather picks from the files of a folder those that belong to a pool, or,
// where poolID is empty, to the pool of the first export in the order of their
// names. The others are counted by kind, as those of an archive are; hidden
// ones are no files of the member's. A folder without any export of the pool
// is of an unknown format.
//
// Errors: ErrUnknownFormat, and what reading fails with.
func Gather(poolID string, files []Input) (kept []Input, left []Left, err error) {
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b Input) int { return strings.Compare(a.Name, b.Name) })
	counts := map[string]int{}
	for _, in := range files {
		if strings.HasPrefix(path.Base(in.Name), ".") || strings.Contains(in.Name, "__MACOSX/") {
			continue
		}
		_, belongs, err := Recognise(in)
		switch {
		case errors.Is(err, ErrUnknownFormat):
			counts[stream.KindOf(in.Name)]++
		case errors.Is(err, ErrEmptyFile):
			counts[stream.LeftEmpty]++
		case errors.Is(err, ErrDatabaseLog):
			counts[LeftLog]++
		case errors.Is(err, ErrPackedFile):
			counts[stream.LeftArchive]++
		case isDamage(err):
			counts[LeftDamaged]++
		case err != nil:
			return nil, nil, err
		case poolID != "" && belongs != poolID:
			counts[LeftOtherPool]++
		default:
			poolID = belongs
			kept = append(kept, in)
		}
	}
	if len(kept) == 0 {
		return nil, leftOut(counts), ErrUnknownFormat
	}
	return kept, leftOut(counts), nil
}

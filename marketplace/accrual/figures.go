package accrual

import (
	"time"

	"distributed.ai/datacoop/vault"
)

// Coverage is what the profile says. A raw file that no reducer reads has no
// cells to count; it counts as full, because it is all its member has.
func Coverage(f vault.Facts) int64 {
	if f.Raw && f.Profile.Coverage == 0 {
		return 1000
	}
	return int64(f.Profile.Coverage)
}

// Freshness is full for a year and then loses a tenth a year, down to a half,
// in thousandths: old data stay worth something.
func Freshness(sealed, now int64) int64 {
	const year = 365 * 24 * int64(time.Hour/time.Millisecond)
	return max(500, 1000-100*max(0, (now-sealed)/year))
}

// AvailableDays counts the whole days of a period in which a dataset could be
// asked for.
func AvailableDays(f vault.Facts, opened, closed int64) int64 {
	const day, most = int64(24 * time.Hour / time.Millisecond), 3660
	until := closed
	if f.Revoked > 0 {
		until = min(until, f.Revoked)
	}
	return min((until-max(opened, f.Sealed))/day, most)
}

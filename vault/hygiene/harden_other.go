//go:build !linux

package hygiene

// Harden does nothing on this system; see its documentation for Linux.
func Harden() error { return nil }

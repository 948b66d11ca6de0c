// Package typed is what somebody typed into a form of the portal, as its templates
// ask for it when they show the form again.
//
// It is an annex of the portal.
//
// # What it guarantees
//
// A field that was not filled in is empty, never an error.
//
// # What it refuses
//
// To judge: what a field means is for whoever reads it.
package typed

import "slices"

// Form is what was typed before. On a GET nothing was, and a page shows what it
// knows instead.
type Form map[string][]string

// Get is the first value of a field.
func (f Form) Get(field string) string {
	if len(f[field]) == 0 {
		return ""
	}
	return f[field][0]
}

// All are the values of a field that say something.
func (f Form) All(field string) []string {
	return slices.DeleteFunc(slices.Clone(f[field]), func(s string) bool { return s == "" })
}

// Any reports whether one of the fields says something.
func (f Form) Any(fields ...string) bool {
	return slices.ContainsFunc(fields, func(field string) bool { return len(f.All(field)) > 0 })
}

// Has reports whether a field had a value, as ticked boxes do.
func (f Form) Has(field, value string) bool {
	for _, v := range f[field] {
		if v == value {
			return true
		}
	}
	return false
}

// Or is the first value of a field, or what stands there before anything was
// typed.
func (f Form) Or(field, before string) string {
	if f == nil {
		return before
	}
	return f.Get(field)
}

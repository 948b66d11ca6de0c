package genome

import (
	"cmp"
	"slices"
)

// Map joins the markers of several files of one person. Its zero value is
// empty.
type Map struct{ said []Marker }

// Add notes what one line says and answers how many there are.
func (t *Map) Add(m Marker) int {
	t.said = append(t.said, m)
	return len(t.said)
}

// compare puts together what is said of one marker: by its name, or by its
// place where it has none.
func (m Marker) compare(n Marker) int {
	order := cmp.Compare(m.RS, n.RS)
	if order == 0 && m.RS == 0 {
		order = cmp.Or(cmp.Compare(m.Chromosome, n.Chromosome), cmp.Compare(m.Position, n.Position), cmp.Compare(m.Build, n.Build))
	}
	return order
}

// Markers joins what was said, which the map then forgets, and lists it, with the number of markers that
// keep less than was said of them, because it was said differently.
func (t *Map) Markers() (out []Marker, disputed int) {
	said := t.said
	t.said = nil
	slices.SortFunc(said, Marker.compare)
	out = said[:0] // never ahead of what is still to be read
	for from := 0; from < len(said); {
		to := from + 1
		for to < len(said) && said[from].compare(said[to]) == 0 {
			to++
		}
		m, agreed := joined(said[from:to])
		if !agreed {
			disputed++
		}
		out, from = append(out, m), to
	}
	return out, disputed
}

// joined settles what lines say of one marker. What one does not say, another
// may; what they say differently is kept of none. Places on the newest build
// count, because on another build the same place has another number.
func joined(said []Marker) (m Marker, agreed bool) {
	m, torn, lost := Marker{RS: said[0].RS}, false, false
	for _, s := range said {
		if m.Genotype == 0 {
			m.Genotype = s.Genotype
		}
		torn = torn || s.Genotype != 0 && s.Genotype != m.Genotype
		switch nowhere := m.Chromosome == 0 && m.Position == 0; {
		case s.Chromosome == 0 && s.Position == 0:
		case nowhere || s.Build > m.Build:
			m.Chromosome, m.Position, m.Build, lost = s.Chromosome, s.Position, s.Build, false
		case s.Build == m.Build:
			lost = lost || s.Chromosome != m.Chromosome || s.Position != m.Position
		}
	}
	if torn {
		m.Genotype = 0
	}
	if lost {
		m.Chromosome, m.Position, m.Build = 0, 0, 0
	}
	return m, !torn && !lost
}

package codebook

import (
	"bytes"
	"time"

	"distributed.ai/datacoop/marketplace/codebook/synth"
)

// Synthesise invents a personal export in a real format that covers the days
// from start, the same for the same arguments. It is full of invented
// identifiers, which Planted lists and no reduced table may hold. Days are
// between 1 and 3660. The name is what the provider would call the file.
func Synthesise(formatID string, seed uint64, start time.Time, days int) (name string, data []byte, err error) {
	name, data, ok := synth.Export(formatID, seed, start, days)
	if !ok {
		return "", nil, ErrUnknownFormat
	}
	return name, data, nil
}

// Planted lists the invented identifiers that Synthesise puts into exports.
func Planted() []string { return synth.Planted() }

// The sample: thirty days from a Monday, of nobody.
const (
	sampleSeed = 1
	sampleDays = 30
)

var sampleStart = time.Date(2026, time.January, 5, 0, 0, 0, 0, time.UTC)

// Sample is a reduced table of the pool as CSV, from synthetic exports of all
// its formats, always the same. It shows what researchers get before anybody
// has shared anything.
func Sample(poolID string) ([]byte, error) {
	p, ok := poolFor(poolID)
	if !ok {
		return nil, ErrUnknownPool
	}
	var inputs []Input
	for _, f := range p.formats {
		name, data, err := Synthesise(f.ID, sampleSeed, sampleStart, sampleDays)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, Bytes(name, data))
	}
	table, _, err := Reduce(poolID, inputs...)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = table.WriteCSV(&out)
	return out.Bytes(), err
}

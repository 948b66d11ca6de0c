// Package genome reads the genotype files that ancestry and health tests give
// their customers: 23andMe, AncestryDNA, Family Tree DNA, Living DNA,
// MyHeritage, and variant call files (VCF) of one person.
//
// It brings them to one form: chromosomes are 1 to 22, X, Y, PAR and MT, a
// genotype is the two alleles in alphabetical order, or one where there is
// only one, and a position belongs to a build of the reference genome where
// the file names it. [Sniff] tells which kind of file a text is by its
// beginning, [Read] reads one, and a [Map] joins what several say about one
// place.
//
// It guarantees that the order of the files does not matter and that nothing
// but markers leaves it: comments, sample names and marker names of a
// provider's own are read past. Where two files, or two lines of one, disagree
// about a genotype or a position, the marker keeps neither.
//
// It refuses files with the genes of several people, and lines that lack a
// column. It does not know what a marker means.
package genome

import (
	"strconv"
	"strings"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/codebook/decimal"
)

// maxPosition is beyond the end of the longest chromosome.
const maxPosition = 300_000_000

// ErrSeveralPeople refuses a variant call file with several samples.
var ErrSeveralPeople = fault.New(fault.Invalid, "several-people", "This file holds the genes of several people. Share a file with your own alone.")

// Marker is one place of the genome. A file has a million of them, so it holds
// numbers: those of Chromosomes and Genotypes count from 1, and 0 is whatever
// the file does not say.
type Marker struct {
	RS         uint64 // the number of dbSNP's name for it: 4477212 for "rs4477212"
	Position   uint32 // from 1
	Chromosome uint8
	Genotype   uint8 // 0 also where the alleles were not determined
	Build      uint8 // of the reference genome, 36 to 38
}

// cells are the texts of a marker: name, chromosome, position, genotype, build.
const rowCells = 5

// Rows spells markers out, five cells each: dbSNP's name, the chromosome, the
// position, the genotype and the build. They share their memory.
func Rows(markers []Marker) [][]string {
	text, ends := make([]byte, 0, 20*len(markers)), make([]int, 0, 2*len(markers))
	for _, m := range markers {
		if m.RS > 0 {
			text = strconv.AppendUint(append(text, "rs"...), m.RS, 10)
		}
		ends = append(ends, len(text))
		if m.Position > 0 {
			text = strconv.AppendUint(text, uint64(m.Position), 10)
		}
		ends = append(ends, len(text))
	}
	all, cells, rows, from := string(text), make([]string, 0, rowCells*len(markers)), make([][]string, len(markers)), 0
	text = nil
	chromosomes, genotypes := append([]string{""}, Chromosomes()...), append([]string{""}, Genotypes()...)
	builds := map[uint8]string{36: "36", 37: "37", 38: "38"}
	for i, m := range markers {
		cells = append(cells, all[from:ends[2*i]], chromosomes[m.Chromosome], all[ends[2*i]:ends[2*i+1]], genotypes[m.Genotype], builds[m.Build])
		rows[i], from = cells[rowCells*i:rowCells*(i+1):rowCells*(i+1)], ends[2*i+1]
	}
	return rows
}

// Chromosomes lists every chromosome a marker can be on.
func Chromosomes() []string {
	return strings.Fields("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 X Y PAR MT")
}

// alleles in alphabetical order.
const alleles = "ACDGIT"

// Genotypes lists every genotype there can be.
func Genotypes() (out []string) {
	for i := range alleles {
		out = append(out, alleles[i:i+1])
		for j := i; j < len(alleles); j++ {
			out = append(out, alleles[i:i+1]+alleles[j:j+1])
		}
	}
	return out
}

// genotypes are their numbers by any spelling; what says that nothing was
// determined has none.
var genotypes = func() map[string]uint8 {
	out := map[string]uint8{}
	for _, none := range []string{"", "-", "--", "0", "00", "N", "NN", ".", "..", "NC"} {
		out[none] = 0
	}
	for i, g := range Genotypes() {
		out[g] = uint8(i + 1)
		if len(g) == 2 {
			out[g[1:]+g[:1]] = uint8(i + 1)
		}
	}
	return out
}()

// chromosomes are their numbers by any spelling; the figures above 22 are
// AncestryDNA's.
var chromosomes = func() map[string]uint8 {
	out := map[string]uint8{"": 0, "0": 0, "-": 0, "--": 0}
	for i, c := range Chromosomes() {
		out[c] = uint8(i + 1)
	}
	for other, c := range map[string]string{"M": "MT", "XY": "PAR", "23": "X", "24": "Y", "25": "PAR", "26": "MT"} {
		out[other] = out[c]
	}
	return out
}()

// ValidRS reports whether text is dbSNP's name of a marker.
func ValidRS(text string) bool {
	digits, ok := strings.CutPrefix(text, "rs")
	return ok && digits != "" && len(digits) <= 10 && digits[0] != '0' && decimal.Digits(digits)
}

// marker reads the parts of a line. It reports false for a chromosome, a
// position or a genotype that is none, and for a marker that nothing tells
// from others.
func marker(id, chromosome, position, genotype string, build uint8) (m Marker, ok bool) {
	m.Build = build
	if ValidRS(id) {
		m.RS, _ = strconv.ParseUint(id[len("rs"):], 10, 64)
	}
	var known, called bool
	m.Chromosome, known = chromosomes[strings.ToUpper(strings.TrimPrefix(chromosome, "chr"))]
	m.Genotype, called = genotypes[strings.ToUpper(genotype)]
	placed := true
	if strings.Trim(position, "0-") != "" {
		at, err := strconv.ParseUint(position, 10, 32)
		m.Position, placed = uint32(at), err == nil && at <= maxPosition
	}
	return m, known && called && placed && (m.RS != 0 || m.Chromosome != 0 && m.Position != 0)
}

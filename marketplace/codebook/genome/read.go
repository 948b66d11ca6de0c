package genome

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// Read hands each marker of a file of the given kind to add, and counts lines
// that tell no marker it can name. Errors: stream.ErrMalformedFile and
// stream.ErrBadValue, with the line; ErrSeveralPeople; what add answers.
func Read(kind string, r io.Reader, add func(Marker) error) (skipped int, err error) {
	guard := stream.NewGuard(r)
	f := &file{in: bufio.NewReaderSize(guard, 64<<10), guard: guard, vcf: kind == VCF, add: add}
	for {
		line, err := f.next()
		if errors.Is(err, io.EOF) {
			return f.skipped, nil
		}
		if err != nil {
			return 0, stream.Fault(err)
		}
		if err := f.line(line); err != nil {
			return 0, err
		}
	}
}

type file struct {
	in      *bufio.Reader
	guard   *stream.Guard
	long    []byte
	number  int
	vcf     bool
	named   bool // the line that names the columns was seen
	build   uint8
	add     func(Marker) error
	skipped int
}

// next is the next line; the guard ends one that never ends.
func (f *file) next() (string, error) {
	f.guard.Renew()
	f.long = f.long[:0]
	for {
		part, err := f.in.ReadSlice('\n')
		f.long = append(f.long, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(f.long) > 0, err == nil:
			f.number++
			return string(bytes.TrimSpace(f.long)), nil
		}
		return "", err
	}
}

func (f *file) line(line string) error {
	switch {
	case line == "":
		return nil
	case f.vcf && strings.HasPrefix(line, "#CHROM"):
		f.named = true
		if len(strings.Split(line, "\t")) > vcfSample+1 {
			return ErrSeveralPeople
		}
		return nil
	case strings.HasPrefix(line, "#"):
		if build := buildOf(line); build != 0 && !f.named {
			f.build = build
		}
		f.named = f.named || isLayout(cells(strings.ToLower(strings.TrimLeft(line, "# "))))
		return nil
	case f.vcf:
		return f.variant(strings.Split(line, "\t"))
	case !f.named && isLayout(cells(strings.ToLower(line))):
		f.named = true
		return nil
	}
	c := cells(line)
	if len(c) < 4 {
		return stream.BadValue("Line", f.number, "column genotype")
	}
	return f.found(marker(c[0], c[1], c[2], strings.Join(c[3:], ""), f.build))
}

func (f *file) found(m Marker, ok bool) error {
	if !ok {
		f.skipped++
		return nil
	}
	return f.add(m)
}

// The columns of a variant call file (VCF 4.3, section 1.6).
const (
	vcfChromosome = 0
	vcfPosition   = 1
	vcfID         = 2
	vcfReference  = 3
	vcfAlternate  = 4
	vcfFormat     = 8
	vcfSample     = 9
)

func (f *file) variant(c []string) error {
	if len(c) <= vcfSample || !f.named {
		return stream.BadValue("Line", f.number, "the sample")
	}
	id, _, _ := strings.Cut(c[vcfID], ";")
	genotype, ok := called(c)
	m, named := marker(id, c[vcfChromosome], c[vcfPosition], genotype, f.build)
	return f.found(m, ok && named)
}

// called is the genotype of the sample in letters; it reports false where the
// line has none. A shorter and a longer sequence become D and I, as the other
// providers write them.
func called(c []string) (string, bool) {
	if format, _, _ := strings.Cut(c[vcfFormat], ":"); format != "GT" {
		return "", false
	}
	numbers, _, _ := strings.Cut(c[vcfSample], ":")
	letters := letters(c[vcfReference], c[vcfAlternate])
	out := ""
	for _, number := range strings.FieldsFunc(numbers, func(r rune) bool { return r == '/' || r == '|' }) {
		letter := ""
		if len(number) == 1 && number[0] >= '0' && int(number[0]-'0') < len(letters) {
			letter = letters[number[0]-'0']
		}
		if letter == "" {
			return "", true // not determined, or in no letter there is
		}
		out += letter
	}
	return out, true
}

// letters are the alleles by number, the reference first; empty for one that
// has no letter.
func letters(reference, alternate string) []string {
	sequences := append([]string{reference}, strings.Split(alternate, ",")...)
	longest := 0
	for i, s := range sequences {
		if s = strings.ToUpper(s); strings.Trim(s, "ACGT") != "" {
			s = "" // missing, overlapped or symbolic
		}
		sequences[i] = s
		longest = max(longest, len(s))
	}
	if longest < 2 {
		return sequences
	}
	if len(sequences) != 2 || len(sequences[0]) == len(sequences[1]) {
		return make([]string, len(sequences))
	}
	for i, s := range sequences {
		switch {
		case s == "":
		case len(s) == longest:
			sequences[i] = "I"
		default:
			sequences[i] = "D"
		}
	}
	return sequences
}

package genome

import (
	"bytes"
	"slices"
	"strings"
)

// kinds are the files by the name in their comments; a file without one is
// told by its columns alone.
var kinds = []struct{ id, mark string }{
	{"23andme", "23andme"}, {"ancestrydna", "ancestrydna"}, {"living-dna", "living dna"}, {"myheritage", "myheritage"},
	{"ftdna-famfinder", "famfinder"},
}

// VCF is the kind of a variant call file.
const VCF = "vcf"

// layouts are the columns of the line that names them, in lower case.
var layouts = [][]string{
	{"rsid", "chromosome", "position", "genotype"},
	{"rsid", "chromosome", "position", "result"},
	{"rsid", "chromosome", "position", "allele1", "allele2"},
	{"name", "chromosome", "position", "allele1", "allele2"},
}

// Sniff tells which kind of file a text is, given its beginning; empty for
// none.
func Sniff(start []byte) string {
	if bytes.HasPrefix(start, []byte("##fileformat=VCF")) {
		return VCF
	}
	comments, columns := "", []string(nil)
	for line := range bytes.Lines(start) {
		text := strings.ToLower(strings.TrimSpace(string(line)))
		if columns = cells(strings.TrimLeft(text, "# ")); isLayout(columns) {
			break
		}
		if !strings.HasPrefix(text, "#") {
			return ""
		}
		comments += text + "\n"
	}
	if !isLayout(columns) {
		return ""
	}
	for _, k := range kinds {
		if strings.Contains(comments, k.mark) {
			return k.id
		}
	}
	if columns[len(columns)-1] == "result" {
		return "ftdna"
	}
	return "genotype-table"
}

func isLayout(columns []string) bool {
	return slices.ContainsFunc(layouts, func(l []string) bool { return slices.Equal(l, columns) })
}

// cells cuts a line at its tabs, or else its commas. Some providers write
// several tabs in a row, and some quotes too many, in cells that hold none.
func cells(line string) []string {
	line = strings.ReplaceAll(line, `"`, "")
	if strings.Contains(line, "\t") {
		return strings.Fields(line)
	}
	out := strings.Split(line, ",")
	for i, c := range out {
		out[i] = strings.TrimSpace(c)
	}
	return out
}

// builds are the names of the builds of the reference genome in comments.
var builds = []struct {
	mark  string
	build uint8
}{
	{"build 36", 36}, {"build 37", 37}, {"build 38", 38}, {"grch37", 37}, {"grch38", 38},
	{"hg18", 36}, {"hg19", 37}, {"hg38", 38}, {"ncbi36", 36}, {"b37", 37},
}

// buildOf finds the build that a comment names; 0 if it names none or several.
func buildOf(comment string) (build uint8) {
	comment = strings.ToLower(comment)
	for _, b := range builds {
		switch {
		case !strings.Contains(comment, b.mark) || build == b.build:
		case build != 0:
			return 0
		default:
			build = b.build
		}
	}
	return build
}

package codebook

import (
	"io"

	"distributed.ai/datacoop/marketplace/codebook/genome"
)

var genotypeBook = Codebook{
	Pool:  "genotype",
	Title: "Genotype",
	Row:   "one marker of the genome",
	Columns: []Column{
		{Name: "rsid", Type: TypeCode, Scheme: "dbsnp", Source: "the first column, or VCF: ID, where it is dbSNP's name; names of the provider's own are dropped",
			Description: "dbSNP's name of the marker; empty where it has none. Then chromosome, position and build tell which it is."},
		{Name: "chromosome", Type: TypeCode, Codes: genome.Chromosomes(), Source: "chromosome, or VCF: CHROM; AncestryDNA: 23 to 26 are X, Y, PAR and MT",
			Description: "Chromosome; PAR is the part that X and Y share, MT the mitochondria. Empty where the file does not say."},
		{Name: "position", Type: TypeInteger, Min: 1, Max: 300_000_000, Unit: "base pair", Source: "position, or VCF: POS",
			Description: "Position on the chromosome in the build of the row. Never join positions of different builds. Empty where the file does not say, or two of one build disagree."},
		{Name: "genotype", Type: TypeCode, Codes: genome.Genotypes(), Source: "genotype, RESULT, or the two allele columns; VCF: GT with REF and ALT",
			Description: "The alleles in alphabetical order, as the file's strand has them; one where there is only one. D is a deletion, I an insertion. Empty where it was not determined, or two files disagree."},
		{Name: "build", Type: TypeInteger, Min: 36, Max: 38, Source: "the comments at the beginning of the file",
			Description: "Build of the reference genome that position counts in: 36, 37 or 38; empty where the file does not name it."},
	},
	Also: "A genome cannot be made anonymous: it tells who you are, for life, whatever name stands on it. It also describes your parents, children, brothers, sisters and cousins, who were not asked: what they may fall ill with, and whose children they are. Talk to them before you share it. It cannot be changed, and copies that were fetched cannot be called back.",
}

func genotypePool() pool {
	p := pool{book: genotypeBook, reducer: func() reducer { return &genotype{} }}
	for _, f := range []Format{
		{ID: "23andme", Title: "23andMe raw data", File: "genome_…_Full.zip", How: "On 23andme.com: your name, Resources, Browse raw data, Download."},
		{ID: "ancestrydna", Title: "AncestryDNA raw data", File: "AncestryDNA.txt", How: "On ancestry.com: DNA, Settings, Download DNA data."},
		{ID: "ftdna", Title: "Family Tree DNA, autosomal", File: "…_Autosomal_….csv.gz", How: "On familytreedna.com: Autosomal DNA, Download raw data."},
		{ID: "ftdna-famfinder", Title: "Family Finder", File: "FamilyFinder.csv", How: "On familytreedna.com: Family Finder, Download raw data."},
		{ID: "living-dna", Title: "Living DNA", File: "Full_genotypes….txt", How: "On livingdna.com: your kit, Download raw data."},
		{ID: "myheritage", Title: "MyHeritage DNA", File: "MyHeritage_raw_dna_data.zip", How: "On myheritage.com: DNA, Manage DNA kits, Download kit."},
		{ID: genome.VCF, Title: "Variant call file", File: "genome.vcf.gz", How: "From a laboratory. Only a file with one person in it is taken."},
		{ID: "genotype-table", Title: "Genotypes as a table", File: "genotypes.csv", How: "Any table with the columns rsid, chromosome, position and genotype."},
	} {
		p.formats = append(p.formats, format{Format: f, match: func(h head) bool { return genome.Sniff(h.start) == f.ID }})
	}
	return p
}

type genotype struct {
	markers genome.Map
	skipped int
}

func (g *genotype) read(formatID string, r io.Reader) error {
	skipped, err := genome.Read(formatID, r, func(m genome.Marker) error {
		if g.markers.Add(m) > 2*maxRows {
			return ErrTooLarge
		}
		return nil
	})
	g.skipped += skipped
	return err
}

func (g *genotype) rows() (result, error) {
	markers, disputed := g.markers.Markers()
	return result{persons: 1, skipped: g.skipped + disputed, rows: genome.Rows(markers)}, nil
}

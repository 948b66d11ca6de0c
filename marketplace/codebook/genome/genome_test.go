package genome_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/codebook/genome"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// read joins texts and spells out their markers, sorted by place.
func read(t testing.TB, texts ...string) (out []string, skipped, disputed int) {
	t.Helper()
	var all genome.Map
	for _, text := range texts {
		kind := genome.Sniff([]byte(text))
		if kind == "" {
			t.Fatalf("not recognised: %.40q", text)
		}
		n, err := genome.Read(kind, strings.NewReader(text), func(m genome.Marker) error { all.Add(m); return nil })
		if err != nil {
			t.Fatal(err)
		}
		skipped += n
	}
	markers, disputed := all.Markers()
	for _, row := range genome.Rows(markers) {
		out = append(out, strings.Join(row, ","))
	}
	slices.Sort(out)
	return out, skipped, disputed
}

const eight = "rs1,1,101,AA,|rs2,1,102,CC,|rs3,1,103,GG,|rs4,1,104,TT,|rs5,1,105,,|rs6,1,106,CG,|rs7,1,107,CT,|rs8,1,108,AT,"

func TestFixtures(t *testing.T) {
	for file, c := range map[string]struct{ kind, want string }{
		"23andme.txt":                 {"23andme", "rs1,1,101,AA,|rs10,,,AT,|rs2,1,102,CC,|rs3,1,103,GG,|rs4,1,104,TT,|rs5,1,105,,|rs6,1,106,CG,|rs7,1,107,CT,|rs8,1,108,AT,|rs9,,109,AT,"},
		"23andme_win.txt":             {"23andme", "rs1,1,101,AA,|rs10,,,AT,|rs2,1,102,CC,|rs3,1,103,GG,|rs4,1,104,TT,|rs5,1,105,,|rs6,1,106,CG,|rs7,1,107,CT,|rs8,1,108,AT,|rs9,,109,AT,"},
		"23andme_allele.txt":          {"23andme", eight},
		"ancestry.txt":                {"ancestrydna", eight},
		"ancestry_multi_sep.txt":      {"ancestrydna", eight},
		"ancestry_mt.txt":             {"ancestrydna", "rs1,MT,101,AA,|rs2,MT,102,,|rs3,MT,103,CG,"},
		"ftdna.csv":                   {"ftdna", eight},
		"ftdna_famfinder.csv":         {"ftdna-famfinder", eight},
		"livingdna.csv":               {"living-dna", eight},
		"myheritage.csv":              {"myheritage", eight},
		"myheritage_extra_quotes.csv": {"myheritage", eight},
		"duplicate_rsids.csv":         {"genotype-table", "rs1,,,,"},
		"testvcf.vcf": {"vcf", ",1,109,CT,|rs1,1,101,AA,|rs10,1,110,DI,|rs11,1,111,DI,|rs12,1,112,,|rs13,1,113,,|rs14,1,114,,|rs15,1,115,,|" +
			"rs16,1,116,,|rs17,1,117,,|rs2,1,102,CC,|rs3,1,103,GG,|rs4,1,104,TT,|rs5,1,105,,|rs6,1,106,CG,|rs7,1,107,CT,|rs8,1,108,AT,"},
	} {
		text := string(testkit.FixtureBytes(t, "08-genotype/"+file))
		if kind := genome.Sniff([]byte(text)); kind != c.kind {
			t.Errorf("%s is taken for %q", file, kind)
		}
		if got, skipped, _ := read(t, text); strings.Join(got, "|") != c.want || skipped != 0 {
			t.Errorf("%s: %d skipped\n%s\n%s", file, skipped, strings.Join(got, "|"), c.want)
		}
	}
}

// The table tells for each marker what two files say and what should come of
// it. It calls alleles A to D; B and D are none, and stand for G and T here.
// Where the files put a marker at two places it keeps the first file's, which
// is a choice that depends on the order; here such a marker keeps no place.
func TestDiscrepanciesAsPublished(t *testing.T) {
	table, err := csv.NewReader(strings.NewReader(string(testkit.FixtureBytes(t, "08-genotype/discrepant_snps.csv")))).ReadAll()
	if err != nil || len(table) != 53 {
		t.Fatal(len(table), err)
	}
	files := [2]string{"rsid,chromosome,position,genotype\n", "rsid,chromosome,position,genotype\n"}
	letters := strings.NewReplacer("B", "G", "D", "T")
	var want []string
	for _, row := range table[1:] {
		for i := range files {
			files[i] += fmt.Sprintf("%s,%s,%s,%s\n", row[0], row[1], row[2+i], letters.Replace(row[4+i]))
		}
		genotype := []byte(strings.Trim(letters.Replace(row[9]), "-"))
		slices.Sort(genotype)
		place := row[1] + "," + row[8]
		if row[6] == "True" {
			place = ","
		}
		want = append(want, row[0]+","+place+","+string(genotype)+",")
	}
	slices.Sort(want)
	for _, order := range [][]string{{files[0], files[1]}, {files[1], files[0]}} {
		got, _, disputed := read(t, order...)
		slices.Sort(got)
		if !slices.Equal(got, want) || disputed != 36 {
			t.Errorf("%d disputed\n%s\n%s", disputed, got, want)
		}
	}
}

func TestPlacesCountOnTheNewestBuild(t *testing.T) {
	old := "# 23andMe, build 36\n# rsid\tchromosome\tposition\tgenotype\nrs1\t1\t100\tAG\nrs2\t1\t5\t--\n"
	now := "#AncestryDNA, human reference build 37.1\nrsid\tchromosome\tposition\tallele1\tallele2\nrs1\t1\t200\tG\tA\nrs2\t1\t7\t0\t0\n"
	bare := "RSID,CHROMOSOME,POSITION,RESULT\n\"rs1\",\"1\",\"999\",\"--\"\n\"rs3\",\"chrX\",\"1\",\"A\"\n"
	for _, texts := range [][]string{{old, now, bare}, {bare, now, old}, {now, bare, old, now}} {
		got, _, disputed := read(t, texts...)
		if strings.Join(got, "|") != "rs1,1,200,AG,37|rs2,1,7,,37|rs3,X,1,A," || disputed != 0 {
			t.Errorf("%v, %d", got, disputed)
		}
	}
}

func TestWhatIsNoMarkerIsSkipped(t *testing.T) {
	got, skipped, _ := read(t, "# 23andMe, for Rosalind Achterberg\n# rsid\tchromosome\tposition\tgenotype\n"+
		"rs1\t1\t101\tAA\ni5000940\t1\t102\tAG\nkgp1\t7\t0\tAG\nRosalind\tMT\t103\tG\nrs5\tRosalind\t104\tAA\nrs6\t1\tmany\tAA\nrs7\t1\t107\tRosalind\nrs8\t1\t108\tII\nrs9 1 1 AA\tx\ty\tAA\n")
	if strings.Join(got, "|") != ",1,102,AG,|,MT,103,G,|rs1,1,101,AA,|rs8,1,108,II," || skipped != 5 {
		t.Errorf("%q, %d skipped", got, skipped)
	}
}

func TestRefusals(t *testing.T) {
	const header = "##fileformat=VCFv4.2\n##reference=GRCh38\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tRosalind"
	for name, c := range map[string]struct {
		text string
		want *fault.Error
	}{
		"two people":         {header + "\tJan\n1\t1\trs1\tA\tG\t.\t.\t.\tGT\t0/1\t0/0\n", genome.ErrSeveralPeople},
		"nobody":             {"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\n1\t1\trs1\tA\tG\n", stream.ErrBadValue},
		"no header":          {"##fileformat=VCFv4.2\n1\t1\trs1\tA\tG\t.\t.\t.\tGT\t0/1\n", stream.ErrBadValue},
		"too few columns":    {"# 23andMe\n# rsid\tchromosome\tposition\tgenotype\nrs1\t1\t101\n", stream.ErrBadValue},
		"a line of a GB":     {"# 23andMe\n# rsid\tchromosome\tposition\tgenotype\n" + strings.Repeat("A", 3<<20), stream.ErrMalformedFile},
		"prose in the table": {"# 23andMe\n# rsid\tchromosome\tposition\tgenotype\nDear grandmother, I am well.\n", stream.ErrBadValue},
	} {
		_, err := genome.Read(genome.Sniff([]byte(c.text)), strings.NewReader(c.text), func(genome.Marker) error { return nil })
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	got, _, _ := read(t, header+"\nchr7\t5\trs1;rs2\tA\t<DEL>\t.\t.\t.\tGT:DP\t0|1:7\n7\t6\trs3\tA\tG\t.\t.\t.\tDP\t7\nX\t7\trs4\tac\tA\t.\t.\t.\tGT\t1\n")
	if strings.Join(got, "|") != "rs1,7,5,,38|rs4,X,7,D,38" {
		t.Error(got)
	}
}

func TestOtherTextsAreNotGenomes(t *testing.T) {
	for _, text := range []string{"", "23andMe is a company.\n", "# 23andMe\n", "rsid,chromosome\nrs1,1\n", "#\n#\n\nrsid\n", "rsid,chromosome,position_file1,position_file2\n", "a\n# rsid\tchromosome\tposition\tgenotype\n"} {
		if kind := genome.Sniff([]byte(text)); kind != "" {
			t.Errorf("%q is taken for %s", text, kind)
		}
	}
}

// FuzzRead holds that whatever a text is, its markers are made of known words
// and numbers.
func FuzzRead(f *testing.F) {
	f.Add("# 23andMe build 37\n# rsid\tchromosome\tposition\tgenotype\nrs1\t1\t101\tAG\nrs2\tMT\t0\tA\ni3\t25\t7\t--\n")
	f.Add("RSID,CHROMOSOME,POSITION,RESULT\n\"rs1\"\",\"\"1\"\",\"\"101\"\",\"\"TC\"\n")
	f.Add("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n1\t7\trs7\tG\tT,C\t.\t.\t.\tGT\t1|2\n1\t8\t.\tA\tAGC\t.\t.\t.\tGT\t0/1\n")
	f.Fuzz(func(t *testing.T, text string) {
		kind := genome.Sniff([]byte(text))
		var all genome.Map
		_, err := genome.Read(kind, strings.NewReader(text), func(m genome.Marker) error {
			all.Add(m)
			return nil
		})
		if err != nil && fault.KindOf(err) != fault.Invalid {
			t.Fatal(err)
		}
		markers, _ := all.Markers()
		for _, row := range genome.Rows(markers) {
			if row[0] != "" && !genome.ValidRS(row[0]) || row[1] != "" && !slices.Contains(genome.Chromosomes(), row[1]) ||
				row[3] != "" && !slices.Contains(genome.Genotypes(), row[3]) || strings.Trim(row[2], "0123456789") != "" || len(row[2]) > 9 {
				t.Fatalf("%q", row)
			}
		}
	})
}

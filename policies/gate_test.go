package policies

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// law wraps rules into a file that begins as an access policy must.
func law(rules string) string {
	return "package coop.access\n\n" + strings.TrimSpace(rules) + "\n"
}

// ban is a rule that refuses under a condition.
func ban(condition string) string {
	return fmt.Sprintf("forbid contains {\n\t\"code\": \"no-such-use\",\n\t\"sentence\": \"The co-op does not release data for this.\",\n} if %s\n", condition)
}

func inspect(t *testing.T, text string) Report {
	t.Helper()
	report, err := Gate(t.Context(), []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// hostile are proposals the gate refuses, and a word of what it says.
var hostile = func() map[string]struct{ text, finding string } {
	ok := ban("input.request.commercial")
	return map[string]struct{ text, finding string }{
		"an empty file":            {" \n", "empty"},
		"not a policy":             {"let us be nice\n", "Line 1"},
		"old Rego":                 {"package coop.access\n\nforbid[x] { x := 1 }\n", "Line 3"},
		"another package":          {"package coop\n\nkernel.release if true\n", "exactly coop.access"},
		"the kernel's package":     {"package coop.decision\n\ndefault allow := true\n", "exactly coop.access"},
		"a package below":          {"package coop.access.forbid\n\nx := 1\n", "exactly coop.access"},
		"a package above":          {"package coop\n\n" + ok, "exactly coop.access"},
		"no forbid":                {law("obligation contains {\n\t\"code\": \"be-kind\",\n\t\"sentence\": \"Be kind to the members.\",\n}"), "must define forbid"},
		"forbid as a truth":        {law("forbid if input.request.commercial"), "Write it as"},
		"forbid as a value":        {law("forbid := set()"), "Write it as"},
		"forbid by default":        {law("default forbid := set()\n\n" + ok), "Write it as"},
		"forbid as a function":     {law("forbid(x) := x"), "Write it as"},
		"a part of forbid":         {law(ok + "\nforbid.more contains 1 if input.request.commercial"), "by one word"},
		"a bare reason":            {law("forbid contains \"no\" if input.request.commercial"), "fixed texts"},
		"a computed sentence":      {law("forbid contains {\n\t\"code\": \"no-such-use\",\n\t\"sentence\": s,\n} if s := concat(\"\", [\"It was \", input.request.pool])"), "fixed texts"},
		"a computed code":          {law("forbid contains {\"code\": input.request.pool, \"sentence\": \"This pool is closed.\"} if input.request.commercial"), "fixed texts"},
		"more than a reason":       {law("forbid contains {\"code\": \"a\", \"sentence\": \"This is not right.\", \"layer\": \"base\"} if input.request.commercial"), "only two things"},
		"a code in capitals":       {law("forbid contains {\"code\": \"NO\", \"sentence\": \"This is not right.\"} if input.request.commercial"), "lower-case words"},
		"a code of base law":       {law("forbid contains {\"code\": \"no-consent\", \"sentence\": \"This is not right.\"} if input.request.commercial"), "belongs to base law"},
		"a code of the engine":     {law("forbid contains {\"code\": \"policy-unavailable\", \"sentence\": \"This is not right.\"} if input.request.commercial"), "belongs to base law"},
		"a shout for a sentence":   {law("forbid contains {\"code\": \"a\", \"sentence\": \"NO\"} if input.request.commercial"), "capital letter"},
		"a sentence of two lines":  {law("forbid contains {\"code\": \"a\", \"sentence\": \"One line.\\nAnother line.\"} if input.request.commercial"), "capital letter"},
		"one code, two sentences":  {law("forbid contains {\"code\": \"a\", \"sentence\": \"This is not right.\"} if input.request.commercial\n\nforbid contains {\"code\": \"a\", \"sentence\": \"That is not right.\"} if not input.request.commercial"), "used twice"},
		"a misspelt rule":          {law(ok + "\nforbids contains {\"code\": \"b\", \"sentence\": \"That is not right.\"} if input.request.commercial"), "Nothing uses the rule forbids"},
		"a rule nobody needs":      {law(ok + "\nspare := 1"), "Nothing uses the rule spare"},
		"a test of its own":        {law(ok + "\ntest_me if true"), "Tests do not belong"},
		"a misspelt field":         {law(ban("input.request.requestor.vetted == false")), "not in the vocabulary"},
		"the whole input":          {law(ban("count(input) == 0")), "cannot be taken whole"},
		"the input renamed":        {law(ban("{\n\tx := input\n\tx.request.commercial\n}")), "cannot be taken whole"},
		"the input in a list":      {law(ban("{\n\tsome x in [input]\n\tx.request.commercial\n}")), "cannot be taken whole"},
		"the request renamed":      {law(ban("{\n\tx := input.request\n\tx.time > 0\n}")), "not in the vocabulary"},
		"a computed field":         {law(ban("{\n\tsome field in [\"time\", \"id\"]\n\tinput.request[field] == 1\n}")), "not in the vocabulary"},
		"a time-bomb":              {law(ban("input.request.time > 1767225600000")), "not in the vocabulary"},
		"a time-bomb in brackets":  {law(ban("input[\"request\"][\"time\"] > 1767225600000")), "not in the vocabulary"},
		"a time-bomb in a helper":  {law(ban("late(1)") + "\nlate(x) if input.request.time > x"), "not in the vocabulary"},
		"a time-bomb in a set":     {law(ban("count({x | x := input.request.time}) == 1")), "not in the vocabulary"},
		"object.get on a request":  {law(ban("object.get(input.request, \"time\", 0) > 1")), "not in the vocabulary"},
		"one member singled out":   {law(ban("input.dataset.member == \"019a\"")), "not in the vocabulary"},
		"one dataset singled out":  {law(ban("input.dataset.id == \"019a\"")), "not in the vocabulary"},
		"one researcher":           {law(ban("input.request.requester.id == \"019a\"")), "not in the vocabulary"},
		"members' records":         {law(ban("count(input.records) == 0")), "not in the vocabulary"},
		"the consent package":      {law(ban("data.coop.consent.permits")), "only data.terms"},
		"its own package":          {law(ban("count(data.coop.access.forbid) == 0")), "only data.terms"},
		"all data":                 {law(ban("count(data) == 0")), "cannot be taken whole"},
		"computed data":            {law(ban("{\n\tsome p in [\"coop\"]\n\tdata[p].consent.permits\n}")), "only data.terms"},
		"with":                     {law(ban("input.request.commercial with input as {}")), "Leave `with` out"},
		"with in a helper":         {law(ban("other") + "\nother if input.request.commercial with input.request.commercial as false"), "Leave `with` out"},
		"an import of the kernel":  {"package coop.access\n\nimport data.coop.consent\n\n" + ban("consent.permits"), "Leave imports out"},
		"an import of the input":   {"package coop.access\n\nimport input.request as r\n\n" + ban("r.time > 0"), "Leave imports out"},
		"a call to the world":      {law(ban("http.send({\"method\": \"get\", \"url\": \"http://127.0.0.1\"}).status_code == 200")), "http.send"},
		"a look at the clock":      {law(ban("time.now_ns() > 0")), "time.now_ns"},
		"the process environment":  {law(ban("opa.runtime().env.HOME == \"/\"")), "opa.runtime"},
		"chance":                   {law(ban("rand.intn(\"x\", 2) == 0")), "rand.intn"},
		"a name lookup":            {law(ban("count(net.lookup_ip_addr(\"example.org\")) > 0")), "net.lookup_ip_addr"},
		"an enormous shift":        {law(ban("bits.lsh(1, 300000000) > 0")), "bits.lsh"},
		"an enormous range":        {law(ban("count(numbers.range(1, 100000000)) > 0")), "numbers.range"},
		"an enormous graph":        {law(ban("count(graph.reachable_paths({}, {\"a\"})) > 0")), "graph.reachable_paths"},
		"growing numbers":          {law(ban("9 * 9 > 80")), "mul"},
		"parsing Rego":             {law(ban("count(rego.parse_module(\"a\", \"b\")) > 0")), "rego.parse_module"},
		"a regular expression":     {law(ban("regex.match(\"a*\", input.request.pool)")), "regex.match"},
		"printing":                 {law(ban("{\n\tprint(\"hello\")\n\tinput.request.commercial\n}")), "Leave print out"},
		"a text template":          {law(ban("$\"{input.request.pool}\" == \"x\"")), "text templates"},
		"a price as text":          {law(ban("input.request.price_minor < \"500\"")), "is not a text"},
		"a truth as text":          {law(ban("input.request.commercial == \"yes\"")), "is not a text"},
		"a number for a country":   {law(ban("input.request.requester.region == 49")), "is not a number"},
		"a country by name":        {law(ban("input.request.requester.region != \"Germany\"")), "two capital letters"},
		"a kind nobody has":        {law(ban("not input.request.requester.kind in {\"univercity\", \"company\"}")), "one of: university"},
		"a purpose nobody has":     {law(ban("input.request.duo == \"DUO:42\"")), "one of: DUO:0000042"},
		"a use nobody has":         {law(ban("input.request.dpv == \"dpv:Marketing\"")), "one of:"},
		"a list for a text":        {law(ban("\"x\" in input.request.pool")), "not a list"},
		"a number in categories":   {law(ban("7 in input.dataset.categories")), "texts only"},
		"one that calls itself":    {law(ban("loop") + "\nloop if loop"), "recursive"},
		"an unsafe variable":       {law(ban("x > 1")), "unsafe"},
		"an unused variable":       {law(ban("{\n\tx := 1\n\tinput.request.commercial\n}")), "unused"},
		"text in disorder":         {"package coop.access\n" + strings.ReplaceAll(ok, "\t", "  "), "canonical layout"},
		"Windows line ends":        {strings.ReplaceAll(law(ok), "\n", "\r\n"), "canonical layout"},
		"a megabyte":               {law(ok) + "# " + strings.Repeat("x", 1<<20) + "\n", "larger than 64 KiB"},
		"brackets without end":     {law(strings.Repeat("[", 30_000)), "nested"},
		"balanced deep brackets":   {law(ban(strings.Repeat("[", 500) + strings.Repeat("]", 500) + " == 1")), "nested"},
		"nested comprehensions":    {law(ban("count(" + strings.Repeat("[1 | ", 20) + "x := 1" + strings.Repeat("]", 20) + ") > 0")), "nested"},
		"depth behind a text":      {law(ban("count(" + strings.Repeat("[\"]\" | ", 20) + "x := 1" + strings.Repeat("]", 20) + ") > 0")), "nested"},
		"depth behind raw text":    {law(ban("count(" + strings.Repeat("[`]` | ", 20) + "x := 1" + strings.Repeat("]", 20) + ") > 0")), "nested"},
		"depth behind a quote":     {law(ban("count(" + strings.Repeat("[\"\\\"]\" | ", 20) + "x := 1" + strings.Repeat("]", 20) + ") > 0")), "nested"},
		"depth behind comments":    {law(ban("count(" + strings.Repeat("[1 | # ]\n", 20) + "x := 1" + strings.Repeat("]", 20) + ") > 0")), "nested"},
		"a chain without end":      {law(ban(strings.Repeat("1 in ", 12_000) + "[]")), "longer than"},
		"a sum without end":        {law(ban(strings.Repeat("1 + ", 15_000) + "1 > 2")), "longer than"},
		"a zero byte":              {law(ok) + "# \x00\n", "UTF-8"},
		"bytes that are no text":   {law(ok) + "# \xff\xfe\n", "UTF-8"},
		"broken metadata":          {"package coop.access\n\n# METADATA\n# title: [\n" + ok, "Line"},
		"everything banned":        {law(ban("1 == 1")), "can still be released"},
		"everything banned at all": {law("forbid contains {\"code\": \"stop\", \"sentence\": \"Nothing is released.\"}"), "can still be released"},
		"everybody banned":         {law(ban("input.request.requester.vetted")), "can still be released"},
		"loops within loops":       {law(ban("{\n\tsome a in input.dataset.categories\n\tsome b in input.dataset.categories\n\tsome c in input.dataset.categories\n\tsome d in input.dataset.categories\n\ta != b\n\tc != d\n\tb == d\n\ta == d\n}")), "steps"},
		"two values for one name":  {law(ban("limit > 1") + "\nlimit := 1\n\nlimit := 2 if input.request.requester.kind == \"company\""), "error"},
		"every address there is":   {law(ban("count(net.cidr_expand(\"10.0.0.0/8\")) > 0")), "net.cidr_expand"},
		"a text that grows":        {law(ban("count(concat(\",\", [\"a\", \"b\"])) > 0")), "concat"},
		"a text that repeats":      {law(ban("count(sprintf(\"%1000000000d\", [1])) > 0")), "sprintf"},
		"a product of sets":        {law(ban("count(units.parse_bytes(\"1TB\")) > 0")), "units.parse_bytes"},
		"code that is data":        {law(ban("json.unmarshal(\"{}\") == {}")), "json.unmarshal"},
		"a walk through all":       {law(ban("{\n\twalk(data.terms, [_, v])\n\tv == 1\n}")), "walk"},
	}
}()

func TestGateRefusesHostileAndBrokenProposals(t *testing.T) {
	for name, c := range hostile {
		t.Run(name, func(t *testing.T) {
			report := inspect(t, c.text)
			if report.OK || len(report.Findings) == 0 {
				t.Fatalf("passed:\n%s", c.text)
			}
			if !strings.Contains(strings.Join(report.Findings, " "), c.finding) {
				t.Errorf("findings do not mention %q: %q", c.finding, report.Findings)
			}
		})
	}
}

func TestGatePassesNarrowingProposals(t *testing.T) {
	for name, condition := range map[string]string{
		"no commercial use":      "input.request.commercial",
		"only Europe":            "not \"EU\" in data.terms.covering.region[input.request.requester.region]",
		"only two countries":     "not input.request.requester.region in {\"DE\", \"AT\"}",
		"a lowest price":         "input.request.price_minor < 300",
		"a year at most":         "input.request.retention_days > 365",
		"no companies":           "input.request.requester.kind == \"company\"",
		"no ancestry research":   "input.request.duo == \"DUO:0000011\"",
		"nothing about location": "\"Location\" in input.dataset.categories",
		"a closed pool":          "input.request.pool == \"genotype\"",
		"companies pay more":     "{\n\tinput.request.requester.kind == \"company\"\n\tinput.request.price_minor < 10000\n}",
		"only Poland":            "input.request.requester.region != \"PL\"",
		"only the location pool": "input.request.pool != \"location\"",
		"only what is cheap":     "input.request.price_minor > 3",
		"one country of members": "input.dataset.region != \"AT\"",
		"only with a category":   "not \"Location\" in input.dataset.categories",
		"members of other lands": "input.dataset.region != input.request.requester.region",
	} {
		t.Run(name, func(t *testing.T) {
			text, err := Format([]byte(law(ban(condition))))
			if err != nil {
				t.Fatal(err)
			}
			if report := inspect(t, string(text)); !report.OK {
				t.Errorf("findings: %q", report.Findings)
			}
		})
	}
}

func TestGateSaysWhatAPolicyMeans(t *testing.T) {
	report := inspect(t, string(Default()))
	want := []string{
		"Only vetted requesters. A request is refused: “The co-op releases data only to requesters it has vetted.”",
		"Results come back. Whoever receives data takes on a duty: “Publish what you found, openly, and report it to the members.”",
	}
	if !report.OK || !slices.Equal(report.Sentences, want) {
		t.Errorf("got %q, findings %q", report.Sentences, report.Findings)
	}
	revision, err := Compile(t.Context(), Default())
	if err != nil || revision.Hash() != report.Revision || !slices.Equal(revision.Sentences(), want) {
		t.Errorf("compiled otherwise: %v %v", revision, err)
	}
}

func TestGateStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if report, err := Gate(ctx, Default(), nil); err == nil || report.OK {
		t.Errorf("answered %+v without an error", report)
	}
}

func TestCompileRefusesWhatTheGateWouldRefuseForItsShape(t *testing.T) {
	var broken *Broken
	for _, text := range []string{"", "package coop\n", law("forbid := 1"), law(ban("input.request.time > 1"))} {
		if _, err := Compile(t.Context(), []byte(text)); !errors.As(err, &broken) || len(broken.Findings) == 0 {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestFormatRepairsLayoutOnly(t *testing.T) {
	messy := "package coop.access\nforbid contains {\"code\":\"no-such-use\",\"sentence\":\"The co-op does not release data for this.\"} if { input.request.commercial }\n"
	if inspect(t, messy).OK {
		t.Fatal("a messy text passed")
	}
	tidy, err := Format([]byte(messy))
	if err != nil || !inspect(t, string(tidy)).OK {
		t.Errorf("still refused: %v\n%s", err, tidy)
	}
	if _, err := Format([]byte("package")); err == nil {
		t.Error("formatted a text that cannot be read")
	}
}

func FuzzGateShape(f *testing.F) {
	f.Add(string(Default()))
	f.Add(law(ban("input.request.time > 1")))
	f.Add(law(ban("{\n\tx := input\n\tx.request.commercial\n}")))
	f.Fuzz(func(t *testing.T, text string) {
		module, findings := shape([]byte(text))
		if len(findings) == 0 && (module == nil || module.Package.Path.String() != "data.coop.access") {
			t.Errorf("accepted: %q", text)
		}
	})
}

// Whatever a text is made of, the shape check answers and never panics.
func TestShapeAnswersWhateverItIsShown(t *testing.T) {
	pieces := strings.Fields(string(Default()) + ` package coop import with input data _ some in every not if else default contains := == | { } [ ] ( ) "a" 7 -1 1e9 $"{x}" # METADATA
		input.request.time data.coop . : , as true null set() ` + "`raw`")
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom([]string{string(Default()), "package coop.access\n\n" + ban("input.request.commercial")}).Draw(t, "text")
		for range rapid.IntRange(1, 4).Draw(t, "times") {
			at := rapid.IntRange(0, len(text)).Draw(t, "at")
			to := min(len(text), at+rapid.IntRange(0, 12).Draw(t, "cut"))
			with := rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 4).Draw(t, "with")
			text = text[:at] + strings.Join(with, rapid.SampledFrom([]string{"", " ", "\n"}).Draw(t, "by")) + text[to:]
		}
		module, findings := shape([]byte(text))
		if len(findings) > 0 {
			return
		}
		if module.Package.Path.String() != "data.coop.access" {
			t.Fatalf("accepted %q", text)
		}
		_, _ = Compile(context.Background(), []byte(text))
	})
}

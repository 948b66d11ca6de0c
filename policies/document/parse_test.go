package document

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

// rules puts conditions into a document that is otherwise right.
func rule(when string) string {
	return `{"rules":[{"code":"no-thing","effect":"forbid","title":"Nothing of it","when":[` + when + `]}]}`
}

func TestBrokenDocumentsAreRefusedWithASentence(t *testing.T) {
	long := strings.Repeat("a", 300)
	for name, c := range map[string]struct{ text, says string }{
		"nothing":                       {``, "not JSON"},
		"a list":                        {`[]`, "an object with rules"},
		"no rules":                      {`{}`, "1 to 48 rules"},
		"empty rules":                   {`{"rules":[]}`, "1 to 48 rules"},
		"an unknown field":              {`{"rules":[],"title":"x"}`, "does not know"},
		"an unknown field of a rule":    {`{"rules":[{"code":"a","allow":true}]}`, "does not know"},
		"a field in other letters":      {`{"Rules":[]}`, "small letters"},
		"a field twice":                 {`{"rules":[],"rules":[]}`, "twice"},
		"text after the end":            {string(Default()) + "{}", "after the end"},
		"depth":                         {strings.Repeat(`{"rules":[`, 2000), "too deep"},
		"a number as a text":            {rule(`{"about":"price","is":"below","number":"500"}`), "another kind"},
		"a broken number":               {rule(`{"about":"price","is":"below","number":5.5}`), "another kind"},
		"a huge number":                 {rule(`{"about":"price","is":"below","number":99999999999999999999}`), "another kind"},
		"a price of nothing":            {rule(`{"about":"price","is":"below"}`), "needs a number"},
		"a price below nothing":         {rule(`{"about":"price","is":"below","number":-5}`), "needs a number"},
		"years beyond base law":         {rule(`{"about":"retention","is":"above","number":3651}`), "needs a number"},
		"values of a price":             {rule(`{"about":"price","is":"below","number":5,"values":["a"]}`), "no values"},
		"a number of a purpose":         {rule(`{"about":"purpose","is":"within","values":["DUO:0000006"],"number":5}`), "no number"},
		"values of a truth":             {rule(`{"about":"commercial","is":"yes","values":["yes"]}`), "nothing else"},
		"no values":                     {rule(`{"about":"purpose","is":"within"}`), "1 to 40"},
		"a date":                        {rule(`{"about":"time","is":"above","number":5}`), "cannot speak of"},
		"a person":                      {rule(`{"about":"requester-id","is":"one-of","values":["eve"]}`), "cannot speak of"},
		"another operator":              {rule(`{"about":"price","is":"one-of","values":["5"]}`), "can say"},
		"an unknown purpose":            {rule(`{"about":"purpose","is":"within","values":["DUO:0000999"]}`), "not a term"},
		"a modifier as a purpose":       {rule(`{"about":"purpose","is":"within","values":["DUO:0000019"]}`), "not a term"},
		"the root of a tree":            {rule(`{"about":"use","is":"within","values":["Purpose"]}`), "not a term"},
		"an unknown country":            {rule(`{"about":"requester-country","is":"within","values":["XX"]}`), "not a term"},
		"a country in small letters":    {rule(`{"about":"requester-country","is":"within","values":["de"]}`), "not a term"},
		"a pool that is none":           {rule(`{"about":"pool","is":"one-of","values":["Heart rate\"]"]}`), "A pool is"},
		"the same twice":                {rule(`{"about":"price","is":"below","number":5},{"about":"price","is":"below","number":9}`), "say it in one"},
		"yes and no":                    {rule(`{"about":"commercial","is":"yes"},{"about":"commercial","is":"no"}`), "say it in one"},
		"many pools":                    {rule(`{"about":"pool","is":"one-of","values":["` + pools(30) + `"]}`), "fit"},
		"many values":                   {rule(`{"about":"pool","is":"one-of","values":["` + pools(41) + `"]}`), "1 to 40"},
		"nothing that forbids":          {strings.Replace(rule(""), `"forbid"`, `"review"`, 1), "must forbid"},
		"another effect":                {strings.Replace(rule(""), `"forbid"`, `"permit"`, 1), "forbid, review or oblige"},
		"a code in capitals":            {strings.Replace(rule(""), "no-thing", "No-Thing", 1), "lower-case"},
		"no title":                      {strings.Replace(rule(""), "Nothing of it", "", 1), "title"},
		"a title of two lines":          {strings.Replace(rule(""), "Nothing of it", `Nothing\nforbid`, 1), "title"},
		"a title that turns the page":   {strings.Replace(rule(""), "Nothing of it", "Nothing \u202e of it", 1), "title"},
		"a long sentence":               {strings.Replace(rule(""), `"when"`, `"sentence":"A`+long+`.","when"`, 1), "sentence"},
		"half a sentence":               {strings.Replace(rule(""), `"when"`, `"sentence":"no full stop here","when"`, 1), "sentence"},
		"a duty that forbids":           {strings.Replace(rule(""), `"when"`, `"duty":"collaborate","when"`, 1), "Only a rule that obliges"},
		"a duty that is none":           {duty(`"duty":"dance"`), "no duty of that name"},
		"two duties at once":            {duty(`"duty":"collaborate","sentence":"Dance at the meeting."`), "not both"},
		"a rule that obliges to what":   {duty(`"title":"Empty"`), "names one of the duties"},
		"days before the beginning":     {duty(`"duty":"collaborate","days":-1`), "Days are"},
		"two rules of one code":         {two(`"code":"no-thing","effect":"forbid","title":"Another","when":[{"about":"commercial","is":"yes"}]`), "has the code of rule 1"},
		"two rules that say one thing":  {two(`"code":"another","effect":"forbid","title":"Another"`), "says the same as rule 1"},
		"two rules that tell one thing": {two(`"code":"another","effect":"forbid","title":"Nothing of it","sentence":"Every request is refused.","when":[{"about":"commercial","is":"yes"}]`), "title and the sentence of rule 1"},
		"a currency that is none":       {"", "currency"},
	} {
		t.Run(name, func(t *testing.T) {
			currency := coop.Currency("EUR")
			if name == "a currency that is none" {
				currency = "eu"
			}
			d, err := Parse([]byte(c.text), currency)
			var refused *Refused
			if !errors.As(err, &refused) || !strings.Contains(strings.Join(refused.Findings, " "), c.says) || !strings.Contains(err.Error(), refused.Findings[0]) {
				t.Errorf("%v\n%s", err, d.Canonical())
			}
		})
	}
}

func pools(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("a%02d%s", i, strings.Repeat("b", 28)))
	}
	return strings.Join(all, `","`)
}

func duty(fields string) string {
	if !strings.Contains(fields, `"title"`) {
		fields += `,"title":"A duty"`
	}
	return two(`"code":"a-duty","effect":"oblige",` + fields)
}

func two(fields string) string {
	return strings.Replace(rule(""), "]}]}", "]},{"+fields+"}]}", 1)
}

func TestLargeDocumentsAreRefused(t *testing.T) {
	if _, err := Parse(bytes.Repeat([]byte(" "), MaxDocument+1), "EUR"); err == nil {
		t.Error("taken")
	}
	if _, err := Parse([]byte("{\"rules\":\"\xff\"}"), "EUR"); err == nil {
		t.Error("taken")
	}
}

// A finding never repeats what the author wrote.
func TestFindingsHoldNothingThatWasSent(t *testing.T) {
	_, err := Parse([]byte(rule(`{"about":"<b>mallory</b>","is":"<i>"}`)), "EUR")
	if err == nil || strings.Contains(err.Error(), "mallory") {
		t.Errorf("%v", err)
	}
}

// FuzzParse holds every text that is read as a document to what documents
// promise.
func FuzzParse(f *testing.F) {
	for _, text := range []string{string(Default()), narrow, rule(`{"about":"price","is":"below","number":5}`), two(`"effect":"oblige"`), "{", `{"rules":1}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse([]byte(text), "EUR")
		if err != nil {
			return
		}
		again, err := Parse(d.Canonical(), "EUR")
		if err != nil || again.Digest() != d.Digest() {
			t.Fatalf("the canonical form is another document: %v", err)
		}
		if laid, err := policies.Format(d.Rego()); err != nil || !bytes.Equal(laid, d.Rego()) {
			t.Fatalf("not in the canonical layout: %v\n%s", err, d.Rego())
		}
		if back, ok := Read(d.Rego(), "EUR"); !ok || back.Digest() != d.Digest() {
			t.Fatalf("not read back: %s\n%s", d.Canonical(), d.Rego())
		}
		if _, err := ReadPublished(d.ODRL(""), "EUR"); err != nil {
			t.Fatalf("published and not read: %v", err)
		}
		sentences := d.English()
		slices.Sort(sentences)
		if len(slices.Compact(sentences)) != len(d.Rules) {
			t.Fatalf("%d rules say %q", len(d.Rules), sentences)
		}
	})
}

// FuzzRead reads Rego of any kind: either no document, or exactly that text.
func FuzzRead(f *testing.F) {
	f.Add(string(policies.Default()))
	f.Add(header + "\n# METADATA\n# title: x\nforbid contains {\n")
	f.Fuzz(func(t *testing.T, text string) {
		if d, ok := Read([]byte(text), "EUR"); ok && string(d.Rego()) != text {
			t.Fatalf("%q", text)
		}
	})
}

func TestEveryValueHasWordsOfItsOwn(t *testing.T) {
	for _, s := range Subjects() {
		words := map[string]string{}
		for _, v := range s.Values {
			said := name(s.Name, v)
			if other, twice := words[said]; twice || said == v && s.Name != aboutPool {
				t.Errorf("%s: %s and %s are both %q", s.Name, v, other, said)
			}
			words[said] = v
		}
	}
}

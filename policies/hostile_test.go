package policies

import "testing"

// The ways in which a policy was found to harm, open a door or say nothing, and
// the proposals above that try them.
func TestEveryKnownWayToHarmIsTried(t *testing.T) {
	known := map[string][]string{
		"a package that takes over the kernel":                         {"another package", "the kernel's package", "a package above", "a package below"},
		"replacing what is asked with with":                            {"with", "with in a helper"},
		"taking the input whole, to read any part of it later":         {"the whole input", "the input renamed", "the input in a list", "the request renamed"},
		"computing which part of the input is read":                    {"a computed field", "object.get on a request"},
		"reading the members' records or the kernel's answers":         {"members' records", "the consent package", "computed data", "all data", "an import of the kernel"},
		"law that changes at a date":                                   {"a time-bomb", "a time-bomb in brackets", "a time-bomb in a helper", "a time-bomb in a set", "an import of the input"},
		"a clock":                                                      {"a look at the clock"},
		"a call to the network":                                        {"a call to the world", "a name lookup"},
		"the process and its environment":                              {"the process environment"},
		"chance":                                                       {"chance"},
		"a list without end from two numbers":                          {"an enormous range"},
		"a list without end from an address":                           {"every address there is"},
		"a number without end from one shift, which no deadline stops": {"an enormous shift", "growing numbers"},
		"all paths of a graph, which no deadline stops":                {"an enormous graph", "a walk through all"},
		"loops within loops":                                           {"loops within loops"},
		"texts that grow":                                              {"a text that grows", "a text that repeats"},
		"a parser whose work doubles with every bracket":               {"brackets without end", "balanced deep brackets", "nested comprehensions"},
		"depth that hides behind a text or a comment":                  {"depth behind a text", "depth behind raw text", "depth behind a quote", "depth behind comments"},
		"a chain that takes a parser the square of its length":         {"a chain without end", "a sum without end"},
		"a file of a megabyte":                                         {"a megabyte"},
		"bytes that are no text":                                       {"a zero byte", "bytes that are no text"},
		"a text with two layouts, and so two hashes":                   {"text in disorder", "Windows line ends"},
		"a misspelt part of a request":                                 {"a misspelt field"},
		"a misspelt rule, which refuses nothing":                       {"a misspelt rule", "a rule nobody needs"},
		"a number as a text":                                           {"a price as text", "a truth as text", "a number for a country"},
		"words that no request ever has":                               {"a kind nobody has", "a purpose nobody has", "a use nobody has", "a country by name"},
		"no forbid, so that a negation would let everybody in":         {"no forbid", "forbid as a truth", "forbid as a value", "forbid by default"},
		"everything forbidden":                                         {"everything banned", "everything banned at all", "everybody banned"},
		"one person singled out":                                       {"one member singled out", "one dataset singled out", "one researcher"},
		"a sentence that is made while deciding":                       {"a computed sentence", "a computed code", "more than a reason"},
		"a code of the kernel, to be taken for it":                     {"a code of base law", "a code of the engine"},
		"code within the code":                                         {"parsing Rego", "code that is data", "a text template"},
		"two answers to one question":                                  {"two values for one name"},
		"a rule that needs itself":                                     {"one that calls itself"},
		"words for the operator's log":                                 {"printing"},
	}
	if len(known) < 26 {
		t.Errorf("only %d ways", len(known))
	}
	for way, proposals := range known {
		if len(proposals) == 0 {
			t.Errorf("nothing tries %s", way)
		}
		for _, name := range proposals {
			if hostile[name].text == "" {
				t.Errorf("%s: there is no proposal called %q", way, name)
			}
		}
	}
}

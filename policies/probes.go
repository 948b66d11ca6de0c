package policies

import "fmt"

// MaxCategories is the most kinds of personal data one dataset may name. The
// gate counts the steps of decisions on datasets that name as many.
const MaxCategories = 32

// probes are questions as large as any the engine is asked, one for each
// purpose and kind of organisation.
func probes() []Input {
	var out []Input
	for _, duo := range terms.DUO.Requestable {
		for _, dpv := range terms.DPV.Requestable {
			for _, kind := range terms.Kinds {
				out = append(out, probe(duo, dpv, kind))
			}
		}
	}
	return out
}

func probe(duo, dpv, kind string) Input {
	const day, now = 86_400_000, 1_767_225_600_000
	categories := make([]string, MaxCategories)
	for i := range categories {
		categories[i] = fmt.Sprintf("Category%d", i)
	}
	record := Record{
		Effect: Given, Scope: "pool", Purposes: terms.DUO.Requestable, RequesterKinds: terms.Kinds,
		Commercial: true, NotBefore: now - day, Expires: now + day, Withdrawn: now + day,
	}
	return Input{
		Request: Request{
			Pool: "wearables", DUO: duo, DPV: dpv, Commercial: true, PriceMinor: 1_000_000,
			RetentionDays: 30, Reviewed: true, Time: now,
			Requester: Requester{Kind: kind, Vetted: true, Region: "DE"},
		},
		Dataset: Dataset{Pool: "wearables", Categories: categories, Region: "DE", Sealed: now - day, Closed: now + day},
		Records: []Record{record, record},
	}
}

package policies

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/open-policy-agent/opa/v1/ast"

	"distributed.ai/datacoop/internal/coop"
)

// Bounds of what samples takes from a proposal: enough to find what it leaves
// open, few enough to try every combination.
const (
	maxRegions    = 6
	maxPools      = 4
	maxNumbers    = 3
	maxCategories = 4
)

// samples lists the values the invariants build requests from: a few usual ones
// and those that the policy names, so that a policy that releases only to one
// country or above one price is not mistaken for one that releases nothing.
func samples(access *ast.Module) map[string]any {
	regions, pools := []any{"DE", "US"}, []any{"wearables"}
	categories := []any{[]any{}}
	prices, retentions := []any{number64(1_000_000), number64(0)}, []any{number64(1), number64(MaxRetentionDays())}
	texts, numbers := constants(access)
	for _, s := range texts {
		switch {
		case country.MatchString(s):
			regions = add(regions, s, 2+maxRegions)
		case slices.Contains(RegionGroups(), s), slices.Contains(terms.Kinds, s):
			// covered by the usual ones
		case coop.ValidSlug(s):
			pools = add(pools, s, 1+maxPools)
			categories = add(categories, []any{s}, 1+2*maxCategories)
		default:
			categories = add(categories, []any{s}, 1+2*maxCategories)
		}
	}
	for _, n := range numbers {
		prices, retentions = add(prices, number64(n), 2+maxNumbers), add(retentions, number64(n), 2+maxNumbers)
	}
	return map[string]any{"regions": regions, "pools": pools, "categories": categories, "prices": prices, "retentions": retentions}
}

func add(list []any, v any, most int) []any {
	if len(list) < most {
		list = append(list, v)
	}
	return list
}

func number64(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }

// constants lists the texts and integers that stand in the bodies of rules, in
// order, each once.
func constants(module *ast.Module) (texts []string, numbers []int64) {
	look := func(t *ast.Term) bool {
		switch v := t.Value.(type) {
		case ast.Ref:
			return true // its parts are names, not values
		case ast.String:
			if s := string(v); !slices.Contains(texts, s) {
				texts = append(texts, s)
			}
		case ast.Number:
			if n, ok := v.Int64(); ok && !slices.Contains(numbers, n) {
				numbers = append(numbers, n)
			}
		}
		return false
	}
	for _, rule := range module.Rules {
		ast.WalkTerms(rule.Body, look)
		if rule.Head.Value != nil {
			ast.WalkTerms(rule.Head.Value, look)
		}
	}
	return texts, numbers
}

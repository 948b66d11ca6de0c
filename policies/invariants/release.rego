# What can still be released.
package coop.invariants

# METADATA
# description: |
#   A request that is released, looked for first with the usual pool, price and
#   time, then with everything that the proposal itself names (data.gate).
something_is_released if {
	some region in data.gate.regions
	some home in {region, "DE"}
	some purpose in data.terms.duo.requestable
	some use in lawful
	some kind in data.terms.kinds
	released({
		"request": request(purpose, use, kind, region, "wearables"),
		"dataset": object.union(dataset("wearables", []), {"region": home}),
		"records": [given],
	})
}

something_is_released if {
	some purpose in data.terms.duo.requestable
	some use in lawful
	some kind in data.terms.kinds
	some region in data.gate.regions
	some pool in data.gate.pools
	some categories in data.gate.categories
	some price in data.gate.prices
	some days in data.gate.retentions
	some home in {region, "DE"}
	released({
		"request": object.union(
			request(purpose, use, kind, region, pool),
			{"price_minor": price, "retention_days": days},
		),
		"dataset": object.union(dataset(pool, categories), {"region": home}),
		"records": [given],
	})
}

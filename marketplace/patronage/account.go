package patronage

import (
	"errors"
	"maps"
	"slices"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace/ledger"
)

// issuedAccount stands against the members' in the journal.
const issuedAccount ledger.Account = "memorandum:patronage:issued"

// memorandum is the name of a member's account in the journal.
func memorandum(m coop.MemberID) ledger.Account {
	return ledger.Account("memorandum:patronage:member:" + string(m))
}

func sorted(names map[ledger.Account]bool) []ledger.Account { return slices.Sorted(maps.Keys(names)) }

var errAccount = errors.New("patronage: an account is not what the books' settlements add up to")

package ledger

import (
	"slices"
	"strings"

	"distributed.ai/datacoop/internal/coop"
)

// Account names one account, as in plain-text accounting: its kind, a colon and
// what it holds.
type Account string

// The chart of accounts. A member's account is made by Member.
const (
	Bank       Account = "assets:bank"            // money on the co-op's account
	Receivable Account = "assets:receivable"      // invoiced, not yet paid
	Operations Account = "expenses:operations"    // running the platform
	Access     Account = "income:access"          // earned by access requests, not yet settled
	Commission Account = "income:commission"      // kept for running the platform
	Prepaid    Account = "liabilities:prepaid"    // paid by researchers, not yet earned
	Payout     Account = "liabilities:payout"     // released to members, not yet carried out by the bank
	Credit     Account = "liabilities:credit"     // owed to researchers for what was paid and never delivered
	Unassigned Account = "liabilities:unassigned" // received, and nobody knows for what
	Appeals    Account = "liabilities:appeals"    // held back until a period's appeals are decided
	Reserve    Account = "equity:reserve"         // belongs to the co-op
	Purpose    Account = "equity:purpose"         // for the common purpose
	Investors  Account = "equity:investors"       // due to investors, who come last
	members            = "liabilities:member:"    // owed to one member
	widest             = len(members) + len(uuid) // of all accounts
	uuid               = "00000000-0000-7000-8000-000000000000"
)

var chart = []Account{Bank, Receivable, Operations, Access, Commission, Prepaid, Payout, Credit, Unassigned, Appeals, Reserve, Purpose, Investors}

// Member is the account of what the co-op owes one member.
func Member(id coop.MemberID) Account { return Account(members + string(id)) }

// Members is the prefix of all members' accounts, for Balances.
const Members = members

// Member returns whose account a is, if it is a member's.
func (a Account) Member() (coop.MemberID, bool) {
	id, ok := strings.CutPrefix(string(a), members)
	return coop.MemberID(id), ok && coop.ValidID(id)
}

// Valid reports whether a is in the chart of accounts or a member's account.
func (a Account) Valid() bool {
	if _, ok := a.Member(); ok {
		return true
	}
	return slices.Contains(chart, a)
}

// debit reports whether a usually holds more debits than credits; Balance
// counts in the usual direction.
func (a Account) debit() bool {
	return strings.HasPrefix(string(a), "assets:") || strings.HasPrefix(string(a), "expenses:")
}

// natural turns a sum of postings, debits positive, into what the account holds.
func (a Account) natural(sum int64) coop.Money {
	if a.debit() {
		return coop.Money(sum)
	}
	return coop.Money(-sum)
}

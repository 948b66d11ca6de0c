package governance

import "distributed.ai/datacoop/internal/fault"

// Faults of this room. Their codes are part of the API.
var (
	ErrMemberNotFound    = fault.New(fault.NotFound, "member-not-found", "There is no such member.")
	ErrNotAMember        = fault.New(fault.Forbidden, "not-a-member", "Only members with an open account can do this.")
	ErrNotAdmitted       = fault.New(fault.Forbidden, "not-admitted", "This co-op admits members by invitation. Ask for one and sign in with its code.")
	ErrInvitationUsed    = fault.New(fault.Forbidden, "invitation-used", "This invitation has been used already. Ask for a new one.")
	ErrInvitationExpired = fault.New(fault.Forbidden, "invitation-expired", "This invitation has expired. Ask for a new one.")
	ErrMayNotInvite      = fault.New(fault.Forbidden, "may-not-invite", "The charter does not let you invite members.")
	ErrIdentity          = fault.New(fault.Invalid, "identity-incomplete", "The identity provider did not say who you are.")
	ErrAccountClosed     = fault.New(fault.Gone, "account-closed", "This account has been closed.")
	ErrSigningKey        = fault.New(fault.Invalid, "signing-key-invalid", "A signing key is an Ed25519 public key of 32 bytes.")

	ErrProposalNotFound = fault.New(fault.NotFound, "proposal-not-found", "There is no such proposal.")
	ErrProposalTitle    = fault.New(fault.Invalid, "proposal-title", "A proposal needs a title: one line of at most 120 characters.")
	ErrProposalText     = fault.New(fault.Invalid, "proposal-text", "A proposal needs a text that says why, of at most 4000 characters.")
	ErrPolicySize       = fault.New(fault.Invalid, "policy-size", "A proposal needs the text of a policy, of at most 64 KiB.")
	ErrPolicyRefused    = fault.New(fault.Invalid, "policy-refused", "This policy cannot be put to the vote.")
	ErrAlreadyLaw       = fault.New(fault.Conflict, "already-law", "This policy is the law already.")
	ErrTooManyOpen      = fault.New(fault.Conflict, "too-many-open", "You have several of these open already. Wait until one is decided.")
	ErrChoice           = fault.New(fault.Invalid, "choice-invalid", "A ballot says yes, no or abstain.")
	ErrVotingClosed     = fault.New(fault.Conflict, "voting-closed", "Voting on this proposal has ended.")
	ErrVotingOpen       = fault.New(fault.Conflict, "voting-open", "Voting is still open: the result is known when it ends.")
	ErrNotOnRoll        = fault.New(fault.Forbidden, "not-on-roll", "You became a member after this vote began, so you cannot vote on it.")
	ErrAlreadyVoted     = fault.New(fault.Conflict, "already-voted", "You have voted on this proposal already.")
	ErrReceiptNotFound  = fault.New(fault.NotFound, "receipt-not-found", "No ballot has this receipt.")
	ErrRevisionNotFound = fault.New(fault.NotFound, "revision-not-found", "No law with this digest was ever in force here.")

	ErrContributionNotFound = fault.New(fault.NotFound, "contribution-not-found", "There is no such contribution.")
	ErrWorkKind             = fault.New(fault.Invalid, "work-kind", "Work is of the kind git, document, design, support, duty or other.")
	ErrWorkTitle            = fault.New(fault.Invalid, "work-title", "Work needs a title: one line of at most 200 characters.")
	ErrWorkEvidence         = fault.New(fault.Invalid, "work-evidence", "Say where the work can be seen, in at most 2000 characters.")
	ErrWorkText             = fault.New(fault.Invalid, "work-text", "Describe the work in at most 8000 characters.")
	ErrOwnWork              = fault.New(fault.Forbidden, "own-work", "Nobody reviews their own work.")
	ErrAlreadyReviewed      = fault.New(fault.Conflict, "already-reviewed", "You have reviewed this work already.")
	ErrAlreadyDecided       = fault.New(fault.Conflict, "already-decided", "This work has been decided already.")
	ErrSize                 = fault.New(fault.Invalid, "size-invalid", "Who accepts work gives it a size from 1 to 5.")
	ErrNote                 = fault.New(fault.Invalid, "note-invalid", "Who declines work says why, in at most 2000 characters.")
)

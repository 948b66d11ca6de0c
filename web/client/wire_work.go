package client

import "time"

// GitOrigin says which piece of a repository's history a contribution is, and
// who made it. The addresses are compared with members' claims and not kept.
type GitOrigin struct {
	Source  string   `json:"source" minLength:"64" maxLength:"64" doc:"Digest of the commit the piece begins with, as datacoop contribute computes it"`
	Authors []string `json:"authors" minItems:"1" maxItems:"50" doc:"E-mail addresses of everybody who made it; empty for one who gave none"`
}

// ClaimBody claims an e-mail address.
type ClaimBody struct {
	Email string `json:"email" minLength:"3" maxLength:"254" doc:"An address in your commits. Only a keyed digest of it is kept"`
}

// Claim is a member's word that an address in git histories is theirs.
type Claim struct {
	ID            string    `json:"id"`
	Member        string    `json:"member"`
	Name          string    `json:"name" doc:"The member's display name"`
	State         string    `json:"state" enum:"open,confirmed,refused,contested" doc:"contested: another member claims the same address, so it counts for neither"`
	Confirmations int       `json:"confirmations"`
	Refusals      int       `json:"refusals"`
	ClaimedAt     time.Time `json:"claimed_at"`
}

// ClaimAnswerBody confirms or refuses another member's claim.
type ClaimAnswerBody struct {
	Confirm bool   `json:"confirm"`
	Email   string `json:"email,omitempty" maxLength:"254" doc:"When confirming: the address you know the member by. It must be the claimed one"`
}

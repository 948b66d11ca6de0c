package client

import (
	"encoding/json"
	"time"
)

// Invitation lets one person join. The code is in the answer that made it and
// nowhere else.
type Invitation struct {
	Code      string    `json:"code"`
	Link      string    `json:"link" doc:"What the person who is invited opens in a browser"`
	ExpiresAt time.Time `json:"expires_at"`
}

// ProposalDraft is a proposal for a new access policy.
type ProposalDraft struct {
	Title  string `json:"title" minLength:"1" maxLength:"120"`
	Text   string `json:"text" maxLength:"4000" doc:"Why, in plain words"`
	Policy string `json:"policy" maxLength:"65536" doc:"Rego of package coop.access, or the text of a rule document; leave empty with a document, or to go back to the policy the co-op started with"`

	Document json.RawMessage `json:"document,omitempty" doc:"A rule document, proposed as the Rego it renders to; in place of a policy"`
}

// Forms of a policy.
const (
	FormDocument = "document"
	FormRego     = "rego"
)

// PolicyForm says how a policy is written.
type PolicyForm struct {
	Form           string          `json:"form,omitempty" enum:"document,rego" doc:"document: the policy is the Rego of the rule document that stands here, and the sentences say what its rules do; rego: no document expresses it, so it is shown as it is, with what trying it found that it changes"`
	FormNote       string          `json:"form_note,omitempty" doc:"The same in a sentence, where there is no document"`
	PolicySHA256   string          `json:"policy_sha256,omitempty" doc:"Digest of the Rego"`
	Document       json.RawMessage `json:"document,omitempty" doc:"Canonical JSON of the rule document"`
	DocumentSHA256 string          `json:"document_sha256,omitempty"`
}

// Proposal is law in the making.
type Proposal struct {
	ID         string    `json:"id"`
	Title      string    `json:"title"`
	Text       string    `json:"text"`
	State      string    `json:"state" enum:"rehearsing,voting,rejected,no-quorum,passed,enacted,void" doc:"While rehearsing, the policy is tried on past and made-up requests, and nobody can vote"`
	Policy     string    `json:"policy"`
	Sentences  []string  `json:"sentences" doc:"What the policy says, in plain English"`
	Revision   string    `json:"revision"`
	OpenedAt   time.Time `json:"opened_at"`
	ClosesAt   time.Time `json:"closes_at" doc:"While rehearsing, the earliest that voting can end"`
	EnactAt    time.Time `json:"enact_at" doc:"End of the timelock"`
	Electorate int       `json:"electorate"`
	Mine       string    `json:"mine,omitempty" doc:"Whether I have voted: cast or empty"`
	Note       string    `json:"note,omitempty"`
	PolicyForm
}

// Impact is what the rehearsal of a proposal found: on past decisions, on
// requests that nobody has made, and over the data that are shared now. Only
// where the state is ended do empty lists mean that nothing was found.
type Impact struct {
	State      string         `json:"state" enum:"untried,waiting,running,failed,ended" doc:"How far the rehearsal is; untried: the vote is older than rehearsals, and nothing is known"`
	Done       int64          `json:"done" doc:"Made-up requests that both laws have answered"`
	Total      int64          `json:"total" doc:"How many there are to answer; 0 before it has begun"`
	Left       int64          `json:"left_out" doc:"Combinations of two changes that are not tried, because there are too many"`
	Law        string         `json:"law,omitempty" doc:"Revision of the law compared with"`
	Reason     string         `json:"reason,omitempty" doc:"Why it failed or does not move"`
	Decisions  int            `json:"decisions" doc:"Past decisions replayed"`
	NowRefused int            `json:"now_refused"`
	NowAllowed int            `json:"now_allowed" doc:"Always 0 in effect: a vote can only narrow what base law and members allow"`
	Requests   int            `json:"requests" doc:"Access requests touched"`
	Members    int            `json:"members" doc:"Members touched"`
	Sentences  []string       `json:"sentences"`
	Changes    []string       `json:"changes" doc:"Who would newly get data and who no longer, by requests of every kind that were tried"`
	Cohorts    []ImpactCohort `json:"cohorts" doc:"What kinds of requests would gain and lose of the data shared now, by pool"`
	Counted    string         `json:"counted,omitempty" doc:"What cohorts counts, and what it does not tell"`
}

// ImpactCohort is what one kind of request would gain and lose in a pool. A
// figure that would be about too few members is 0.
type ImpactCohort struct {
	Pool            string `json:"pool"`
	Request         string `json:"request" doc:"The kind of request, in a sentence"`
	Released        int    `json:"newly_released" doc:"Datasets; 0 is none, or too few members"`
	ReleasedMembers int    `json:"newly_released_members"`
	Refused         int    `json:"newly_refused" doc:"Datasets; 0 is none, or too few members"`
	RefusedMembers  int    `json:"newly_refused_members"`
	Sentence        string `json:"sentence"`
}

// PolicyText is a policy to be tried before anybody proposes it.
type PolicyText struct {
	Policy string `json:"policy" minLength:"1" maxLength:"65536" doc:"Rego of package coop.access, in any layout, or the text of a rule document"`
}

// PolicyTrial is what the gate says about a policy, and what it would have meant.
type PolicyTrial struct {
	OK        bool     `json:"ok"`
	Findings  []string `json:"findings" doc:"Why the gate refuses it"`
	Revision  string   `json:"revision,omitempty" doc:"What it would be in force as"`
	Sentences []string `json:"sentences" doc:"What the policy says, in plain English"`
	Impact    Impact   `json:"impact" doc:"On past decisions, and on made-up requests that change one thing at a time; zero if the gate refuses it"`
}

// BallotBody is one member's vote.
type BallotBody struct {
	Choice string `json:"choice" enum:"yes,no,abstain"`
}

// Ballot is the receipt of a vote.
type Ballot struct {
	Proposal string    `json:"proposal"`
	Receipt  string    `json:"receipt" doc:"Code that proves the ballot is in the log"`
	CastAt   time.Time `json:"cast_at"`
}

// Result is a closed vote.
type Result struct {
	Proposal   string `json:"proposal"`
	State      string `json:"state"`
	Yes        int    `json:"yes"`
	No         int    `json:"no"`
	Abstain    int    `json:"abstain"`
	Electorate int    `json:"electorate"`
	Sentence   string `json:"sentence"`
}

// ContributionDraft is work done for the co-op.
type ContributionDraft struct {
	Kind     string `json:"kind" enum:"git,document,design,support,duty,other"`
	Title    string `json:"title" minLength:"1" maxLength:"200"`
	Text     string `json:"text" maxLength:"8000"`
	Evidence string `json:"evidence" maxLength:"2000" doc:"Where it can be seen: commit, address or digest"`

	Git *GitOrigin `json:"git,omitempty" doc:"For work of the kind git that was read from a repository"`
}

// Contribution is work and where its review stands.
type Contribution struct {
	ID        string    `json:"id"`
	Member    string    `json:"member"`
	Kind      string    `json:"kind"`
	Title     string    `json:"title"`
	Text      string    `json:"text"`
	Evidence  string    `json:"evidence"`
	State     string    `json:"state" enum:"submitted,accepted,declined"`
	Size      int       `json:"size" doc:"1 to 5, lower median of the reviews; 0 until accepted"`
	Reviews   int       `json:"reviews"`
	CreatedAt time.Time `json:"created_at"`

	Source  string   `json:"source,omitempty" doc:"Piece of a repository's history it was read from"`
	Authors int      `json:"authors,omitempty" doc:"People who made it, members or not; its points are divided between them"`
	Members []string `json:"members,omitempty" doc:"Those of them whose confirmed addresses it carries"`
}

// ReviewBody accepts and sizes work, or declines it.
type ReviewBody struct {
	Accept bool   `json:"accept"`
	Size   int    `json:"size,omitempty" minimum:"0" maximum:"5" doc:"1 to 5 when accepting"`
	Note   string `json:"note" maxLength:"2000"`
}

// Period is a stretch of time whose books close together.
type Period struct {
	ID              string     `json:"id"`
	State           string     `json:"state" enum:"open,closed,settled,released"`
	OpenedAt        time.Time  `json:"opened_at"`
	ClosedAt        *time.Time `json:"closed_at,omitempty"`
	ChallengeEndsAt *time.Time `json:"challenge_ends_at,omitempty"`
	Revenue         int64      `json:"revenue"`
	Currency        string     `json:"currency"`
	BundleSHA256    string     `json:"bundle_sha256,omitempty"`
	Released        int        `json:"released" doc:"How many stewards of the treasury have released it"`
}

// StatementView is what everyone may see of a statement; members also get the
// bundle, from which every share can be recomputed.
type StatementView struct {
	Period    Period          `json:"period"`
	Formula   string          `json:"formula" doc:"Name of the rules the shares were computed by"`
	Sentences []string        `json:"sentences" doc:"What happened, for everybody"`
	Totals    []Line          `json:"totals" doc:"The waterfall and the split, in minor units"`
	Bundle    json.RawMessage `json:"bundle,omitempty" doc:"Canonical JSON; members only"`
}

// Line is one term of an amount with the sentence that explains it.
type Line struct {
	Label    string `json:"label"`
	Amount   int64  `json:"amount"`
	Sentence string `json:"sentence"`
}

// MyStatement is one member's part of a period and why it is that much.
type MyStatement struct {
	Period   Period `json:"period"`
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
	Lines    []Line `json:"lines"`
	Why      string `json:"why"`
}

// Page is one page of a list. Next is the cursor of the following page, as in
// the Link header; empty at the end.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

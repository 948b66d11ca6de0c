package client

import "time"

// Discovery is what a stranger needs to know first.
type Discovery struct {
	Name           string `json:"name"`
	Currency       string `json:"currency"`
	Exponent       int    `json:"exponent" doc:"Decimals of the currency's minor unit"`
	CharterDigest  string `json:"charter_digest"`
	PolicyRevision string `json:"policy_revision" doc:"Empty while every access is refused"`
	LogKey         string `json:"log_key" doc:"Verifier key of the transparency log (C2SP signed note)"`
	ReceiptKey     string `json:"receipt_key" doc:"Ed25519 public key of receipts, standard base64"`
	APIVersion     string `json:"api_version"`
}

// Pool is one entry of the catalogue.
type Pool struct {
	ID           string `json:"id"`
	Title        string `json:"title"`
	Description  string `json:"description"`
	Price        int64  `json:"price" doc:"Per dataset and access, in minor units"`
	Currency     string `json:"currency"`
	MinimumGroup int    `json:"minimum_group"`
	Members      *int   `json:"members" doc:"Members with a dataset here; null below the minimum group"`
	Warning      string `json:"warning,omitempty" doc:"When the data also describe other people"`
}

// Codebook documents the table researchers receive.
type Codebook struct {
	Pool    string   `json:"pool"`
	Title   string   `json:"title"`
	Formats []string `json:"formats" doc:"Exports that reduce to it"`
	Columns []Column `json:"columns"`
}

// Column is one column of a codebook.
type Column struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	Unit        string `json:"unit"`
	Source      string `json:"source"`
	Description string `json:"description"`
}

// Policy is the law in force.
type Policy struct {
	Revision  string   `json:"revision"`
	Access    string   `json:"access" doc:"The voted Rego file"`
	Base      []Source `json:"base" doc:"Base law and kernel"`
	Sentences []string `json:"sentences" doc:"The voted part in plain English"`
	PolicyForm
}

// Source is one Rego file.
type Source struct {
	Path string `json:"path"`
	Rego string `json:"rego"`
}

// ResearcherDraft is a vetted researcher, as a steward enters it.
type ResearcherDraft struct {
	Name   string `json:"name" minLength:"1" maxLength:"120"`
	Kind   string `json:"kind" enum:"university,public-body,non-profit,company"`
	Region string `json:"region" minLength:"2" maxLength:"2" doc:"ISO 3166-1 alpha-2"`
	Email  string `json:"email,omitempty" maxLength:"200" doc:"Where invoices go"`

	Institution string `json:"institution,omitempty" maxLength:"128" doc:"What members may name in their terms, such as a ROR; without spaces"`
	Related     bool   `json:"related,omitempty" doc:"Whether a member, or somebody close to one, stands behind them: what they read earns nothing by what they pay, which goes to those who earn otherwise in the period, and to the reserve where nobody does"`
}

// Researcher is a vetted researcher. The secret is in the answer that made it.
type Researcher struct {
	ID           string    `json:"id"`
	Name         string    `json:"name"`
	Kind         string    `json:"kind"`
	Region       string    `json:"region"`
	VettedAt     time.Time `json:"vetted_at"`
	Related      bool      `json:"related,omitempty" doc:"Whether a member, or somebody close to one, stands behind them"`
	ClientID     string    `json:"client_id,omitempty"`
	ClientSecret string    `json:"client_secret,omitempty" doc:"Shown once"`
}

// Related says whether a member stands behind a researcher.
type Related struct {
	Related bool `json:"related" doc:"Whether a member, or somebody close to one, stands behind them; it holds for uses since the running period began"`
}

// Recipient is a researcher's age recipient and the state of its proof.
type Recipient struct {
	ID        string    `json:"id"`
	Recipient string    `json:"recipient"`
	Proven    bool      `json:"proven"`
	Challenge string    `json:"challenge,omitempty" doc:"Armored age file; decrypt it and send the nonce back"`
	CreatedAt time.Time `json:"created_at"`
}

// ProofBody proves possession of a recipient's identity.
type ProofBody struct {
	Nonce string `json:"nonce" minLength:"1" maxLength:"128" doc:"The decrypted challenge"`
}

// RequestDraft asks for access to a pool.
type RequestDraft struct {
	Pool          string `json:"pool" maxLength:"32"`
	Title         string `json:"title" minLength:"1" maxLength:"200" doc:"What the data are wanted for; members read this"`
	DUO           string `json:"duo" maxLength:"16" doc:"DUO code" example:"DUO:0000042"`
	DPV           string `json:"dpv" maxLength:"60" doc:"DPV purpose" example:"AcademicResearch"`
	RetentionDays int64  `json:"retention_days" minimum:"1" maximum:"3650" doc:"How long copies are kept"`
	Recipient     string `json:"recipient,omitempty" maxLength:"36" doc:"Id of a proven recipient; may be left out of a dry run"`
	Study         Study  `json:"study,omitzero" doc:"What the request says of its study; conditions of members are matched with it"`
}

// Study is what a request says of the work itself. What is not said meets no
// condition a member may have made.
type Study struct {
	Disease      string   `json:"disease,omitempty" maxLength:"13" doc:"Mondo code; needed with DUO:0000007" example:"MONDO:0005015"`
	Kinds        []string `json:"kinds,omitempty" maxItems:"9" doc:"Every kind of study it is: genetic, phenotype, ancestry, methods, drug-development, control-group, population-health, age-group, sex-or-gender"`
	Ethics       bool     `json:"ethics,omitempty" doc:"An ethics board's approval can be shown to a steward"`
	Publishes    bool     `json:"publishes,omitempty" doc:"The results will be published for everybody"`
	PublishFrom  string   `json:"publish_from,omitempty" maxLength:"10" doc:"Nothing will be published before this day, YYYY-MM-DD"`
	Returns      bool     `json:"returns,omitempty" doc:"What is derived from the data will come back to the co-op"`
	Collaborates bool     `json:"collaborates,omitempty" doc:"The co-op will be worked with"`
	Project      string   `json:"project,omitempty" maxLength:"128" doc:"The project it belongs to"`
}

// RequestReview is what a steward says about a request that waits for one.
type RequestReview struct {
	Approve bool   `json:"approve" doc:"Whether what the request states has been found to be so"`
	Reason  string `json:"reason,omitempty" maxLength:"2000" doc:"What was found; the researcher reads it"`
}

// ReviewCase is a request with what a steward is asked about it.
type ReviewCase struct {
	Request     AccessRequest `json:"request"`
	Researcher  string        `json:"researcher"`
	Kind        string        `json:"kind" doc:"Kind of organisation they were vetted as"`
	Region      string        `json:"region"`
	Institution string        `json:"institution,omitempty"`
	Until       time.Time     `json:"until" doc:"When the request is decided without a word, which then counts as no"`
	Judge       []ReasonCount `json:"judge" doc:"What the law wants a steward to look at, and for how many datasets"`
	Other       []ReasonCount `json:"other" doc:"Why datasets are refused, or wait for somebody else"`
	Open        bool          `json:"open" doc:"Whether a word of a steward is still waited for"`
	Reviewed    string        `json:"reviewed" enum:",yes,no" doc:"What a steward said"`
	Reason      string        `json:"reason,omitempty" doc:"What they found"`
}

// CheckResult is a dry run: nothing is recorded.
type CheckResult struct {
	Datasets  int            `json:"datasets" doc:"Datasets that would pass; 0 below the minimum group"`
	Members   int            `json:"members"`
	TooFew    bool           `json:"too_few" doc:"True when fewer than the minimum group would pass"`
	Price     int64          `json:"price" doc:"For all of them, in minor units"`
	ByReason  []ReasonCount  `json:"by_reason" doc:"Why datasets would not pass; small counts are suppressed"`
	ByLayer   map[string]int `json:"by_layer" doc:"Refusals by layer: base, coop, member"`
	Yield     []PurposeYield `json:"yield" doc:"What other purposes would pass"`
	Nearest   []Nearest      `json:"nearest" doc:"The nearest requests that would pass more, each decided; none that is about fewer members than the minimum group"`
	Sentences []string       `json:"sentences"`
	Warning   string         `json:"warning,omitempty" doc:"Set where the law in force cannot be asked of all datasets at once, so that each was decided by itself, and fewer changes were tried"`
}

// Nearest is the smallest change of a request that would pass more datasets,
// with everything that stays as asked.
type Nearest struct {
	Layers        []string `json:"layers" doc:"Of law that refused what would pass: base, coop, member"`
	Fields        []string `json:"fields" doc:"What is to be changed: duo, dpv, retention_days, price, vetted, reviewed, study.publishes, study.returns, study.ethics, study.collaborates"`
	DUO           string   `json:"duo"`
	DPV           string   `json:"dpv"`
	RetentionDays int64    `json:"retention_days"`
	Price         int64    `json:"price" doc:"For one dataset, in minor units; the co-op sets it"`
	Datasets      int      `json:"datasets" doc:"Datasets that would pass"`
	More          int      `json:"more" doc:"How many of them do not pass now"`
	Sentence      string   `json:"sentence"`
}

// ReasonCount is a reason and how many datasets it stopped.
type ReasonCount struct {
	Reason
	Datasets int `json:"datasets"`
}

// PurposeYield is how many datasets another purpose would pass.
type PurposeYield struct {
	DUO      string `json:"duo"`
	DPV      string `json:"dpv"`
	Datasets int    `json:"datasets"`
}

// AccessRequest is a researcher's ask and what became of it.
type AccessRequest struct {
	ID            string        `json:"id"`
	State         string        `json:"state" enum:"submitted,in_review,decided,accepted,open,expired,closed"`
	Pool          string        `json:"pool"`
	Title         string        `json:"title"`
	DUO           string        `json:"duo"`
	DPV           string        `json:"dpv"`
	RetentionDays int64         `json:"retention_days"`
	Recipient     string        `json:"recipient"`
	Granted       int           `json:"granted" doc:"Datasets granted"`
	Refused       int           `json:"refused" doc:"Datasets refused"`
	Reasons       []ReasonCount `json:"reasons"`
	Obligations   []string      `json:"obligations"`
	Revision      string        `json:"revision"`
	SubmittedAt   time.Time     `json:"submitted_at"`
	ExpiresAt     *time.Time    `json:"expires_at,omitempty"`
	Note          string        `json:"note,omitempty" doc:"Why it is closed, in a sentence"`
	Warning       string        `json:"warning,omitempty" doc:"Set where the law could not be asked of all datasets at once, so that each was decided by itself"`
	Reviewed      string        `json:"reviewed,omitempty" enum:",yes,no" doc:"What a steward said, where one was asked"`
	Review        string        `json:"review,omitempty" doc:"What they found"`
	Study         Study         `json:"study,omitzero" doc:"What the request says of its study"`
}

// Quote is the price of what was granted.
type Quote struct {
	Request  string `json:"request"`
	Datasets int    `json:"datasets"`
	Each     int64  `json:"each"`
	Total    int64  `json:"total"`
	Currency string `json:"currency"`
}

// Invoice is what a researcher owes and has paid.
type Invoice struct {
	ID        string     `json:"id"`
	Number    int64      `json:"number"`
	Request   string     `json:"request"`
	Total     int64      `json:"total"`
	Paid      int64      `json:"paid"`
	Currency  string     `json:"currency"`
	Reference string     `json:"reference" doc:"ISO 11649 creditor reference: put it on the payment"`
	IssuedAt  time.Time  `json:"issued_at"`
	DueAt     time.Time  `json:"due_at"`
	SettledAt *time.Time `json:"settled_at,omitempty"`
}

// File is one granted dataset under an id of this request alone.
type File struct {
	ID     string `json:"id"`
	Size   int64  `json:"size" doc:"Bytes of the age file as delivered"`
	SHA256 string `json:"sha256" doc:"SHA-256 of the encrypted payload: everything after the age header, hex"`
	Raw    bool   `json:"raw" doc:"True when the member shared the export itself, not the pool's table"`
	Gone   bool   `json:"gone" doc:"True when it can no longer be fetched"`
	State  string `json:"state" enum:"ready,awaiting-member,declined,gone" doc:"ready: can be fetched if consent still holds; awaiting-member: its member keeps the only key and has not approved this request yet; declined: they said no to it; gone: it can no longer be fetched"`
}

// FileAwaiting is the state of a file whose member has not approved yet.
const FileAwaiting = "awaiting-member"

// BankImport says what a bank statement settled.
type BankImport struct {
	Entries   int      `json:"entries"`
	Matched   int      `json:"matched"`
	Known     int      `json:"known" doc:"Imported before; not counted again"`
	Unmatched []string `json:"unmatched" doc:"References nobody was invoiced for"`
	Received  int64    `json:"received" doc:"Matched, in minor units"`
	PaidOut   int64    `json:"paid_out" doc:"Payouts that the bank has carried out"`
	Returned  int64    `json:"returned" doc:"Payouts that the bank sent back; their members are owed them again"`
}

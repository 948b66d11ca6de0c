package client

import "time"

// Me is the caller's own membership.
type Me struct {
	ID        string    `json:"id" doc:"Member id"`
	Name      string    `json:"name" doc:"Display name, as the identity provider gave it"`
	Offices   []string  `json:"offices" doc:"Offices held: vetting, treasury, appeals"`
	JoinedAt  time.Time `json:"joined_at"`
	Paused    bool      `json:"paused" doc:"True while the member has stopped every use"`
	Recipient string    `json:"recipient" doc:"Public age recipient, empty until registered"`
}

// RecipientBody registers a public age recipient.
type RecipientBody struct {
	Recipient string `json:"recipient" maxLength:"4096" doc:"age1… or age1pq1… public recipient"`
}

// SigningKeyBody registers the public half of a member's manifest key.
type SigningKeyBody struct {
	PublicKey string `json:"public_key" minLength:"44" maxLength:"44" doc:"Ed25519 public key, standard base64"`
}

// PayoutAccount says where a member's money goes.
type PayoutAccount struct {
	Holder string `json:"holder" minLength:"1" maxLength:"70" doc:"Account holder"`
	IBAN   string `json:"iban" minLength:"15" maxLength:"42" doc:"IBAN; spaces are ignored"`
}

// PayoutAccountView is what is shown of a payout account: never all of it.
type PayoutAccountView struct {
	Set       bool      `json:"set"`
	Ending    string    `json:"ending" doc:"Last four characters of the IBAN"`
	UpdatedAt time.Time `json:"updated_at"`
}

// TokenDraft asks for a bearer token.
type TokenDraft struct {
	Label string `json:"label" minLength:"1" maxLength:"60" doc:"What the token is for"`
	Hours int    `json:"hours" minimum:"1" maximum:"720" doc:"Lifetime in hours"`
	Scope string `json:"scope,omitempty" enum:"act,everyday" doc:"act, unless you say otherwise: everything its member can do. everyday: not what is confirmed with a passkey in the portal, such as revoking, voting, payouts and closing the account"`
}

// Closing is an account that is closed, or being closed.
type Closing struct {
	Reference string        `json:"reference" doc:"To quote when writing to the co-op"`
	Code      string        `json:"code" doc:"Finds this again without an account; keep it to yourself"`
	Page      string        `json:"page" doc:"Where it can be read"`
	State     string        `json:"state" enum:"closing,closed"`
	Steps     []ClosingStep `json:"steps"`
	Owed      int64         `json:"owed" doc:"Minor units that are owed now"`
	Currency  string        `json:"currency"`
	Receipt   string        `json:"receipt,omitempty" doc:"The signed receipt, byte for byte, once the account is closed"`
}

// ClosingStep is one thing that is done about an account.
type ClosingStep struct {
	Name     string `json:"name"`
	Sentence string `json:"sentence"`
	Done     bool   `json:"done"`
}

// Token is a bearer token. Secret is present once, in the answer that made it.
type Token struct {
	ID        string    `json:"id"`
	Label     string    `json:"label"`
	Scope     string    `json:"scope" doc:"act or everyday"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	Secret    string    `json:"secret,omitempty" doc:"Shown once: send it as Authorization: Bearer"`
}

// Terms is what a member answers about a purpose: given or refused, and how far.
type Terms struct {
	Effect         string   `json:"effect" enum:"given,refused" doc:"given allows within the terms; refused allows nothing"`
	Purposes       []string `json:"purposes" maxItems:"25" doc:"DUO codes allowed; a code covers everything narrower"`
	Except         []string `json:"except,omitempty" maxItems:"25" doc:"DUO codes refused within what is allowed"`
	DPV            []string `json:"dpv" maxItems:"50" doc:"DPV purposes allowed; empty means any that base law allows"`
	RequesterKinds []string `json:"requester_kinds" maxItems:"10" doc:"university, public-body, non-profit, company; at least one when given"`
	Regions        []string `json:"regions" maxItems:"50" doc:"Regions the researcher may be in; empty means anywhere"`
	Commercial     bool     `json:"commercial" doc:"Whether commercial use is allowed"`
	MinPrice       int64    `json:"min_price" minimum:"0" doc:"Lowest price per access, in minor units"`
	Days           int64    `json:"days" minimum:"0" maximum:"36500" doc:"Days until it expires; 0 means until withdrawn"`

	Diseases     []string `json:"diseases,omitempty" maxItems:"32" doc:"Mondo codes: the only diseases that disease-specific research (DUO:0000007) may be about"`
	Conditions   []string `json:"conditions,omitempty" maxItems:"32" doc:"DUO modifiers without a value: DUO:0000015, 16, 18, 19, 20, 21, 29, 44, 45, 46"`
	Studies      []string `json:"studies,omitempty" maxItems:"32" doc:"The only kinds of study (DUO:0000012): genetic, phenotype, ancestry, methods, drug-development, control-group, population-health, age-group, sex-or-gender"`
	Users        []string `json:"users,omitempty" maxItems:"32" doc:"Ids of the only researchers (DUO:0000026)"`
	Projects     []string `json:"projects,omitempty" maxItems:"32" doc:"The only projects (DUO:0000027)"`
	Institutions []string `json:"institutions,omitempty" maxItems:"32" doc:"The only institutions, as vetted (DUO:0000028)"`
	KeepMonths   int64    `json:"keep_months,omitempty" minimum:"0" maximum:"120" doc:"Longest time copies may be kept, in months (DUO:0000025); 0 means as long as base law allows"`
	PublishFrom  string   `json:"publish_from,omitempty" maxLength:"10" doc:"Day before which nothing may be published, YYYY-MM-DD (DUO:0000024)"`
	Categories   []string `json:"categories,omitempty" maxItems:"32" doc:"The only kinds of personal data a released dataset may hold, as DPV terms"`
	Mode         string   `json:"mode,omitempty" enum:"standing,ask,once" doc:"standing unless said: ask puts every request to the member, once is good for one release of each dataset"`
}

// Question is what a member's terms leave to them about one request.
type Question struct {
	Request    string     `json:"request"`
	Dataset    string     `json:"dataset"`
	Title      string     `json:"title" doc:"What the data are wanted for, in the researcher's words"`
	Researcher string     `json:"researcher"`
	Kind       string     `json:"kind" doc:"Kind of organisation they were vetted as"`
	Region     string     `json:"region" doc:"Their country"`
	DUO        string     `json:"duo"`
	DPV        string     `json:"dpv"`
	Answer     string     `json:"answer" enum:",yes,no" doc:"Empty until answered"`
	Open       bool       `json:"open" doc:"Whether the request still waits for answers"`
	Until      *time.Time `json:"until,omitempty" doc:"When the request is decided without one, which then counts as no"`
	AskedAt    time.Time  `json:"asked_at"`
	AnsweredAt *time.Time `json:"answered_at,omitempty"`
}

// Answers to a question.
const (
	AnswerYes = "yes"
	AnswerNo  = "no"
)

// QuestionAnswer answers a question; it can be changed until the data are fetched.
type QuestionAnswer struct {
	Dataset string `json:"dataset" maxLength:"36" doc:"The dataset the answer is about"`
	Answer  string `json:"answer" enum:"yes,no"`
}

// ConsentRecord is a member's standing answer for a pool or one dataset; for a
// pool they have not answered for, what holds until they do.
type ConsentRecord struct {
	ID          string     `json:"id" doc:"Empty while there is no answer"`
	Pool        string     `json:"pool,omitempty"`
	Dataset     string     `json:"dataset,omitempty"`
	State       string     `json:"state" enum:"unanswered,given,refused,withdrawn,expired,as-pool" doc:"as-pool: the dataset's own answer was taken back, and the pool's counts"`
	Terms       Terms      `json:"terms"`
	Sentences   []string   `json:"sentences" doc:"The same in plain words"`
	CreatedAt   time.Time  `json:"created_at,omitzero"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty"`
	WithdrawnAt *time.Time `json:"withdrawn_at,omitempty"`

	Default *ConsentDefault `json:"default,omitempty" doc:"Only while there is no answer: what the charter lets one start from"`
}

// Unanswered is the state of a pool that the member has not answered for.
const Unanswered = "unanswered"

// ConsentDefault is what holds in a pool before a member has answered. Either way
// every request is refused; it is no answer and never becomes one.
type ConsentDefault struct {
	Answer     string   `json:"answer" enum:"refuse,ask" doc:"ask: the member is told about requests and asked for an answer"`
	Days       int64    `json:"days" doc:"What an answer starts from: how long it holds; 0 means until withdrawn"`
	KeepMonths int64    `json:"keep_months" doc:"What an answer starts from: how long copies may be kept; 0 means as long as base law allows"`
	Conditions []string `json:"conditions" doc:"What an answer starts from: DUO modifiers"`
}

// ConsentDraft is an answer to look at before it is given.
type ConsentDraft struct {
	Pool    string `json:"pool,omitempty" maxLength:"64" doc:"Pool it would be for; what researchers pay there is compared"`
	Dataset string `json:"dataset,omitempty" maxLength:"36" doc:"One of my datasets instead"`
	Terms   Terms  `json:"terms"`
}

// ConsentPreview says what an answer would mean. Nothing is saved.
type ConsentPreview struct {
	Sentences []string `json:"sentences" doc:"All of it, in plain words"`
	Allows    []string `json:"allows" doc:"Those that say what is allowed, and on which conditions"`
	Refuses   []string `json:"refuses" doc:"Those that say what is refused"`
	Warnings  []string `json:"warnings" doc:"What would let nothing through as things are"`
}

// Profile says of a dataset what may be known without opening it.
type Profile struct {
	Format   string   `json:"format" maxLength:"512"`
	Rows     int      `json:"rows" minimum:"0"`
	Columns  []string `json:"columns" maxItems:"200"`
	From     string   `json:"from" maxLength:"7" doc:"First month, YYYY-MM"`
	To       string   `json:"to" maxLength:"7" doc:"Last month, YYYY-MM"`
	Coverage int      `json:"coverage" minimum:"0" maximum:"1000" doc:"Cells that are filled, in thousandths"`
	Days     int      `json:"days" minimum:"0"`
	Persons  int      `json:"persons" minimum:"0"`

	Fingerprint string `json:"fingerprint,omitempty" pattern:"^([0-9a-f]{64})?$" doc:"SHA-256 of the plaintext, for files of 4096 bytes or more; kept only keyed, never shown, so that the same data are not paid for twice"`
}

// DatasetDraft opens a dataset.
type DatasetDraft struct {
	Pool    string `json:"pool" maxLength:"32" doc:"Pool id"`
	Custody string `json:"custody,omitempty" enum:"vault,self" default:"vault" doc:"Who can open the dataset beside you: the co-op's vault, which re-wraps granted requests by itself; or nobody (self), and every granted request waits until your own client has answered it at /v1/me/approvals. Self needs a registered recipient."`
}

// The values of DatasetDraft.Custody and Dataset.Custody.
const (
	CustodyVault = "vault"
	CustodySelf  = "self"
)

// Dataset is one encrypted upload of the member.
type Dataset struct {
	ID             string     `json:"id"`
	Pool           string     `json:"pool"`
	State          string     `json:"state" enum:"open,uploading,received,available,shredding,shredded" doc:"available once sealed; shredding and shredded once revoked"`
	Custody        string     `json:"custody" enum:"vault,self" doc:"self when the member keeps the only key and approves each granted request"`
	VaultRecipient string     `json:"vault_recipient" doc:"age recipient of this dataset alone; encrypt to it and to yourself. Empty in self-custody: encrypt to yourself alone"`
	Size           int64      `json:"size" doc:"Bytes of the encrypted payload"`
	SHA256         string     `json:"sha256" doc:"SHA-256 of the encrypted payload: everything after the age header, hex"`
	Raw            bool       `json:"raw" doc:"True when shared as it is, not as the pool's table"`
	Profile        Profile    `json:"profile"`
	CreatedAt      time.Time  `json:"created_at"`
	SealedAt       *time.Time `json:"sealed_at,omitempty"`
	ShreddedAt     *time.Time `json:"shredded_at,omitempty"`
	Earned         int64      `json:"earned" doc:"Settled so far, in minor units"`
	MaxBytes       int64      `json:"max_bytes" doc:"Largest upload taken"`
	ChunkBytes     int64      `json:"chunk_bytes" doc:"Suggested size of one PATCH"`
}

// Manifest is what the member's client vouches for. Its RFC 8785 form is what
// a signature covers.
type Manifest struct {
	Dataset        string `json:"dataset" maxLength:"36"`
	SHA256         string `json:"sha256" minLength:"64" maxLength:"64" doc:"SHA-256 of the encrypted payload: everything after the age header, hex"`
	Size           int64  `json:"size" minimum:"1" doc:"Bytes of the encrypted payload"`
	HeaderSHA256   string `json:"header_sha256" minLength:"64" maxLength:"64"`
	VaultRecipient string `json:"vault_recipient" maxLength:"4096"`
	Terms          string `json:"terms" maxLength:"64" doc:"Digest of the charter in force"`
}

// SealBody finishes an upload: from here on it can be offered.
type SealBody struct {
	Manifest  Manifest `json:"manifest"`
	Signature string   `json:"signature,omitempty" maxLength:"88" doc:"Ed25519 over the RFC 8785 manifest, standard base64; needed once a signing key is registered"`
	Profile   Profile  `json:"profile"`
	Raw       bool     `json:"raw,omitempty"`
	Consent   *Terms   `json:"consent,omitempty" doc:"For this dataset alone; without it the pool's answer governs"`
}

// Use is one decision about the member's data: an access or a refusal.
type Use struct {
	ID         string    `json:"id"`
	At         time.Time `json:"at"`
	Stage      string    `json:"stage" enum:"request,approval,delivery" doc:"request: asked for; approval: answered by the member who keeps the only key; delivery: fetched"`
	Allowed    bool      `json:"allowed"`
	Dataset    string    `json:"dataset"`
	Pool       string    `json:"pool"`
	Researcher string    `json:"researcher" doc:"Who asked"`
	Request    string    `json:"request"`
	Title      string    `json:"title" doc:"What for, in the researcher's words"`
	DUO        string    `json:"duo"`
	DPV        string    `json:"dpv"`
	Revision   string    `json:"revision" doc:"Policy revision that decided; read it at /v1/policies/{revision}"`
	Reasons    []Reason  `json:"reasons"`

	Kind        string   `json:"kind" doc:"Kind of organisation they were vetted as"`
	Region      string   `json:"region" doc:"Their country"`
	NeedsReview bool     `json:"needs_review" doc:"Refused as long as the people who are asked have not said yes"`
	Obligations []string `json:"obligations" doc:"What whoever gets the data has accepted to do"`
	Rules       []string `json:"rules" doc:"The rules of law that fired, by their stable names, such as access.forbid.coop-requester-unvetted, of an approval or a delivery; a request is decided for all datasets together, by kinds of answers, and names none"`
}

// Reason is why: a stable code, the layer it comes from and a plain sentence.
type Reason struct {
	Code     string `json:"code"`
	Layer    string `json:"layer" enum:"base,coop,member"`
	Sentence string `json:"sentence"`
}

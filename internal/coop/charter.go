package coop

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/BurntSushi/toml"
)

// Charter is what a community decides before it starts and changes only by
// vote. All fractions are integers in thousandths (permille).
type Charter struct {
	Name               string           `toml:"name"`
	Currency           Currency         `toml:"currency"`
	Contact            string           `toml:"contact"`             // where a complaint goes: an address or URL
	IBAN               string           `toml:"iban"`                // the co-op's own account, which payouts leave from
	Admission          string           `toml:"admission"`           // open, vouched or invited
	Identified         bool             `toml:"identified"`          // the identity provider lets a person have one account; what tells persons apart where admission is open
	ClassicRecipients  bool             `toml:"classic_recipients"`  // researchers may use X25519 keys (stock age before 1.3)
	CommissionPermille int64            `toml:"commission_permille"` // of revenue, for running the platform
	ChallengeHours     int64            `toml:"challenge_hours"`     // between a statement and its settlement
	PermitMinutes      int64            `toml:"permit_minutes"`      // how long one permit is good for
	AccessDays         int64            `toml:"access_days"`         // how long a paid request can be fetched
	MinimumPayout      Money            `toml:"minimum_payout"`      // smaller balances are carried forward
	Pools              []Pool           `toml:"pools"`
	Consent            Default          `toml:"consent"` // before a member has answered
	Waterfall          Waterfall        `toml:"waterfall"`
	Split              Split            `toml:"split"`
	Judge              Judge            `toml:"judge"`
	Appeals            Hearing          `toml:"appeals"`       // how appeals against a statement are heard
	Judges             []Model          `toml:"judges"`        // who is asked; none: the baseline pays
	RemoteJudges       bool             `toml:"remote_judges"` // models may run on somebody else's machine
	Rubric             string           `toml:"rubric"`        // what the members want weighed, in their words
	Prompt             string           `toml:"prompt"`        // added to the program's own instructions to a judge; usually none
	Classes            map[string]Class `toml:"classes"`
	Offices            []Holder         `toml:"offices"`
	People             People           `toml:"people"`
}

// Pool is one data type offered together.
type Pool struct {
	ID           PoolID `toml:"id"`
	Title        string `toml:"title"`
	Description  string `toml:"description"`
	Price        Money  `toml:"price"`         // per dataset and access
	MinimumGroup int    `toml:"minimum_group"` // fewer members than this are never released or counted

	Consent *Default `toml:"consent"` // before a member has answered; nil is as for the whole co-op
}

// Waterfall divides net revenue (revenue less commission). The parts add up to
// 1000. Investors come last and are capped.
type Waterfall struct {
	Reserve   int64 `toml:"reserve"`
	Purpose   int64 `toml:"purpose"`
	Members   int64 `toml:"members"`
	Investors int64 `toml:"investors"`
}

// Split divides the members' part between data, work and governance. The parts
// add up to 1000. They hold until enough members have said what they want
// instead; Least and Most bound what members can make of each part.
type Split struct {
	Data       int64  `toml:"data"`
	Work       int64  `toml:"work"`
	Governance int64  `toml:"governance"`
	Stipend    int64  `toml:"stipend"` // of the data part: for data kept available, used or not
	Least      *Parts `toml:"least"`   // nil: 0 of each
	Most       *Parts `toml:"most"`    // nil: 1000 of each
}

// Parts are figures for data, work and governance, in thousandths.
type Parts struct {
	Data       int64 `toml:"data"`
	Work       int64 `toml:"work"`
	Governance int64 `toml:"governance"`
}

// Parts is the division itself.
func (s Split) Parts() Parts { return Parts{s.Data, s.Work, s.Governance} }

// Bounds are the least and the most that members can make of each part.
func (s Split) Bounds() (least, most Parts) {
	most = Parts{1000, 1000, 1000}
	if s.Least != nil {
		least = *s.Least
	}
	if s.Most != nil {
		most = *s.Most
	}
	return least, most
}

func (s Split) bounded() bool {
	least, most := s.Bounds()
	return least.Data <= s.Data && s.Data <= most.Data && least.Work <= s.Work && s.Work <= most.Work &&
		least.Governance <= s.Governance && s.Governance <= most.Governance &&
		permille(least.Data, least.Work, least.Governance, most.Data, most.Work, most.Governance)
}

// Judge bounds what a model may do: how far it moves one share (beta, per kind
// of evidence) and one part of the split (gamma, of the part itself).
type Judge struct {
	BetaData       int64 `toml:"beta_data"`
	BetaWork       int64 `toml:"beta_work"`
	BetaGovernance int64 `toml:"beta_governance"`
	Gamma          int64 `toml:"gamma"`
}

// Model is a language model that weighs contributions, behind an
// OpenAI-compatible address. Its key, if it needs one, is not in the charter.
type Model struct {
	Family  string `toml:"family"` // models of one family count as one judge
	BaseURL string `toml:"base_url"`
	Name    string `toml:"name"`

	PromptPrice int64 `toml:"prompt_price" json:",omitempty"`     // minor units for a million tokens that it reads; estimates alone use it
	AnswerPrice int64 `toml:"answer_price" json:",omitempty"`     // the same for tokens that it writes
	PerMinute   int   `toml:"calls_per_minute" json:",omitempty"` // at most; 0 for as many as it answers
}

// Class is how one kind of proposal is decided: support is yes/(yes+no) and
// must be exceeded, approval is yes/electorate and must be reached.
type Class struct {
	SupportPermille  int64 `toml:"support_permille"`
	ApprovalPermille int64 `toml:"approval_permille"`
	WindowHours      int64 `toml:"window_hours"`
	TimelockHours    int64 `toml:"timelock_hours"`
}

// Window is how long ballots are taken.
func (c Class) Window() time.Duration { return time.Duration(c.WindowHours) * time.Hour }

// Timelock is the pause between a passed vote and its enactment.
func (c Class) Timelock() time.Duration { return time.Duration(c.TimelockHours) * time.Hour }

// Holder names who holds an office at the start, by the subject that the
// co-op's identity provider knows them by.
type Holder struct {
	Office  Office `toml:"office"`
	Subject string `toml:"subject"`
}

// Electoral classes every charter has.
const (
	ClassPolicy    = "policy"    // routine access policy
	ClassStatement = "statement" // rubric, judge, settlement
	ClassBylaws    = "bylaws"    // thresholds, the charter itself
)

// ParseCharter reads a charter and checks that it is consistent. The error
// names the key at fault in a sentence the founder can act on; unknown keys
// are refused, so that a typo never silently means a default.
func ParseCharter(text []byte) (Charter, error) {
	var c Charter
	meta, err := toml.NewDecoder(bytes.NewReader(text)).Decode(&c)
	if err != nil {
		return Charter{}, fmt.Errorf("charter: %w", err)
	}
	if extra := meta.Undecoded(); len(extra) > 0 {
		return Charter{}, fmt.Errorf("charter: %w", unknownKey(extra[0]))
	}
	if err := c.check(); err != nil {
		return Charter{}, fmt.Errorf("charter: %w", err)
	}
	return c, nil
}

// Digest is the SHA-256 of a charter's text in hex; it names the text in force.
func Digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Pool finds a pool by id.
func (c Charter) Pool(id PoolID) (Pool, bool) {
	for _, p := range c.Pools {
		if p.ID == id {
			return p, true
		}
	}
	return Pool{}, false
}

func (c Charter) check() error {
	checks := []func() error{c.checkIdentity, c.checkPools, c.checkDefaults, c.checkMoney, c.checkAppeals, c.checkClasses, c.checkOffices, c.checkPeople}
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (c Charter) checkIdentity() error {
	switch {
	case c.Name == "":
		return errors.New("name is missing")
	case c.Contact == "":
		return errors.New("contact is missing: members need somewhere to complain to")
	case !c.Currency.Valid():
		return errors.New("currency must be an ISO 4217 code such as EUR")
	case c.Admission != "open" && c.Admission != "vouched" && c.Admission != "invited":
		return errors.New("admission must be open, vouched or invited")
	case c.ChallengeHours < 1:
		return errors.New("challenge_hours must be at least 1: a statement that cannot be contested is not one")
	case c.PermitMinutes < 1 || c.PermitMinutes > 60:
		return errors.New("permit_minutes must be between 1 and 60")
	case c.AccessDays < 1:
		return errors.New("access_days must be at least 1")
	}
	return nil
}

func (c Charter) checkPools() error {
	if len(c.Pools) == 0 {
		return errors.New("pools: at least one is needed")
	}
	seen := map[PoolID]bool{}
	for _, p := range c.Pools {
		switch {
		case !ValidSlug(p.ID):
			return fmt.Errorf("pools: id %q must be a lower-case slug", p.ID)
		case seen[p.ID]:
			return fmt.Errorf("pools: id %q appears twice", p.ID)
		case p.Title == "":
			return fmt.Errorf("pools: %s has no title", p.ID)
		case p.Price < 0:
			return fmt.Errorf("pools: %s has a negative price", p.ID)
		case p.MinimumGroup < 2:
			return fmt.Errorf("pools: %s needs a minimum_group of at least 2", p.ID)
		}
		seen[p.ID] = true
	}
	return nil
}

func (c Charter) checkMoney() error {
	w, s, j := c.Waterfall, c.Split, c.Judge
	switch {
	case !permille(c.CommissionPermille, w.Reserve, w.Purpose, w.Members, w.Investors,
		s.Data, s.Work, s.Governance, s.Stipend, j.BetaData, j.BetaWork, j.BetaGovernance, j.Gamma):
		return errors.New("fractions must be between 0 and 1000 thousandths")
	case w.Reserve+w.Purpose+w.Members+w.Investors != 1000:
		return errors.New("waterfall: the parts must add up to 1000")
	case w.Members < 500:
		return errors.New("waterfall: members must get at least 500: it is their data")
	case s.Data+s.Work+s.Governance != 1000:
		return errors.New("split: data, work and governance must add up to 1000")
	case !s.bounded():
		return errors.New("split: least and most must be between 0 and 1000, and the split itself between them")
	case j.BetaData > 500 || j.BetaWork > 500 || j.BetaGovernance > 500 || j.Gamma > 500:
		return errors.New("judge: a bound over 500 is no bound")
	case c.MinimumPayout < 0:
		return errors.New("minimum_payout must not be negative")
	}
	return c.checkJudges()
}

// maxRubric bounds what is put before a model in the members' words.
const maxRubric = 8000

func (c Charter) checkJudges() error {
	seen := map[string]bool{}
	for _, m := range c.Judges {
		switch {
		case !ValidSlug(m.Family) || m.BaseURL == "" || m.Name == "":
			return errors.New("judges: each needs a family, a base_url and a name")
		case seen[m.Family]:
			return fmt.Errorf("judges: %s appears twice; one family is one judge", m.Family)
		}
		seen[m.Family] = true
	}
	if len(c.Rubric) > maxRubric {
		return fmt.Errorf("rubric: at most %d characters", maxRubric)
	}
	if len(c.Prompt) > maxPrompt {
		return fmt.Errorf("prompt: at most %d characters", maxPrompt)
	}
	return nil
}

func permille(values ...int64) bool {
	for _, v := range values {
		if v < 0 || v > 1000 {
			return false
		}
	}
	return true
}

func (c Charter) checkClasses() error {
	for _, name := range []string{ClassPolicy, ClassStatement, ClassBylaws} {
		class, ok := c.Classes[name]
		switch {
		case !ok:
			return fmt.Errorf("classes: %s is missing", name)
		case !permille(class.SupportPermille, class.ApprovalPermille):
			return fmt.Errorf("classes: %s: thresholds must be between 0 and 1000 thousandths", name)
		case class.SupportPermille < 500:
			return fmt.Errorf("classes: %s: support under 500 would let a minority rule", name)
		case class.WindowHours < 1 || class.TimelockHours < 0:
			return fmt.Errorf("classes: %s: window_hours must be at least 1 and timelock_hours not negative", name)
		}
	}
	if len(c.Classes) != 3 {
		return fmt.Errorf("classes: only %s, %s and %s are known", ClassPolicy, ClassStatement, ClassBylaws)
	}
	return nil
}

func (c Charter) checkOffices() error {
	treasurers := map[string]bool{}
	for _, h := range c.Offices {
		switch {
		case h.Subject == "":
			return fmt.Errorf("offices: %s names nobody", h.Office)
		case h.Office != Vetting && h.Office != Treasury && h.Office != Appeals:
			return fmt.Errorf("offices: %q is not an office", h.Office)
		case h.Office == Treasury:
			treasurers[h.Subject] = true
		}
	}
	if len(treasurers) == 1 {
		return errors.New("offices: treasury needs two people, because money needs two")
	}
	return nil
}

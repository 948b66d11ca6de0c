package appraisal

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
)

// MaxRevenue is the largest revenue of one period in minor units: with it,
// every integer in a bundle stays below 2⁵³, which is as far as canonical JSON
// (RFC 8785) carries integers exactly.
const MaxRevenue int64 = 9_000_000_000_000

// Most that one item may carry.
const (
	maxPoints = 1_000_000
	maxDays   = 3_660
	maxItems  = 1 << 22 // of one kind in one period
)

// Grades of evidence, by who vouches for it.
const (
	GradeServer     = "A" // measured by the server
	GradeSigned     = "B" // signed by a third party
	GradeResearcher = "C" // reported by the researcher who used it
	GradePeer       = "D" // attested by other members
	GradeSelf       = "E" // declared by the member alone; weighs nothing
)

// Evidence is everything one period's shares are computed from. Ids are opaque
// (1 to 64 letters, digits, '.', '_', ':' or '-'): a caller who publishes
// bundles passes evidence through Blind first.
type Evidence struct {
	Available []Availability `json:"available"`
	Currency  string         `json:"currency"` // ISO 4217
	Data      []DataUse      `json:"data"`
	Duties    []Duty         `json:"duties"`
	Period    string         `json:"period"`
	Requests  []Request      `json:"requests"`
	Revenue   int64          `json:"revenue"` // minor units, all revenue of the period, 0 to MaxRevenue
	Salt      string         `json:"salt"`    // 64 hex digits chosen at random for this period; seeds the dossiers' pseudonyms
	Vouched   string         `json:"vouched,omitempty"`
	Work      []Work         `json:"work"`
}

// What was decided about accounts when a period closed. Under VouchedAll somebody
// stands for every account, so that no data are of grade E; under VouchedPaid all
// data of an account are of grade E, or none: those of accounts to which no payout
// had been carried. Evidence of a period that closed before this was written down
// says nothing.
const (
	VouchedAll  = "all"  // by an invitation, or by the identity provider's word
	VouchedPaid = "paid" // only by a payout that arrived
)

// Request is a paid access request whose deliveries fell into the period. The
// revenues of all requests add up to at most Evidence.Revenue.
type Request struct {
	Related bool   `json:"related"` // bought by a party related to a member: its revenue is divided, but attributes nothing
	Request string `json:"request"`
	Revenue int64  `json:"revenue"` // minor units, after credit notes
}

// DataUse says that a request read a dataset. There is at most one for each
// request and dataset. The four figures are thousandths, 0 to 1000.
type DataUse struct {
	Alone    string `json:"alone,omitempty"` // the period about which an appeal was upheld that took it out of a cluster, and holds still
	Cluster  string `json:"cluster"`         // whose data count as one person's in this request; "" is the member alone
	Coverage int64  `json:"coverage"`        // how much of the table is filled
	Dataset  string `json:"dataset"`
	Fresh    int64  `json:"fresh"` // how recent it is
	Grade    string `json:"grade"`
	Member   string `json:"member"`
	Request  string `json:"request"`
	Trust    int64  `json:"trust"`  // lowered by upheld disputes; 1000 is full trust
	Unique   int64  `json:"unique"` // how much of it no dataset of somebody else repeats that was shared first
}

// Availability says that a dataset could be asked for, whether or not anybody
// asked. Only one whose profile a paying use confirmed earns a stipend.
type Availability struct {
	Alone     string `json:"alone,omitempty"` // as in DataUse
	Cluster   string `json:"cluster"`         // as in DataUse
	Confirmed bool   `json:"confirmed"`
	Copy      bool   `json:"copy,omitempty"` // it repeats data that another member shared first
	Dataset   string `json:"dataset"`
	Days      int64  `json:"days"`            // of this period
	Grade     string `json:"grade,omitempty"` // "" is GradeServer
	Member    string `json:"member"`
}

// Work is one accepted contribution with the size its reviewers gave it. What
// several members made occurs once for each, with their part of the points.
type Work struct {
	Contribution string `json:"contribution"`
	Grade        string `json:"grade"`
	Kind         string `json:"kind"` // slug of a closed list, never a member's own words
	Member       string `json:"member"`
	Points       int64  `json:"points"`
}

// Duty is a completed duty of governance. Member, kind and ref together occur
// once; ref may be empty where duties are counted before they arrive here.
type Duty struct {
	Grade  string `json:"grade"`
	Kind   string `json:"kind"`
	Member string `json:"member"`
	Points int64  `json:"points"`
	Ref    string `json:"ref"`
}

var hexPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

var errEvidence = fault.New(fault.Invalid, "evidence-invalid", "The evidence of this period cannot be appraised as it stands.")

// normal returns the evidence in canonical order, with empty lists in place of
// missing ones. The receiver's lists are not touched.
func (ev Evidence) normal() Evidence {
	ev.Requests = sorted(ev.Requests, func(a, b Request) int { return cmp.Compare(a.Request, b.Request) })
	ev.Data = sorted(ev.Data, func(a, b DataUse) int {
		return cmp.Or(cmp.Compare(a.Request, b.Request), cmp.Compare(a.Dataset, b.Dataset))
	})
	ev.Available = sorted(ev.Available, func(a, b Availability) int { return cmp.Compare(a.Dataset, b.Dataset) })
	ev.Work = sorted(ev.Work, func(a, b Work) int {
		return cmp.Or(cmp.Compare(a.Contribution, b.Contribution), cmp.Compare(a.Member, b.Member))
	})
	ev.Duties = sorted(ev.Duties, func(a, b Duty) int {
		return cmp.Or(cmp.Compare(a.Member, b.Member), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Ref, b.Ref))
	})
	return ev
}

func sorted[T any](list []T, order func(a, b T) int) []T {
	out := append(make([]T, 0, len(list)), list...)
	slices.SortFunc(out, order)
	return out
}

// repeated reports whether a sorted list holds the same key twice.
func repeated[T any](list []T, same func(a, b T) bool) bool {
	for i := 1; i < len(list); i++ {
		if same(list[i-1], list[i]) {
			return true
		}
	}
	return false
}

// check expects normal order.
func (ev Evidence) check() error {
	switch {
	case !ids(ev.Period):
		return errEvidence.With("period")
	case !coop.Currency(ev.Currency).Valid():
		return errEvidence.With("currency")
	case !hexPattern.MatchString(ev.Salt):
		return errEvidence.With("salt")
	case ev.Revenue < 0 || ev.Revenue > MaxRevenue:
		return errEvidence.With("revenue")
	case max(len(ev.Requests), len(ev.Data), len(ev.Available), len(ev.Work), len(ev.Duties)) > maxItems:
		return errEvidence.With("too many items")
	}
	for _, check := range []func() error{ev.checkRequests, ev.checkData, ev.checkAvailable, ev.checkVouched, ev.checkWork, ev.checkDuties} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (ev Evidence) checkRequests() error {
	left := ev.Revenue
	for _, r := range ev.Requests {
		if !ids(r.Request) || r.Revenue < 0 {
			return errEvidence.With("requests")
		}
		if left -= min(r.Revenue, left+1); left < 0 {
			return errEvidence.With("requests: more revenue than the period's")
		}
	}
	if repeated(ev.Requests, func(a, b Request) bool { return a.Request == b.Request }) {
		return errEvidence.With("requests: one occurs twice")
	}
	return nil
}

func (ev Evidence) checkData() error {
	owner := map[string]string{}
	for _, u := range ev.Data {
		_, known := slices.BinarySearchFunc(ev.Requests, u.Request, func(r Request, id string) int { return cmp.Compare(r.Request, id) })
		switch {
		case !known:
			return errEvidence.With("data: unknown request")
		case !ids(u.Member, u.Dataset) || u.Cluster != "" && !ids(u.Cluster) || !grade(u.Grade) || !apart(u.Alone, u.Cluster):
			return errEvidence.With("data")
		case !permille(u.Coverage, u.Fresh, u.Unique, u.Trust):
			return errEvidence.With("data: a figure is not between 0 and 1000")
		case owner[u.Dataset] != "" && owner[u.Dataset] != u.Member:
			return errEvidence.With("data: a dataset with two members")
		}
		owner[u.Dataset] = u.Member
	}
	if repeated(ev.Data, func(a, b DataUse) bool { return a.Request == b.Request && a.Dataset == b.Dataset }) {
		return errEvidence.With("data: one use occurs twice")
	}
	return nil
}

func (ev Evidence) checkAvailable() error {
	for _, a := range ev.Available {
		if !ids(a.Member, a.Dataset) || a.Cluster != "" && !ids(a.Cluster) || a.Days < 0 || a.Days > maxDays || a.Grade != "" && !grade(a.Grade) || !apart(a.Alone, a.Cluster) {
			return errEvidence.With("available")
		}
	}
	if repeated(ev.Available, func(a, b Availability) bool { return a.Dataset == b.Dataset }) {
		return errEvidence.With("available: one dataset occurs twice")
	}
	return nil
}

// checkVouched holds the grades of data against what was decided about accounts.
func (ev Evidence) checkVouched() error {
	if ev.Vouched != "" && ev.Vouched != VouchedAll && ev.Vouched != VouchedPaid {
		return errEvidence.With("vouched")
	}
	if ev.Vouched == "" {
		return nil
	}
	self := map[string]bool{}
	agree := func(member, grade string) bool {
		said, known := self[member]
		self[member] = grade == GradeSelf
		return (!known || said == self[member]) && !(self[member] && ev.Vouched == VouchedAll)
	}
	for _, u := range ev.Data {
		if !agree(u.Member, u.Grade) {
			return errEvidence.With("data: a grade against what was decided about accounts")
		}
	}
	for _, a := range ev.Available {
		if !agree(a.Member, a.Grade) {
			return errEvidence.With("available: a grade against what was decided about accounts")
		}
	}
	return nil
}

func (ev Evidence) checkWork() error {
	for _, w := range ev.Work {
		if !ids(w.Member, w.Contribution) || !coop.ValidSlug(w.Kind) || !grade(w.Grade) || w.Points < 0 || w.Points > maxPoints {
			return errEvidence.With("work")
		}
	}
	if repeated(ev.Work, func(a, b Work) bool { return a.Contribution == b.Contribution && a.Member == b.Member }) {
		return errEvidence.With("work: one contribution occurs twice")
	}
	if repeated(ev.Work, func(a, b Work) bool {
		return a.Contribution == b.Contribution && (a.Kind != b.Kind || a.Grade != b.Grade)
	}) {
		return errEvidence.With("work: one contribution is of two kinds")
	}
	return nil
}

func (ev Evidence) checkDuties() error {
	for _, d := range ev.Duties {
		if !ids(d.Member) || d.Ref != "" && !ids(d.Ref) || !coop.ValidSlug(d.Kind) || !grade(d.Grade) || d.Points < 0 || d.Points > maxPoints {
			return errEvidence.With("duties")
		}
	}
	same := func(a, b Duty) bool { return a.Member == b.Member && a.Kind == b.Kind && a.Ref == b.Ref }
	if repeated(ev.Duties, same) {
		return errEvidence.With("duties: one occurs twice")
	}
	return nil
}

// ids reports whether all are opaque ids, see Evidence.
func ids(all ...string) bool {
	return !slices.ContainsFunc(all, func(id string) bool {
		return id == "" || len(id) > 64 || strings.ContainsFunc(id, outOfID)
	})
}

func outOfID(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '.' && r != '_' && r != ':' && r != '-'
}

// apart reports whether what counts alone by an appeal counts in no cluster.
func apart(alone, cluster string) bool { return alone == "" || ids(alone) && cluster == "" }

func grade(g string) bool { return len(g) == 1 && g >= GradeServer && g <= GradeSelf }

func permille(all ...int64) bool {
	return !slices.ContainsFunc(all, func(v int64) bool { return v < 0 || v > 1000 })
}

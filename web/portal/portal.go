// Package portal is the members' part of the hall: plain pages, rendered on the
// server, that work without JavaScript.
//
// # What it is for
//
// A member sees in one look what they gave, who used it, what they earned and
// how to take it back; they answer for a pool, vote, submit and review work,
// and stewards do their duty. [Parse] reads the pages, [New] joins them with
// the rooms below, and [Portal.Routes] lists what the hall has to mount. The
// package knows net/http and html/template alone: sessions, tokens and sign-in
// stay with the hall and come in as a [Hall].
//
// # What it guarantees
//
// A page of a member needs that member's session. What somebody may not see is
// not found: a stranger's dataset and a steward's page look like a wrong
// address. Whatever people typed is escaped. Every form is answered by a
// redirect with a note, or shown again with the reason in a sentence and
// everything that was typed; sending the same form twice has one effect.
// A secret is shown in the answer that made it and never stored. No page
// carries an inline script or style or anything from another server; the
// pages with scripts, which add data and use the member's key, run those of
// package islands alone, and in another language the list of their sentences.
//
// # What it refuses
//
// To hold a rule of its own: who may do what is answered by the rooms below,
// and a page only asks them. To change anything on a GET.
package portal

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/vault"
	"distributed.ai/datacoop/web/portal/health"
	"distributed.ai/datacoop/web/portal/hearings"
	"distributed.ai/datacoop/web/stepup"
)

// Config joins the portal with the rooms below and the hall around it.
type Config struct {
	BaseURL    string // as members reach it, without a trailing slash
	Charter    coop.Charter
	Clock      coop.Clock // domain time; security.txt uses the machine's
	Engine     *policies.Engine
	Consent    *consent.Service
	Vault      *vault.Service
	Governance *governance.Service
	Market     *marketplace.Service
	Hall       Hall
	Health     Health // what the stewards' page of the machinery looks at
	Pages      []Page // that other annexes of the hall answer
}

// Health is what the stewards' page of the machinery looks at.
type Health = health.Rooms

// Hall is what the portal asks of the server it is mounted in. All of it is
// needed.
type Hall struct {
	// Member is who the session of ctx belongs to; "" if nobody is signed in.
	Member func(ctx context.Context) coop.MemberID
	// Put keeps a note in the session for the page that comes next; Take
	// answers it once.
	Put  func(ctx context.Context, note string)
	Take func(ctx context.Context) string
	// Status is the HTTP status of a fault.
	Status func(*fault.Error) int

	// Tokens, MakeToken and DropToken keep the bearer tokens of ctx's member.
	Tokens    func(ctx context.Context) ([]Token, error)
	MakeToken func(ctx context.Context, label, scope string, hours int) (Token, error)
	DropToken func(ctx context.Context, id string) error
	// Unread counts a member's messages that are new.
	Unread func(ctx context.Context, m governance.Member) (int, error)
	// EndSessions signs ctx's member out of every browser.
	EndSessions func(ctx context.Context) error
	// Invitation is the link that an invitation's code is sent as.
	Invitation func(code string) string
	// Proven reports whether the session of ctx has a good proof for a class of
	// actions; Prove keeps what was typed and answers the way to give one.
	Proven func(ctx context.Context, class stepup.Class) bool
	Prove  func(w http.ResponseWriter, r *http.Request, class stepup.Class, form url.Values) error
	// Issue makes OAuth 2 client credentials, the same ones every time.
	Issue func(ctx context.Context, r coop.ResearcherID) (clientID, secret string, err error)
}

// Token is a bearer token of a member. Secret is there only when it was made.
type Token struct {
	ID, Label, Secret    string
	Everyday             bool // it cannot do what its member confirms
	CreatedAt, ExpiresAt time.Time
}

// Portal answers pages. It is safe for concurrent use.
type Portal struct {
	Config
	pages *Pages
	shelf hearings.Shelf
}

// New makes a portal of parsed pages.
func New(pages *Pages, c Config) *Portal {
	return &Portal{Config: c, pages: pages}
}

// Route is one address of the portal. Path is in the syntax of [http.ServeMux].
// Serve answers it; an error is for the hall to answer, with [Portal.Trouble]
// if the caller reads pages.
type Route struct {
	Method, Path string
	Serve        func(http.ResponseWriter, *http.Request) error
}

// Routes lists every address of the portal.
func (p *Portal) Routes() []Route {
	var out []Route
	for _, r := range slices.Concat(p.open(), p.home(), p.governing(), p.office(), p.guests()) {
		out = append(out, Route{r.method, r.path, p.answer(r)})
	}
	return out
}

// route is an address, the door before it and what is behind.
type route struct {
	method, path string
	door         door
	handle       func(*visit) error
}

// door says who comes in: anybody, a member, a member who holds some office, or
// one who holds a certain office.
type door string

const (
	anybody door = ""
	member  door = "member"
	steward door = "steward"
)

func holder(o coop.Office) door { return door(o) }

func (p *Portal) open() []route {
	return []route{
		{"GET", "/{$}", anybody, p.front},
		{"GET", "/about", anybody, p.about},
		{"GET", "/help", anybody, func(v *visit) error { return v.show("help", nil) }},
		{"GET", "/privacy", anybody, p.privacy},
		{"GET", "/pools", anybody, p.pools},
		{"GET", "/pools/{id}", anybody, p.pool},
		{"GET", "/researchers", anybody, p.researchers},
		{"GET", "/static/{hash}/{name}", anybody, p.static},
		{"GET", "/islands/{hash}/{name}", anybody, p.island},
		{"GET", "/languages/{name}", anybody, p.messages},
		{"POST", "/language", anybody, p.speak},
		{"GET", "/robots.txt", anybody, p.robots},
		{"GET", "/.well-known/security.txt", anybody, p.securityText},
	}
}

func (p *Portal) home() []route {
	return []route{
		{"GET", "/data", member, p.datasets},
		{"GET", "/data/add", member, p.add},
		{"POST", "/data/add/terms", member, p.addTerms},
		{"GET", "/data/{id}", member, p.dataset},
		{"GET", "/data/{id}/open", member, p.openCopy},
		{"GET", "/data/{id}/consent", member, p.datasetForm},
		{"POST", "/data/{id}/consent", member, p.datasetAnswer},
		{"POST", "/data/{id}/withdraw", member, p.datasetWithdraw},
		{"GET", "/data/{id}/as-pool", member, p.asPoolForm},
		{"POST", "/data/{id}/as-pool", member, p.asPool},
		{"GET", "/data/{id}/revoke", member, p.revokeForm},
		{"POST", "/data/{id}/revoke", member, p.revoke},
		{"GET", "/data/{id}/receipt", member, p.receipt},
		{"GET", "/questions", member, p.questions},
		{"POST", "/questions/{id}", member, p.answerQuestion},
		{"GET", "/approvals", member, p.approvals},
		{"POST", "/approvals/{id}/decline", member, p.decline},
		{"GET", "/consent", member, p.consents},
		{"GET", "/consent/{id}", member, p.poolForm},
		{"POST", "/consent/{id}", member, p.poolAnswer},
		{"POST", "/consent/{id}/withdraw", member, p.poolWithdraw},
		{"GET", "/uses", member, p.uses},
		{"GET", "/uses/{id}", member, p.use},
		{"GET", "/uses.csv", member, p.usesTable},
		{"GET", "/law/{id}", member, p.pastLaw},
		{"POST", "/pause", member, p.pause},
		{"POST", "/resume", member, p.resume},
		{"GET", "/money", member, p.money},
		{"GET", "/money/account", member, p.account},
		{"POST", "/money/account", member, p.setAccount},
		{"GET", "/money/{id}", member, p.statement},
		{"POST", "/money/{id}", member, p.appeal},
		{"GET", "/money/{id}/bundle", member, p.bundle},
		{"POST", "/money/gift", member, p.gift},
		{"GET", "/years/{id}", member, p.year},
		{"GET", "/years/{id}/statement.csv", member, p.yearTable},
		{"GET", "/disputes", member, p.disputes},
		{"POST", "/disputes/{id}", member, p.answerDispute},
		{"GET", "/money/{id}/appeals", member, p.appealsRecord},
		{"POST", "/money/{id}/panel", member, p.escalate},
		{"POST", "/money/{id}/vote", member, p.adopt},
		{"GET", "/panels", member, p.panels},
		{"POST", "/panels/{id}", member, p.answerPanel},
		{"GET", "/key", member, p.key},
		{"GET", "/invite", member, p.inviteForm},
		{"POST", "/invite", member, p.invite},
		{"GET", "/tokens", member, p.tokens},
		{"POST", "/tokens", member, p.makeToken},
		{"POST", "/tokens/{id}/drop", member, p.dropToken},
		{"POST", "/tokens/sign-out", member, p.signOut},
	}
}

func (p *Portal) governing() []route {
	return []route{
		{"GET", "/votes", member, p.votes},
		{"GET", "/minutes", member, p.minutes},
		{"GET", "/votes/new", member, p.proposeForm},
		{"POST", "/votes/new", member, p.propose},
		{"GET", "/votes/{id}", member, p.vote},
		{"POST", "/votes/{id}", member, p.cast},
		{"GET", "/work", member, p.work},
		{"POST", "/work", member, p.submit},
		{"GET", "/work/{id}", member, p.contribution},
		{"POST", "/work/{id}", member, p.review},
	}
}

func (p *Portal) office() []route {
	vetting, treasury, appeals := holder(coop.Vetting), holder(coop.Treasury), holder(coop.Appeals)
	return []route{
		{"GET", "/steward/vetting", vetting, p.vetting},
		{"POST", "/steward/vetting", vetting, p.vet},
		{"GET", "/steward/vetting/requests", vetting, p.reviews},
		{"GET", "/steward/vetting/requests/{id}", vetting, p.reviewCase},
		{"POST", "/steward/vetting/requests/{id}", vetting, p.sayReview},
		{"GET", "/steward/treasury", treasury, p.treasury},
		{"POST", "/steward/treasury", treasury, p.importStatement},
		{"POST", "/steward/periods/{id}/{step}", treasury, p.step},
		{"GET", "/steward/periods/{id}/payout.xml", treasury, p.payoutFile},
		{"GET", "/steward/incidents", steward, p.incidents},
		{"POST", "/steward/incidents", steward, p.freeze},
		{"POST", "/steward/incidents/lift", steward, p.unfreeze},
		{"GET", "/steward/health", steward, func(v *visit) error { return v.show("health", p.Health.Look(v.ctx())) }},
		{"GET", "/steward/appeals", appeals, p.appeals},
		{"POST", "/steward/appeals/{id}", appeals, p.decideAppeal},
		{"GET", "/steward/disputes", appeals, p.cases},
		{"POST", "/steward/disputes/{id}", appeals, p.judge},
	}
}

// Faults of the portal's own forms.
var (
	errNotHere   = fault.New(fault.NotFound, "not-found", "There is no such page here.")
	errSignedOut = fault.New(fault.Unauthenticated, "signed-out", "You are signed out, so nothing was saved. Sign in, go back and send the form again.")
	errForm      = fault.New(fault.Invalid, "form-unreadable", "This form could not be read. Nothing was changed; try again.")
	errFormLarge = fault.New(fault.TooLarge, "form-too-large", "This is larger than the form takes. Nothing was changed.")
)

// answer opens the door of a route and answers what is behind it.
func (p *Portal) answer(r route) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, req *http.Request) error {
		v, err := p.enter(w, req, r.door)
		if err != nil || v == nil {
			return err
		}
		if req.Method == http.MethodPost {
			if err := v.read(); err != nil {
				return err
			}
			if ok, err := p.proven(v, r); !ok {
				return err
			}
		}
		return r.handle(v)
	}
}

// enter settles who visits. A nil visit means that the answer has been given:
// the way to the sign-in.
func (p *Portal) enter(w http.ResponseWriter, r *http.Request, d door) (*visit, error) {
	v := &visit{w: w, r: r, portal: p}
	if err := v.know(); err != nil {
		return nil, err
	}
	switch {
	case d == anybody:
		return v, nil
	case v.me.ID == "" && r.Method == http.MethodPost:
		return nil, errSignedOut
	case v.me.ID == "":
		http.Redirect(w, r, signIn(r.URL), http.StatusSeeOther)
		return nil, nil
	case d == steward && len(v.me.Offices) > 0:
	case d != member && !slices.Contains(v.me.Offices, coop.Office(d)):
		return nil, errNotHere
	}
	return v, nil
}

// know finds the member behind the session. A closed account is nobody's.
func (v *visit) know() error {
	id := v.portal.Hall.Member(v.ctx())
	if id == "" {
		return nil
	}
	m, err := v.portal.Governance.Member(v.ctx(), id)
	if fault.KindOf(err) == fault.NotFound || err == nil && !m.Open() {
		return nil
	}
	if err != nil {
		return fmt.Errorf("portal: member: %w", err)
	}
	if v.paused, err = v.portal.Consent.Paused(v.ctx(), id); err != nil {
		return fmt.Errorf("portal: paused: %w", err)
	}
	if v.frozen, err = v.portal.Market.Frozen(v.ctx()); err != nil {
		return fmt.Errorf("portal: frozen: %w", err)
	}
	v.me = m
	return nil
}

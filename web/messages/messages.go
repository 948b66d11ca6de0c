// Package messages is the part of the hall through which members read what they
// are told, and say whether they want to hear by e-mail.
//
// # What it guarantees
//
// A member reads their own messages alone. A link in a letter changes nothing when
// it is opened, because programs open links that nobody has clicked: a button does,
// or the one click that a mail program makes of it (RFC 8058), which needs no
// session. Lists are never null.
//
// # What it refuses
//
// Nothing of its own: every rule is the inbox's, and so is every refusal.
package messages

import (
	"context"
	"strings"
	"time"

	"distributed.ai/datacoop/governance/inbox"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/web/appeals"
	"distributed.ai/datacoop/web/results"
)

// API answers for the inbox. Member finds who makes a request.
type API struct {
	Inbox  *inbox.Service
	Member func(context.Context) coop.MemberID
}

// Message is something the member is told.
type Message struct {
	ID    string     `json:"id"`
	Kind  string     `json:"kind" doc:"Such as vote.opened, payout.sent or account.recipient"`
	Topic string     `json:"topic" enum:"waiting,uses,votes,money,reports,office,security"`
	Ref   string     `json:"ref,omitempty" doc:"Id of what it is about"`
	About string     `json:"about,omitempty" doc:"Its title"`
	Link  string     `json:"link" doc:"The page of the portal that it leads to"`
	Until *time.Time `json:"until,omitempty" doc:"After which it is too late to act"`
	At    time.Time  `json:"at"`
	Read  bool       `json:"read"`
}

// Reading says which messages have been read: some, or all up to one.
type Reading struct {
	IDs     []string `json:"ids,omitempty" maxItems:"200" nullable:"false"`
	Through string   `json:"through,omitempty" maxLength:"64" doc:"This message and all before it"`
}

// Email is how the member hears by e-mail.
type Email struct {
	Address   string     `json:"address" doc:"Empty for none"`
	Confirmed bool       `json:"confirmed" doc:"By the link that was sent to it; nothing else is sent before"`
	Cadence   string     `json:"cadence" enum:"off,daily,weekly"`
	Muted     []string   `json:"muted" nullable:"false" doc:"Topics that letters do not count"`
	NextAt    *time.Time `json:"next_at,omitempty"`
}

// EmailDraft is what the member asks for.
type EmailDraft struct {
	Address string   `json:"address" minLength:"3" maxLength:"254"`
	Cadence string   `json:"cadence" enum:"off,daily,weekly"`
	Muted   []string `json:"muted,omitempty" maxItems:"10" nullable:"false"`
}

var errNothing = fault.New(fault.Invalid, "message-none-named", "Say which messages you have read: their ids, or through which one.")

// Link is the page that a message leads to.
func Link(i inbox.Item) string {
	switch i.Kind {
	case coop.NoticeFirstUse:
		return "/data/" + i.Ref
	case coop.NoticeApproval:
		return "/approvals"
	case coop.NoticeQuestion:
		return "/questions"
	case coop.NoticeVoteOpened, coop.NoticeVoteClosing, coop.NoticeVoteClosed:
		if id, ok := strings.CutPrefix(i.Ref, "candidate:"); ok {
			return "/judges/" + id
		}
		if strings.HasPrefix(i.Ref, "P") {
			return "/money/" + i.Ref
		}
		return "/votes/" + i.Ref
	case coop.NoticeStatement, coop.NoticeAppealDecided, coop.NoticePaid:
		return "/money/" + i.Ref
	}
	return links[i.Kind]
}

var links = map[string]string{
	coop.NoticePanel: "/panels", coop.NoticeSpotCheck: "/spot-checks", coop.NoticeDisputed: "/disputes", coop.NoticeDisputeDecided: "/disputes",
	coop.NoticeReturned: "/money/account", coop.NoticeReport: "/reports", coop.NoticeFrozen: "/", coop.NoticeThawed: "/",
	coop.NoticeAccount: "/money/account", coop.NoticeRecipient: "/data", coop.NoticeSigningKey: "/data", coop.NoticeToken: "/tokens",
	coop.NoticeLock: "/key", coop.NoticeLinked: "/ways", coop.NoticeUnlinked: "/ways", coop.NoticeRecovered: "/tokens", coop.NoticeMailStopped: "/inbox",
	coop.NoticeBereaved: "/", coop.NoticeSecondSteward: "/steward/bereavement", coop.NoticeAlive: "/steward/bereavement",
	coop.NoticeReview: "/steward/vetting/requests", coop.NoticeOverdue: "/steward/vetting/reports", coop.NoticeJudge: "/steward/disputes",
	coop.NoticeContested: "/steward/appeals", coop.NoticeSecondHuman: "/steward/treasury", coop.NoticeNoAccount: "/steward/treasury",
}

func wire(i inbox.Item) Message {
	return Message{ID: i.ID, Kind: i.Kind, Topic: string(i.Topic()), Ref: i.Ref, About: i.About, Link: Link(i), Until: moment(i.Until),
		At: time.UnixMilli(i.At).UTC(), Read: i.Read}
}

func moment(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := time.UnixMilli(ms).UTC()
	return &t
}

// List answers the member's messages.
func (a API) List(ctx context.Context, in *results.Paged) (*results.Page[Message], error) {
	items, err := a.Inbox.List(ctx, a.Member(ctx), in.Cursor, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := make([]Message, 0, len(items))
	for _, i := range items {
		out = append(out, wire(i))
	}
	return results.Cut("/v1/me/inbox", in.Limit, out, func(m Message) string { return m.ID }), nil
}

// Read marks messages as read.
func (a API) Read(ctx context.Context, in *appeals.Body[Reading]) (*appeals.None, error) {
	me := a.Member(ctx)
	if in.Body.Through == "" && len(in.Body.IDs) == 0 {
		return nil, errNothing
	}
	if err := a.Inbox.MarkRead(ctx, me, in.Body.IDs...); err != nil {
		return nil, err
	}
	if in.Body.Through == "" {
		return nil, nil
	}
	return nil, a.Inbox.MarkAllRead(ctx, me, in.Body.Through)
}

func wireEmail(s inbox.Settings) Email {
	out := Email{Address: s.Address, Confirmed: s.Confirmed, Cadence: s.Cadence, Muted: []string{}, NextAt: moment(s.DueAt)}
	for _, t := range s.Muted {
		out.Muted = append(out.Muted, string(t))
	}
	return out
}

// Email answers how the member hears by e-mail.
func (a API) Email(ctx context.Context, _ *appeals.None) (*appeals.Body[Email], error) {
	s, err := a.Inbox.Settings(ctx, a.Member(ctx))
	if err != nil {
		return nil, err
	}
	return &appeals.Body[Email]{Body: wireEmail(s)}, nil
}

// PutEmail stores it.
func (a API) PutEmail(ctx context.Context, in *appeals.Body[EmailDraft]) (*appeals.Body[Email], error) {
	s, err := a.Inbox.PutSettings(ctx, a.Member(ctx), inbox.Settings{Address: in.Body.Address, Cadence: in.Body.Cadence, Muted: muted(in.Body.Muted)})
	if err != nil {
		return nil, err
	}
	return &appeals.Body[Email]{Body: wireEmail(s)}, nil
}

// Held is Email for the member's archive.
func (a API) Held(ctx context.Context) (any, error) {
	out, err := a.Email(ctx, nil)
	if err != nil {
		return nil, err
	}
	return out.Body, nil
}

func muted(names []string) []inbox.Topic {
	out := make([]inbox.Topic, 0, len(names))
	for _, n := range names {
		out = append(out, inbox.Topic(n))
	}
	return out
}

// DropEmail forgets the member's address.
func (a API) DropEmail(ctx context.Context, _ *appeals.None) (*appeals.None, error) {
	return nil, a.Inbox.DropAddress(ctx, a.Member(ctx))
}

// All answers a page of the member's messages for their archive.
func (a API) All(ctx context.Context, cursor string) ([]any, string, error) {
	out, err := a.List(ctx, &results.Paged{Cursor: cursor, Limit: 200})
	if err != nil {
		return nil, "", err
	}
	items := make([]any, 0, len(out.Body.Items))
	for _, m := range out.Body.Items {
		items = append(items, m)
	}
	return items, out.Body.Next, nil
}

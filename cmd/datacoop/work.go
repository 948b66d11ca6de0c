package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"distributed.ai/datacoop/cmd/datacoop/render"
	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/web/client"
)

// WorkCmd is how work in git reaches the co-op: it is read on the
// member's machine, so that the server fetches nothing for anybody.
type WorkCmd struct {
	Server string `default:"http://localhost:8080" help:"The co-op's address."`
	Token  string `required:"" placeholder:"TOKEN" help:"Your token, from the portal. Better set DATACOOP_TOKEN: others can see a command line."`

	Submit  WorkSubmitCmd  `cmd:"" default:"withargs" help:"Show what you did in a repository and submit it (the default)."`
	Claims  WorkClaimsCmd  `cmd:"" help:"List addresses that other members claim, for you to confirm."`
	Confirm WorkConfirmCmd `cmd:"" help:"Confirm, or refuse, that an address is another member's."`
}

// WorkSubmitCmd submits what was read from a repository.
type WorkSubmitCmd struct {
	Repo   string   `default:"." placeholder:"PATH" help:"The repository: a path, or an https address."`
	Branch string   `placeholder:"NAME" help:"Branch to read; without it main, or where HEAD points."`
	Email  []string `placeholder:"ADDRESS" help:"Your address in its commits; may be repeated. Without it, the one git is set up with."`
	Since  string   `placeholder:"DATE" help:"Leave out what was finished before, such as 2026-01-31."`
	JSON   bool     `name:"json" help:"Answer what was submitted as JSON."`
	Yes    bool     `short:"y" help:"Do not ask."`
}

// Run shows the work, asks, and submits it.
func (c *WorkSubmitCmd) Run(ctx context.Context, to *WorkCmd) error {
	return plain(c.run(ctx, to), "Run the same command again: nothing is submitted twice.")
}

func (c *WorkSubmitCmd) run(ctx context.Context, to *WorkCmd) error {
	since, err := c.since()
	if err != nil {
		return err
	}
	set := governance.ConfiguredGit(c.Repo)
	if len(c.Email) == 0 && set.Email != "" {
		c.Email = []string{set.Email}
	}
	if len(c.Email) == 0 {
		return errors.New("give the address that is yours in the commits with --email")
	}
	api, err := client.New(to.Server, client.WithToken(to.Token))
	if err != nil {
		return err
	}
	found, err := governance.ReadGit(ctx, c.Repo, governance.GitOptions{Branch: c.Branch, AllowRemote: true})
	if err != nil {
		return err
	}
	known, err := submittedBefore(ctx, api)
	if err != nil {
		return err
	}
	s := submission{api: api, say: talk(c.JSON), emails: c.Email, origin: set.Origin}
	s.sort(found, since, known)
	s.show(found)
	if len(s.fresh) > 0 {
		if err := s.ask(c.Yes); err != nil {
			return err
		}
		if err := s.send(ctx); err != nil {
			return err
		}
	}
	if c.JSON {
		return render.JSON(os.Stdout, s.outcome())
	}
	return nil
}

func (c *WorkSubmitCmd) since() (time.Time, error) {
	if c.Since == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.DateOnly, c.Since)
	if err != nil {
		return at, errors.New("--since takes a date such as 2026-01-31")
	}
	return at, nil
}

// submittedBefore lists the pieces of history that the co-op knows and has not
// declined, and those of the caller's that it has.
func submittedBefore(ctx context.Context, api *client.Client) (map[string]bool, error) {
	me, err := api.Me(ctx)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for c, err := range api.Contributions(ctx) {
		if err != nil {
			return nil, err
		}
		if c.Source != "" && (c.State != "declined" || c.Member == me.ID) {
			known[c.Source] = true
		}
	}
	return known, nil
}

// submission is one member's work in one repository.
type submission struct {
	api    *client.Client
	say    io.Writer
	emails []string
	origin string

	fresh                []governance.GitContribution
	known, growing, left int
	sent                 []client.Contribution
}

// submissionOutcome is the submission as JSON.
type submissionOutcome struct {
	Submitted []client.Contribution `json:"submitted"`
	Known     int                   `json:"known"`   // submitted before
	Growing   int                   `json:"growing"` // of today, not finished
	Left      int                   `json:"left"`    // for a later run
}

func (s *submission) outcome() submissionOutcome {
	return submissionOutcome{slices.Concat([]client.Contribution{}, s.sent), s.known, s.growing, s.left}
}

// sort picks what is the member's own and new.
func (s *submission) sort(found governance.GitHistory, since time.Time, known map[string]bool) {
	for _, c := range found.Contributions {
		switch {
		case !c.By(s.emails...) || c.To.Before(since):
		case known[c.ID]:
			s.known++
		case c.Growing:
			s.growing++
		default:
			s.fresh = append(s.fresh, c)
		}
	}
}

func (s *submission) show(found governance.GitHistory) {
	if len(s.fresh) > 0 {
		fmt.Fprintf(s.say, "%s of yours in %s on this branch:\n\n", counted(len(s.fresh), "piece of work", "pieces of work"),
			counted(found.Commits, "commit", "commits"))
	} else {
		fmt.Fprintln(s.say, "Nothing new of yours is on this branch.")
	}
	for i, c := range s.fresh {
		fmt.Fprintf(s.say, "%3d. %s\n", i+1, c.Title)
		for line := range strings.Lines(c.Text()) {
			fmt.Fprint(s.say, "     ", line)
		}
		fmt.Fprintln(s.say)
	}
	if s.known > 0 {
		fmt.Fprintf(s.say, "%s submitted before.\n", counted(s.known, "piece was", "pieces were"))
	}
	if s.growing > 0 {
		fmt.Fprintln(s.say, "The latest commits may still grow together: run this again a day after the last.")
	}
}

func (s *submission) ask(yes bool) error {
	fmt.Fprintln(s.say, "\nTitle, commit ids and the sentences above are sent. So are the addresses of the authors,\n"+
		"to see which of them are members; they are not kept. Two members review each piece.")
	return agree(s.say, yes, "Submit this?", errNotSubmitted)
}

// errNotSubmitted ends a submission the member did not agree to.
var errNotSubmitted = errors.New("nothing was submitted")

// send submits the oldest first, as far as the co-op takes it.
func (s *submission) send(ctx context.Context) error {
	mine, err := s.claim(ctx)
	if err != nil {
		return err
	}
	for i, c := range s.fresh {
		if !c.By(mine...) {
			s.left++
			continue
		}
		sent, err := s.api.SubmitContribution(ctx, s.draft(c))
		switch code := problemCode(err); {
		case code == "git-known": // by a co-author, a moment ago
			s.known++
		case code == "too-many-open":
			s.left += len(s.fresh) - i
			fmt.Fprintf(s.say, "Submitted %d. The co-op reviews a few at a time: run this again for the other %d.\n", len(s.sent), s.left)
			return nil
		case err != nil:
			return err
		default:
			s.sent = append(s.sent, sent)
		}
	}
	fmt.Fprintf(s.say, "Submitted %d.\n", len(s.sent))
	return nil
}

func problemCode(err error) string {
	var p *client.ProblemError
	if errors.As(err, &p) {
		return p.Code()
	}
	return ""
}

func (s *submission) draft(c governance.GitContribution) client.ContributionDraft {
	evidence := c.Evidence
	if s.origin != "" {
		evidence += " of " + s.origin
	}
	o := c.Origin()
	return client.ContributionDraft{Kind: c.Kind, Title: c.Title, Text: c.Text(), Evidence: evidence,
		Git: &client.GitOrigin{Source: o.Source, Authors: o.Authors}}
}

// claim claims the addresses that the work carries and returns those that are
// confirmed. Without any, nothing can be submitted yet.
func (s *submission) claim(ctx context.Context) (confirmed []string, err error) {
	var waiting []string
	for _, email := range s.emails {
		if !slices.ContainsFunc(s.fresh, func(c governance.GitContribution) bool { return c.By(email) }) {
			continue
		}
		c, err := s.api.ClaimAddress(ctx, email)
		if err != nil {
			return nil, err
		}
		switch c.State {
		case "confirmed":
			confirmed = append(confirmed, email)
		case "contested":
			waiting = append(waiting, email+" is claimed by another member as well: a steward of vetting can decide.")
		default:
			waiting = append(waiting, fmt.Sprintf("%s waits to be confirmed by a steward of vetting or two members who know it is yours:\n  datacoop contribute confirm %s %s",
				email, c.ID, email))
		}
	}
	if len(confirmed) == 0 {
		return nil, errors.New("nothing was submitted yet.\n" + strings.Join(waiting, "\n"))
	}
	for _, line := range waiting {
		fmt.Fprintln(s.say, line)
	}
	return confirmed, nil
}

// WorkClaimsCmd lists what others claim.
type WorkClaimsCmd struct {
	JSON bool `name:"json" help:"Answer them as JSON."`
}

// Run lists claims that wait for an answer.
func (c *WorkClaimsCmd) Run(ctx context.Context, to *WorkCmd) error {
	return plain(c.run(ctx, to), "")
}

func (c *WorkClaimsCmd) run(ctx context.Context, to *WorkCmd) error {
	api, err := client.New(to.Server, client.WithToken(to.Token))
	if err != nil {
		return err
	}
	list := []client.Claim{}
	for claim, err := range api.Claims(ctx) {
		if err != nil {
			return err
		}
		list = append(list, claim)
	}
	if c.JSON {
		return render.JSON(os.Stdout, list)
	}
	for _, claim := range list {
		fmt.Printf("%s  %s  %s, %s so far, since %s\n", claim.ID, claim.Name, claim.State,
			counted(claim.Confirmations, "confirmation", "confirmations"), claim.ClaimedAt.Format(time.DateOnly))
	}
	if len(list) == 0 {
		fmt.Println("Nobody waits for an answer.")
	}
	return nil
}

// WorkConfirmCmd answers another member's claim.
type WorkConfirmCmd struct {
	Claim  string `arg:"" help:"The claim's id, as contribute claims lists it."`
	Email  string `arg:"" optional:"" placeholder:"ADDRESS" help:"The address you know the member by: it must be the claimed one."`
	Refuse bool   `help:"Refuse it: you know, or doubt for good reason, that it is not theirs."`
}

// Run answers the claim.
func (c *WorkConfirmCmd) Run(ctx context.Context, to *WorkCmd) error {
	return plain(c.run(ctx, to), "")
}

func (c *WorkConfirmCmd) run(ctx context.Context, to *WorkCmd) error {
	if c.Refuse == (c.Email != "") {
		return errors.New("give the address you know the member by, or --refuse")
	}
	api, err := client.New(to.Server, client.WithToken(to.Token))
	if err != nil {
		return err
	}
	claim, err := api.AnswerClaim(ctx, c.Claim, client.ClaimAnswerBody{Confirm: !c.Refuse, Email: c.Email})
	if err != nil {
		return err
	}
	fmt.Printf("%s's claim is %s.\n", claim.Name, claim.State)
	return nil
}

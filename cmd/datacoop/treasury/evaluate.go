package treasury

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"distributed.ai/datacoop/cmd/datacoop/render"
	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/agreement"
	"distributed.ai/datacoop/marketplace/appraisal/llm"
)

// EvaluateCmd compares judges with people who judged the same contributions.
type EvaluateCmd struct {
	Evaluate string   `required:"" type:"existingdir" placeholder:"DIR" help:"Rounds of human judgements: CSV files with the columns name, contribution, impact and amount (the list of votes)."`
	Scores   []string `type:"existingfile" placeholder:"FILE" help:"A recorded judge: JSON that gives a number for each id. May be repeated."`
	Charter  string   `type:"existingfile" placeholder:"FILE" help:"Ask the judges that this charter names, with its rubric."`
	Record   string   `type:"path" placeholder:"DIR" help:"Keep what is asked and answered here; what is there already is not asked again."`
	Against  string   `type:"existingfile" placeholder:"FILE" help:"Run the judges of another charter beside those of --charter, in shadow: may they be offered to a vote?"`
	Attacks  string   `type:"existingfile" placeholder:"FILE" help:"With --against: JSON with incumbent and challenger, each by family of attacks how many succeeded of how many were tried. Without it nothing is offered."`
	JSON     bool     `name:"json" help:"Answer as JSON."`
}

// Run prints a report for each round.
func (c *EvaluateCmd) Run(ctx context.Context) error {
	if c.Against != "" {
		return c.shadow(ctx)
	}
	reports, err := c.evaluate(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return render.JSON(os.Stdout, reports)
	}
	for _, r := range reports {
		show(os.Stdout, r)
	}
	return nil
}

func (c *EvaluateCmd) evaluate(ctx context.Context) ([]agreement.Report, error) {
	rounds, err := agreement.ReadRounds(os.DirFS(c.Evaluate))
	if err != nil {
		return nil, err
	}
	recorded, err := c.recorded()
	if err != nil {
		return nil, err
	}
	var reports []agreement.Report
	for _, r := range rounds {
		judges := append([]agreement.Named{baseline(r)}, recorded...)
		if c.Charter != "" {
			live, err := c.live(ctx, r, c.Charter)
			if err != nil {
				return nil, err
			}
			judges = append(judges, live)
		}
		report, err := agreement.Evaluate(r, judges...)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Name, err)
		}
		reports = append(reports, report)
	}
	return reports, nil
}

// baseline is what the formula says where nobody sized the contributions: the
// same of each.
func baseline(r agreement.Round) agreement.Named {
	scores := agreement.Scores{}
	for _, i := range r.Items {
		scores[i.ID] = 1
	}
	return agreement.Named{Name: "the formula alone", Scores: scores}
}

func (c *EvaluateCmd) recorded() ([]agreement.Named, error) {
	var out []agreement.Named
	for _, name := range c.Scores {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("scores: %w", err)
		}
		var scores agreement.Scores
		if err := json.Unmarshal(text, &scores); err != nil || len(scores) == 0 {
			return nil, fmt.Errorf("scores: %s gives no number for any id", filepath.Base(name))
		}
		out = append(out, agreement.Named{Name: strings.TrimSuffix(filepath.Base(name), filepath.Ext(name)), Scores: scores})
	}
	return out, nil
}

var errNoJudges = errors.New("the charter names no judges")

// live asks the charter's judges about the texts of a round, as it asks them
// about a period's work.
func (c *EvaluateCmd) live(ctx context.Context, r agreement.Round, file string) (out agreement.Named, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return agreement.Named{}, fmt.Errorf("charter: %w", err)
	}
	charter, err := coop.ParseCharter(text)
	if err != nil {
		return agreement.Named{}, fmt.Errorf("charter: %w", err)
	}
	if len(charter.Judges) == 0 {
		return agreement.Named{}, errNoJudges
	}
	config := llm.Config{AllowRemote: charter.RemoteJudges, Seed: seed(), Progress: asked}
	names := make([]string, 0, len(charter.Judges))
	for _, m := range charter.Judges {
		config.Families, names = append(config.Families, Family(m)), append(names, m.Family)
	}
	if c.Record != "" {
		folder, err := llm.OpenFolder(c.Record)
		if err != nil {
			return agreement.Named{}, err
		}
		defer func() { err = errors.Join(err, folder.Close()) }()
		config.Recorder, config.Seed = folder, llm.NewSecret("evaluation of recorded rounds")
	}
	judge, err := llm.New(config)
	if err != nil {
		return agreement.Named{}, err
	}
	scores, err := weigh(ctx, judge, r, charter)
	return agreement.Named{Name: strings.Join(names, " + "), Scores: scores}, err
}

// seed is for canaries nobody can foresee. A recorded run has a fixed one, so
// that it can be taken up: it is about nobody's money.
func seed() llm.Secret {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return llm.NewSecret(hex.EncodeToString(b))
}

func asked(p llm.Progress) {
	fmt.Fprintf(os.Stderr, "\r%s: %d of %d questions ", p.Family, p.Done, p.Total)
	if p.Done == p.Total {
		fmt.Fprintln(os.Stderr)
	}
}

// Family is a charter's judge with its key, which comes from
// DATACOOP_JUDGE_KEY_FAMILY.
func Family(m coop.Model) llm.Family {
	variable := "DATACOOP_JUDGE_KEY_" + strings.ToUpper(strings.ReplaceAll(m.Family, "-", "_"))
	return llm.Family{Name: m.Family, BaseURL: m.BaseURL, Model: m.Name, APIKey: llm.NewSecret(os.Getenv(variable)),
		PromptPrice: coop.Money(m.PromptPrice), AnswerPrice: coop.Money(m.AnswerPrice), PerMinute: m.PerMinute}
}

// weigh puts the items of a round before a judge as blinded work of one size.
func weigh(ctx context.Context, judge appraisal.Judge, r agreement.Round, charter coop.Charter) (agreement.Scores, error) {
	ev := appraisal.Evidence{Period: "R0001", Currency: string(charter.Currency), Salt: strings.Repeat("0", 64)}
	var exhibits []appraisal.Exhibit
	item := map[string]string{}
	for n, i := range r.Items {
		work := "w" + strconv.Itoa(n)
		dossier := appraisal.DossierID(ev.Salt, appraisal.KindWork, work)
		item[dossier] = i.ID
		ev.Work = append(ev.Work, appraisal.Work{Contribution: work, Member: "m" + strconv.Itoa(n), Kind: string(governance.WorkOther), Grade: appraisal.GradePeer, Points: 1})
		exhibits = append(exhibits, appraisal.NewExhibit(dossier, i.Text))
	}
	task, err := appraisal.NewTask(ev, appraisal.ParamsOf(charter), charter.Rubric, exhibits)
	if err != nil {
		return nil, err
	}
	opinion, err := judge.Weigh(ctx, task)
	if err != nil {
		return nil, err
	}
	scores := agreement.Scores{}
	for _, s := range opinion.Scores {
		if s.Flag == "" {
			scores[item[s.Dossier]] = float64(s.Score)
		}
	}
	return scores, nil
}

// show writes a report for people: floors, judges, ceiling.
func show(w io.Writer, r agreement.Report) {
	p := r.Reliability
	fmt.Fprintf(w, "%s: %d contributions, %d votes, %.1f each\n", r.Round, p.Items, p.Votes, p.VotesPerItem)
	fmt.Fprintf(w, "  people agree on a single vote by %.3f (ICC 1), on the mean of all by %.3f\n\n", p.ICC1, p.OfMean)
	fmt.Fprintf(w, "  %-34s %9s %9s %7s\n", "", "Spearman", "pairwise", "items")
	row := func(m agreement.Measured) {
		fmt.Fprintf(w, "  %-34s %9s %9s %7d\n", m.Judge, figure(m.Spearman), figure(m.Pairwise), m.Items)
	}
	row(r.Length)
	for _, m := range r.Judges {
		row(m)
	}
	row(r.Official)
	fmt.Fprintf(w, "\n  One person against the others correlates %s; %.3f is expected of one person with the mean.\n", figure(r.OneHuman), p.SingleVsMean)
	fmt.Fprintf(w, "  The most that any judge can reach is %.3f. A dash means that everything was judged alike.\n\n", p.Ceiling)
}

func figure(f *float64) string {
	if f == nil {
		return "–"
	}
	return fmt.Sprintf("%.3f", *f)
}

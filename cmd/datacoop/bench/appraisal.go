package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"distributed.ai/datacoop/cmd/datacoop/bench/cassette"
	"distributed.ai/datacoop/cmd/datacoop/bench/process"
	"distributed.ai/datacoop/cmd/datacoop/bench/trial"
	"distributed.ai/datacoop/marketplace/appraisal/llm"
)

// Judges are the flags of the bench of judges.
type Judges struct {
	Seeds     int      `default:"200" help:"appraisal: periods for each gate; 4 are plenty for a real model."`
	Cases     int      `default:"100000" help:"appraisal: random cases for each property of the formula."`
	Dossiers  int      `default:"10000" help:"appraisal: dossiers in the appraisal whose speed is measured; 0 leaves it out."`
	Fixtures  string   `default:"../shared/fixtures" placeholder:"DIR" help:"appraisal: folder that holds 17-prompt-injection; without it the published seeds are left out."`
	BaseURL   []string `name:"base-url" placeholder:"URL" help:"appraisal: put the same periods before a real model at this OpenAI-compatible address; one for each --model. Texts are invented; calls may cost money. The key is read from DATACOOP_JUDGE_KEY."`
	Model     []string `placeholder:"NAME" help:"appraisal: the model to ask. Without --base-url only cassettes answer."`
	Cassettes string   `type:"path" placeholder:"DIR" help:"appraisal: keep the real model's answers here; what is kept is not asked again."`
}

// appraise puts judges on trial: scripted ones, or a real one where a model is
// named.
func appraise(ctx context.Context, env Env) ([]Figure, error) {
	j := env.Judges
	o := trial.Options{Seeds: max(1, j.Seeds), Cases: max(1, j.Cases), Dossiers: j.Dossiers, Fixtures: j.Fixtures, Dir: env.Dir, Processor: cpu,
		Say: func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }}
	var played []trial.Figure
	var err error
	if len(j.Model) > 0 || len(j.BaseURL) > 0 {
		played, err = j.live(ctx, o)
	} else {
		if env.JSON {
			o.Say("%s", trial.Caveat) // standard output is for the figures alone
		} else {
			fmt.Fprintln(env.Out, trial.Caveat)
		}
		var around []trial.Figure
		played, err = trial.Run(ctx, o)
		if err == nil {
			around, err = process.Run(ctx, o)
		}
		played = append(played, around...)
	}
	out := make([]Figure, len(played))
	for i, f := range played {
		out[i] = Figure(f)
	}
	return out, err
}

var errModels = errors.New("name one --base-url for each --model, or none and the folder of --cassettes")

// live asks real models, or cassettes of them.
func (j Judges) live(ctx context.Context, o trial.Options) (out []trial.Figure, err error) {
	offline := len(j.BaseURL) == 0
	if len(j.Model) == 0 || !offline && len(j.BaseURL) != len(j.Model) || offline && j.Cassettes == "" {
		return nil, errModels
	}
	l := trial.Live{Parallel: 4, Progress: func(p llm.Progress) {
		if p.Done%50 == 0 {
			o.Say("  %s: %d of %d questions", p.Family, p.Done, p.Total)
		}
	}}
	for i, model := range j.Model {
		at := fmt.Sprintf("http://127.0.0.1:%d/v1", i+1)
		if !offline {
			at = j.BaseURL[i]
		}
		l.Families = append(l.Families, llm.Family{Name: fmt.Sprintf("live-%c", 'a'+i), BaseURL: at, Model: model, APIKey: llm.NewSecret(os.Getenv("DATACOOP_JUDGE_KEY"))})
	}
	if j.Cassettes != "" {
		var next http.RoundTripper
		if !offline {
			next = &http.Transport{TLSHandshakeTimeout: 10 * time.Second, MaxIdleConnsPerHost: l.Parallel}
		}
		c, err := cassette.Open(j.Cassettes, next)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, c.Close()) }()
		l.Transport = c
	}
	return trial.RunLive(ctx, o, l)
}

package treasury

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace/appraisal"
	"distributed.ai/datacoop/marketplace/appraisal/llm"
)

// Models sets up judges: those that the charter names, and those of candidates.
type Models struct {
	Charter  coop.Charter
	Recorder llm.Recorder // keeps what was asked and answered
	Seed     llm.Secret
	Commit   func(context.Context, llm.Plan) error
	Logger   *slog.Logger
}

// errAddress says that members have not voted for where a candidate would send
// what it is asked.
var errAddress = errors.New("a model off this machine must be at an address that the charter names: members vote on where texts may go")

// Make sets up a judge without asking anybody. A model off this machine has to be
// at an address of the charter's; through a local server that passes questions on
// it has to be a model of the charter's, too. A family that is where the charter
// has it is sent the charter's key; any other gets one of its own, from
// DATACOOP_CANDIDATE_KEY_FAMILY, which names the host that may see it.
func (m Models) Make(c coop.Candidate) (appraisal.Judge, error) {
	config := llm.Config{AllowRemote: m.Charter.RemoteJudges, Prompt: c.Prompt, Seed: m.Seed, Recorder: m.Recorder, Commit: m.announce, Progress: m.progress, Logger: m.Logger}
	for _, one := range c.Judges {
		family := Family(one)
		if !slices.ContainsFunc(m.Charter.Judges, func(own coop.Model) bool { return own.Family == one.Family && own.BaseURL == one.BaseURL }) {
			family.APIKey = llm.NewSecret(candidateKey(one))
		}
		if err := m.allowed(one, family); err != nil {
			return nil, err
		}
		config.Families = append(config.Families, family)
	}
	judge, err := llm.New(config)
	if err != nil {
		return nil, err
	}
	return judge, nil
}

// announce says what each family is going to be asked and what that costs, before
// the first question, and commits to it.
func (m Models) announce(ctx context.Context, p llm.Plan) error {
	for _, f := range p.Families {
		m.log("a model is going to be asked", "what", f.Sentence(m.Charter.Currency))
	}
	if m.Commit == nil {
		return nil
	}
	return m.Commit(ctx, p)
}

// progress tells each tenth of the way.
func (m Models) progress(p llm.Progress) {
	if tenth := max(1, p.Total/10); p.Done%tenth == 0 || p.Done == p.Total {
		m.log("a model is being asked", "family", p.Family, "done", p.Done, "of", p.Total)
	}
}

func (m Models) log(message string, what ...any) {
	if m.Logger != nil {
		m.Logger.Info(message, what...)
	}
}

// allowed refuses a model off this machine that members have not voted for.
func (m Models) allowed(one coop.Model, family llm.Family) error {
	here := llm.Config{Families: []llm.Family{family}, Seed: m.Seed, Recorder: m.Recorder}
	if _, err := llm.New(here); !errors.Is(err, llm.ErrRemote) {
		return nil // it runs here, or is wrong in another way, which is told later
	}
	_, err := llm.New(llm.Config{Families: []llm.Family{family}, Seed: m.Seed, Recorder: m.Recorder, AllowRemote: true})
	if err != nil {
		return err
	}
	local := hostOf(one) == "localhost" || net.ParseIP(hostOf(one)) != nil
	for _, own := range m.Charter.Judges {
		if own.BaseURL == one.BaseURL && (!local || own.Name == one.Name) {
			return nil
		}
	}
	return errAddress
}

func hostOf(one coop.Model) string {
	u, err := url.Parse(one.BaseURL)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// candidateKey reads the key of a candidate's family: the host it is for, a
// space, and the key. To any other host none is sent.
func candidateKey(one coop.Model) string {
	variable := "DATACOOP_CANDIDATE_KEY_" + strings.ToUpper(strings.ReplaceAll(one.Family, "-", "_"))
	host, key, _ := strings.Cut(os.Getenv(variable), " ")
	if host == "" || host != hostOf(one) {
		return ""
	}
	return key
}

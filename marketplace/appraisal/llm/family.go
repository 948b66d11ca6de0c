package llm

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"

	"distributed.ai/datacoop/internal/coop"
)

// Family is one model at one endpoint. Families count as independent voices, so
// they should be different models and not one model under several roles.
type Family struct {
	Name    string // slug, such as "llama", as statements name it
	BaseURL string // such as http://127.0.0.1:11434/v1
	Model   string // as the endpoint calls it
	APIKey  Secret // sent as bearer token; may be empty

	// What a million tokens cost, in minor units of the co-op's currency, as far
	// as they cost anything; only estimates use them.
	PromptPrice, AnswerPrice coop.Money

	PerMinute int // calls, in place of Config's; 0 leaves that
}

// Secret is a text that shows itself to nobody: printing, logging or encoding
// it gives "[hidden]", and printing something that holds it deep inside gives an
// address. The zero value is the empty text.
type Secret struct{ text *string }

// NewSecret hides a text.
func NewSecret(text string) Secret { return Secret{&text} }

func (s Secret) reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

const concealed = "[hidden]"

// Format answers every verb of package fmt.
func (Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, concealed) }

// MarshalText answers encoders.
func (Secret) MarshalText() ([]byte, error) { return []byte(concealed), nil }

// LogValue answers package slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(concealed) }

const maxName = 200 // bytes of a model's name or an address

// checkFamilies refuses what could not be asked, or would not be a voice of its
// own.
func checkFamilies(families []Family, remote bool) error {
	if len(families) == 0 || len(families) > 9 {
		return ErrConfig.With("families: between 1 and 9")
	}
	names, models := map[string]bool{}, map[string]bool{}
	for _, f := range families {
		model := strings.TrimRight(f.BaseURL, "/") + " " + f.Model
		switch {
		case !coop.ValidSlug(f.Name) || names[f.Name]:
			return ErrConfig.With("families: every name must be a slug of its own")
		case f.Model == "" || f.Model != oneLine(f.Model, maxName):
			return ErrConfig.With("families: a model's name is missing or cannot be printed")
		case models[model]:
			return ErrConfig.With("families: one model under two names is one voice")
		case cloud(f.Model) && !remote:
			return ErrRemote
		case f.PromptPrice < 0 || f.AnswerPrice < 0 || f.PerMinute < 0:
			return ErrConfig.With("families: a price is negative")
		}
		if err := checkAddress(f.BaseURL, remote); err != nil {
			return err
		}
		names[f.Name], models[model] = true, true
	}
	return nil
}

func checkAddress(address string, remote bool) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || len(address) > maxName || u.Scheme != "http" && u.Scheme != "https":
		return ErrConfig.With("base URL: an http or https address")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || address != oneLine(address, maxName):
		return ErrConfig.With("base URL: no password, query or fragment; keys have a place of their own")
	case local(u.Hostname()):
		return nil
	case !remote:
		return ErrRemote
	case u.Scheme != "https":
		return ErrConfig.With("base URL: off this machine only https; a tunnel to a local address works too")
	}
	return nil
}

// local reports whether a host name or address is this machine's own. The
// connection checks again what the name resolved to.
func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// cloud reports whether a model is one that a local Ollama server only passes
// questions on to, which it marks by this ending.
func cloud(model string) bool {
	return strings.HasSuffix(model, "-cloud") || strings.HasSuffix(model, ":cloud")
}

// loopback reports whether the endpoint itself is on this machine.
func (f Family) loopback() bool {
	u, err := url.Parse(f.BaseURL)
	return err == nil && local(u.Hostname())
}

// local reports whether the model runs on this machine, as far as can be told.
func (f Family) local() bool { return f.loopback() && !cloud(f.Model) }

func (f Family) describe() string {
	where := "on another machine: blinded dossiers and texts of work leave this one"
	if f.local() {
		where = "on this machine"
	}
	return fmt.Sprintf("%s: the model %s at %s, %s.", f.Name, f.Model, f.BaseURL, where)
}

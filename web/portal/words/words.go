// Package words is what the portal's templates say things with: numbers, times
// and money as people write them, and words for every state.
//
// It says nothing wrong about what it does not know: a state without words is
// shown as it is, and a time left is never overstated.
package words

import (
	"fmt"
	"html/template"
	"regexp"
	"strings"
	"time"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/governance"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/vault"
	"distributed.ai/datacoop/web/portal/complaints"
	"distributed.ai/datacoop/web/portal/glossary"
	"distributed.ai/datacoop/web/portal/hearings"
)

// label is a state in a member's words, with the tone it is shown in: good,
// wait or off.
type label struct{ Text, Tone string }

// item is an entry of the menu.
type item struct {
	Path, Text string
	Current    bool
}

var datasetStates = map[string]label{
	vault.StateOpen:      {"Waiting for your file", "wait"},
	vault.StateUploading: {"On its way here", "wait"},
	vault.StateReceived:  {"Arrived, not finished", "wait"},
	vault.StateAvailable: {"Shared as you allow", "good"},
	vault.StateShredding: {"Revoked, being destroyed", "off"},
	vault.StateShredded:  {"Revoked and destroyed", "off"},
}

// pair hands two things to a template.
type pair struct{ First, Second any }

var consentStates = map[string]label{
	consent.StateAsPool: {"Follows the pool", "good"},
	"given":             {"Given", "good"},
	"refused":           {"Refused", "off"},
	"withdrawn":         {"Withdrawn", "off"},
	"expired":           {"Expired", "off"},
}

var proposalStates = map[string]label{
	string(governance.Rehearsing): {"Being tried", "wait"},
	string(governance.Voting):     {"Open for votes", "wait"},
	string(governance.Passed):     {"Passed, starts soon", "good"},
	string(governance.Enacted):    {"Enacted", "good"},
	string(governance.Rejected):   {"Rejected", "off"},
	string(governance.NoQuorum):   {"Too few votes", "off"},
	string(governance.Void):       {"Could not start", "off"},
}

var workStates = map[string]label{
	string(governance.Submitted): {"Waiting for reviews", "wait"},
	string(governance.Accepted):  {"Accepted", "good"},
	string(governance.Declined):  {"Declined", "off"},
}

var workKinds = map[string]string{
	string(governance.WorkGit):      "Code or other work in git",
	string(governance.WorkDocument): "A text or document",
	string(governance.WorkDesign):   "Design",
	string(governance.WorkSupport):  "Helping other members",
	string(governance.WorkDuty):     "A duty the co-op asked for",
	string(governance.WorkOther):    "Something else",
}

var sizes = map[int]string{1: "about an hour", 2: "some hours", 3: "about a day", 4: "several days", 5: "weeks"}

var periodStates = map[string]label{
	marketplace.PeriodOpen:     {"Running", "wait"},
	marketplace.PeriodClosed:   {"Statement can be contested", "wait"},
	marketplace.PeriodSettled:  {"Settled, not paid out yet", "good"},
	marketplace.PeriodReleased: {"Paid out", "good"},
}

var appealStates = map[string]label{
	marketplace.AppealOpen:      {"Waiting for an answer", "wait"},
	marketplace.AppealUpheld:    {"Upheld", "good"},
	marketplace.AppealDismissed: {"Dismissed", "off"},
}

var layers = map[string]string{
	policies.LayerBase:   "The co-op’s basic law says",
	policies.LayerCoop:   "The members’ vote says",
	policies.LayerMember: "Your own answer says",
}

var offices = map[coop.Office]string{coop.Vetting: "Vetting", coop.Treasury: "Treasury", coop.Appeals: "Appeals"}

// lines names the kinds of evidence that a share is made of.
var lines = map[string]string{
	"data": "Data that was read", "stipend": "Data kept available", "work": "Work", "governance": "Duties",
	"commission": "Running the platform", "reserve": "Reserve", "purpose": "Common purpose", "members": "Members",
	"unclaimed": "Claimed by nobody", "investors": "Investors",
}

// Funcs is what templates can say with.
var Funcs = template.FuncMap{
	"day":       func(ms int64) string { return at(ms).Format("2 January 2006") },
	"moment":    func(ms int64) string { return at(ms).Format("2 January 2006, 15:04 UTC") },
	"iso":       func(ms int64) string { return at(ms).Format(time.RFC3339) },
	"instant":   func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") },
	"month":     month,
	"forever":   func(ms int64) bool { return ms == 0 || ms >= coop.Forever },
	"money":     func(m any, c coop.Currency) string { return minor(m).Format(c) },
	"percent":   percent,
	"percent64": func(permille int) string { return percent(int64(permille)) },
	"contact":   Contact,
	"reach":     func(contact string) string { return strings.TrimPrefix(contact, "mailto:") },
	"tag":       func(text, tone string) label { return label{text, tone} },
	"link": func(path, to, text string) item {
		return item{to, text, path == to || to != "/" && strings.HasPrefix(path, to+"/")}
	},
	"count":    Count,
	"signed":   Signed,
	"glossary": glossary.All,
	"bytes":    bytesize,
	"purpose":  coop.Purpose.Plain,
	"pair":     func(a, b any) pair { return pair{a, b} },
	"disease":  func(code string) string { return coop.Label(coop.Diseases(), code) },
	"studies": func(kinds []string) string {
		out := make([]string, 0, len(kinds))
		for _, k := range kinds {
			out = append(out, coop.Label(coop.Studies(), k))
		}
		return strings.Join(out, ", ")
	},
	"kind":   func(code string) string { return LabelOf(coop.RequesterKinds(), code) },
	"layer":  func(l string) string { return layers[l] },
	"line":   func(kind string) string { return Or(lines[kind], kind) },
	"office": func(o coop.Office) string { return offices[o] },
	"workKind": func(k governance.WorkKind) string {
		return Or(workKinds[string(k)], string(k))
	},
	"size":     func(n int) string { return sizes[n] },
	"dataset":  stateFunc(datasetStates),
	"consent":  stateFunc(consentStates),
	"proposal": func(s governance.State) label { return stateFunc(proposalStates)(string(s)) },
	"workTag":  func(s governance.WorkState) label { return stateFunc(workStates)(string(s)) },
	"period":   stateFunc(periodStates),
	"appeal":   stateFunc(appealStates),

	"plainly": complaints.Words,
	"disputeTag": func(state string) label {
		text, tone := complaints.State(state)
		return label{text, tone}
	},

	"panelKind": hearings.Kind,
	"panelFact": hearings.Fact,
	"short":     func(id string) string { return id[max(0, len(id)-8):] },
	"join":      strings.Join,
}

// stateFunc finds the words for a state, or shows the state as it is.
func stateFunc(m map[string]label) func(string) label {
	return func(s string) label {
		if l, ok := m[s]; ok {
			return l
		}
		return label{s, "wait"}
	}
}

func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// month writes "2026-03" as "March 2026".
func month(s string) string {
	t, err := time.Parse("2006-01", s)
	if err != nil {
		return s
	}
	return t.Format("January 2006")
}

func minor(m any) coop.Money {
	switch m := m.(type) {
	case coop.Money:
		return m
	case int64:
		return coop.Money(m)
	}
	return 0
}

// percent writes thousandths, 875 as 87.5 %, with a space that does not break.
func percent(permille int64) string {
	if permille%10 == 0 {
		return fmt.Sprintf("%d\u00a0%%", permille/10)
	}
	return fmt.Sprintf("%d.%d\u00a0%%", permille/10, permille%10)
}

// Count writes a number with its noun: "1 dataset", "3 datasets".
func Count(n any, one, many string) string {
	v := fmt.Sprint(n)
	if v == "1" {
		return "1 " + one
	}
	if v == "0" {
		v = "no"
	}
	return v + " " + many
}

// ones are the counts that may be one in sentences of statements signed before
// the formula "patronage-3", which says one as "one".
var ones = []struct {
	many *regexp.Regexp
	one  string
}{
	{regexp.MustCompile(`\b1 (day|size point|fixed point)s\b`), "1 $1"},
	{regexp.MustCompile(`\b1 dossiers were flagged for people to look at; they cost\b`), "1 dossier was flagged for people to look at; it cost"},
}

// Signed mends a sentence of a signed statement that counts to one. What was
// signed can be computed again byte for byte and so stays as it is; only what
// people read in English is mended, because another language says it anew.
func Signed(sentence, language string) string {
	if language != "en" {
		return sentence
	}
	for _, o := range ones {
		sentence = o.many.ReplaceAllString(sentence, o.one)
	}
	return sentence
}

// bytesize writes a size the way file managers do, in powers of ten.
func bytesize(n int64) string {
	units := []string{"kB", "MB", "GB", "TB"}
	if n < 1000 {
		return fmt.Sprintf("%d bytes", n)
	}
	v, i := float64(n)/1000, 0
	for v >= 1000 && i < len(units)-1 {
		v, i = v/1000, i+1
	}
	return fmt.Sprintf("%.1f %s", v, units[i])
}

// LabelOf finds the words for a code, or shows the code.
func LabelOf(terms []coop.Term, code string) string {
	for _, t := range terms {
		if t.Code == code {
			return t.Label
		}
	}
	return code
}

// Or is a text, or another in the place of none.
func Or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// Left says how long it is until a moment, in the roundest words that are true.
func Left(from, to int64) string {
	d := time.Duration(to-from) * time.Millisecond
	switch {
	case d <= 0:
		return "now"
	case d < time.Hour:
		return "in less than an hour"
	case d < 48*time.Hour:
		return "in " + Count(int(d/time.Hour), "hour", "hours")
	}
	return "in " + Count(int(d/(24*time.Hour)), "day", "days")
}

// Contact makes a charter's contact the URI that RFC 9116 asks for.
func Contact(contact string) string {
	if strings.Contains(contact, ":") {
		return contact
	}
	if strings.Contains(contact, "@") {
		return "mailto:" + contact
	}
	return "https://" + contact
}

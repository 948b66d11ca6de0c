package language

import (
	"html/template"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestASentenceIsOneMessageWhateverStandsInIt(t *testing.T) {
	for source, want := range map[string][]string{
		`<p>Nobody gets any of your data.</p>`:                                 {"Nobody gets any of your data."},
		"<p>Two\n   lines</p><p>and more</p>":                                  {"Two lines", "and more"},
		`<li><a href="/data">My data</a></li>`:                                 {"My data"},
		`<p>Go to <a href="{{.Path}}">{{.Title}}</a>, then <em>look</em>.</p>`: {"Go to <1>{1}</1>, then <2>look</2>."},
		`<p>{{money .A $.C}} was paid on {{template "day" .At}}.</p>`:          {"{1} was paid on {2}."},
		`<p>{{if .A}}It was.{{else}}It was not.{{end}}</p>`:                    {"It was.", "It was not."},
		`<p>{{/* said by nobody */}}{{.Name}}</p>`:                             nil,
		`<p>{{$x := .A}}{{with .B}}Yes{{end}}</p>`:                             {"Yes"},
		`<img src="x" alt="A mark"><input placeholder="Your words">`:           {"A mark", "Your words"},
		`<nav aria-label="{{.N}} pages"></nav>`:                                {"{1} pages"},
		`{{template "tag" (tag "To do" "wait")}}`:                              {"To do"},
		`{{template "item" (link .Path "/" "Home")}}`:                          {"Home"},
		`<p>{{count .N "row" "rows"}} left</p>`:                                {"row", "rows", "{1} left"},
		`<pre>datacoop verify {{.File}}</pre><p>So</p>`:                        {"So"},
		`<p>a < b and "}}" {{print "}}"}} c</p>`:                               {`a < b and "}}" {1} c`},
		`<p>100&nbsp;%</p>`:                                                    nil,
	} {
		if got := Messages(source); !slices.Equal(got, want) {
			t.Errorf("%s\n got %q\nwant %q", source, got, want)
		}
	}
}

func TestATranslationMayTurnASentenceRound(t *testing.T) {
	c, err := Read([]byte(`{"language":"de","name":"Deutsch","messages":{
		"Go to <1>{1}</1>, then <2>look</2>.":"Zum <2>Ansehen</2> nach <1>{1}</1> gehen.",
		"row":"Zeile","rows":"Zeilen","{1} left":"Noch {1}","A mark":"Ein Zeichen","Refused":"Abgelehnt"}}`))
	if err != nil {
		t.Fatal(err)
	}
	for source, want := range map[string]string{
		`<p>Go to <a href="{{.Path}}">{{.Title}}</a>, then <em>look</em>.</p>`: `<p>Zum <em>Ansehen</em> nach <a href="{{.Path}}">{{say (.Title)}}</a> gehen.</p>`,
		"<p>\n {{count .N \"row\" \"rows\"}} left\n</p>":                       "<p>\n Noch {{say (count .N \"Zeile\" \"Zeilen\")}}\n</p>",
		`<img alt="A mark">{{- .Name -}}`:                                      `<img alt="Ein Zeichen">{{- say (.Name) -}}`,
		`<p>{{$none = true}}{{$none}}</p>`:                                     `<p>{{$none = true}}{{say ($none)}}</p>`,
		`<p>Nobody has said this.</p>`:                                         `<p>Nobody has said this.</p>`,
		`{{template "tag" (tag "Refused" "off")}}`:                             `{{template "tag" (tag "Abgelehnt" "off")}}`,
	} {
		if got := c.Page(source); got != want {
			t.Errorf("%s\n got %s\nwant %s", source, got, want)
		}
	}
	if source := "<p>Any</p>"; (*Catalogue)(nil).Page(source) != source {
		t.Error("English was changed")
	}
}

func TestWhatTheRoomsSayIsSaidToo(t *testing.T) {
	c, err := Read([]byte(`{"language":"de","name":"Deutsch","messages":{
		"The price is too low.":"Der Preis ist zu niedrig.","You earned {1} for {2}.":"Für {2} bekommst du {1}.",
		"{1} days":"{1} Tage","You earned {1} for your work.":"Deine Arbeit: {1}."}}`))
	if err != nil {
		t.Fatal(err)
	}
	for english, want := range map[string]string{
		"The price is too low.":             "Der Preis ist zu niedrig.",
		"You earned 3 € for 4 days.":        "Für 4 Tage bekommst du 3 €.",
		"You earned 3 € for your work.":     "Deine Arbeit: 3 €.",
		"Ada":                               "Ada",
		"":                                  "",
		"You earned nothing.":               "You earned nothing.",
		strings.Repeat("5", 3000) + " days": strings.Repeat("5", 3000) + " days",
	} {
		if got := c.Say(english); got != want {
			t.Errorf("%q is said %q, not %q", english, got, want)
		}
	}
}

// What scripts alone say is theirs to fill: "{1} of {2}" would fit what anybody
// wrote.
func TestWhatOnlyScriptsSayFitsNothingElse(t *testing.T) {
	list, err := scripts()
	if err != nil {
		t.Fatal(err)
	}
	const own, other = "The code has {1} characters. You typed {2}.", "About {1}"
	if !slices.Contains(list.Own, own) || slices.Contains(slices.Concat(list.Own, list.Shared), other) {
		t.Fatal("the sentences of scripts are others now")
	}
	c, err := Read([]byte(`{"language":"de","name":"D","messages":{"` + own + `":"{1} Zeichen, nicht {2}.","` + other + `":"Zu {1}"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if said := c.Say("The code has 5 characters. You typed 6."); !strings.HasPrefix(said, "The code") {
		t.Errorf("a room's text is said %q", said)
	}
	script := string(c.script.body)
	if !strings.Contains(script, "{1} Zeichen, nicht {2}.") || strings.Contains(script, "Zu {1}") || c.Script() == "" || (*Catalogue)(nil).Script() != "" {
		t.Errorf("the scripts get %s at %q", script, c.Script())
	}
}

// A text made to be looked up again and again is not.
func TestWhatPeopleWriteCostsLittle(t *testing.T) {
	c, err := Read([]byte(`{"language":"de","name":"D","messages":{"{1} days":"{1} Tage"}}`))
	if err != nil {
		t.Fatal(err)
	}
	text := "a" + strings.Repeat(" days", 50)
	if got := strings.Count(c.Say(text), "Tage"); got != deepest {
		t.Errorf("%d of its places were looked up", got)
	}
	if text = "a" + strings.Repeat(" days", 380); c.Say(text) != text {
		t.Error("a long text was looked up")
	}
}

func TestATranslationBreaksNoPage(t *testing.T) {
	for why, file := range map[string]string{
		"no language":    `{"language":"","name":"X","messages":{}}`,
		"no name":        `{"language":"de","name":"","messages":{}}`,
		"a lost place":   `{"language":"de","name":"D","messages":{"{1} rows":"Zeilen"}}`,
		"another place":  `{"language":"de","name":"D","messages":{"{1} rows":"{2} Zeilen"}}`,
		"a lost link":    `{"language":"de","name":"D","messages":{"<1>Go</1>":"<1>Los"}}`,
		"markup":         `{"language":"de","name":"D","messages":{"Go":"<b>Los</b>"}}`,
		"an action":      `{"language":"de","name":"D","messages":{"Go":"{{.Secret}}"}}`,
		"a quote":        `{"language":"de","name":"D","messages":{"Go":"Los\" onclick=\"x"}}`,
		"two lines":      `{"language":"de","name":"D","messages":{"Go":"Los\n- los"}}`,
		"silence":        `{"language":"de","name":"D","messages":{"Go":" "}}`,
		"a strange word": `{"language":"de","name":"D","sentences":{}}`,
		"no object":      `[]`,
	} {
		if _, err := Read([]byte(file)); err == nil {
			t.Errorf("a catalogue with %s was read", why)
		}
	}
}

// Whatever a template says, its pages in other languages parse where it does.
func FuzzPage(f *testing.F) {
	for _, source := range []string{`<p>Go {{.A}} <a href="{{.B}}">on</a></p>`, `{{if .A}}a{{else}}b{{end}}`, `<`, `{{`, `<a "`, "{{`}}`}}", `{{/* }} */}}x`} {
		f.Add(source)
	}
	f.Fuzz(func(t *testing.T, source string) {
		if !utf8.ValidString(source) {
			return // a catalogue is JSON, which holds none such
		}
		c := shout(Messages(source))
		parse := func(s string) error {
			_, err := template.New("").Funcs(c.funcs()).Funcs(template.FuncMap{"count": func(...any) string { return "" }, "tag": func(...any) string { return "" }, "link": func(...any) string { return "" }}).Parse(s)
			return err
		}
		if parse(source) != nil {
			return
		}
		if err := parse(c.Page(source)); err != nil {
			t.Errorf("%q parses, %q does not: %v", source, c.Page(source), err)
		}
	})
}

// shout is a catalogue that says everything in brackets.
func shout(messages []string) *Catalogue {
	c := &Catalogue{Tag: "en-x-shout", Name: "Shout", messages: map[string]string{}}
	for _, m := range messages {
		c.messages[m] = "⟦" + m + "⟧"
	}
	c.patterns = patterns(c.messages)
	return c
}

package trial

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"distributed.ai/datacoop/marketplace/appraisal/checklist"
)

// sentence is one way of stating a kind of fact, in two languages. %d is a
// number drawn for the text.
type sentence struct{ en, de string }

// said are the sentences that texts are made of, by kind of statement. A model
// that reads finds in them what the table says is there.
var said = map[string][]sentence{
	"need": {
		{"The need came from %d members who could not tell which of their uploads had been read.", "Der Bedarf kam von %d Mitgliedern, die nicht erkennen konnten, welche ihrer Daten gelesen wurden."},
		{"It answers a problem that %d people reported: the form forgot half of what was entered.", "Es löst ein Problem, das %d Personen gemeldet haben: Das Formular vergaß die Hälfte der Eingaben."},
	},
	"change": {
		{"What was done: the list of uses was rebuilt, with %d old screens removed.", "Was getan wurde: Die Liste der Nutzungen wurde neu gebaut, %d alte Ansichten fielen weg."},
		{"What was made is a new form with %d fields in place of three pages.", "Entstanden ist ein neues Formular mit %d Feldern anstelle von drei Seiten."},
	},
	"result": {
		{"The result is in use since the first of the month, on %d machines.", "Das Ergebnis ist seit Monatsbeginn auf %d Geräten in Gebrauch."},
		{"As a result the page can be opened by all members now; %d have done so.", "Als Ergebnis können alle Mitglieder die Seite öffnen; %d haben es getan."},
	},
	"others": {
		{"Besides the author, %d members who share energy data gain from it.", "Außer der Verfasserin haben %d Mitglieder, die Energiedaten teilen, etwas davon."},
		{"Others gain too: new members need %d minutes less to begin.", "Auch andere gewinnen: Neue Mitglieder brauchen %d Minuten weniger für den Anfang."},
	},
	"checked": {
		{"It was checked by a second reader, who found %d mistakes that are corrected.", "Es wurde von einer zweiten Person geprüft, die %d Fehler fand; sie sind behoben."},
		{"It was checked with %d new tests, which fail without the change.", "Es wurde mit %d neuen Tests geprüft, die ohne die Änderung scheitern."},
	},
	"measured": {
		{"Measured before and after, failed uploads fell from %d in a hundred to two.", "Vorher und nachher gemessen fielen gescheiterte Übertragungen von %d auf zwei von hundert."},
		{"The measured time to find a receipt fell from %d seconds to five.", "Die gemessene Zeit, eine Quittung zu finden, fiel von %d auf fünf Sekunden."},
	},
	"limits": {
		{"Its limits are stated: exports older than %d years are left out.", "Die Grenzen sind genannt: Exporte, die älter als %d Jahre sind, fehlen."},
		{"It has limits that are written down; %d cases remain open.", "Es hat Grenzen, die aufgeschrieben sind; %d Fälle sind offen."},
	},
	"handover": {
		{"A handover of %d pages says how to go on, step by step.", "Eine Übergabe von %d Seiten sagt Schritt für Schritt, wie es weitergeht."},
		{"For a handover the %d settings are documented beside the code.", "Für die Übergabe sind die %d Einstellungen neben dem Code beschrieben."},
	},
	"sources": {
		{"Its sources are %d published guides, each with its title.", "Die Quellen sind %d veröffentlichte Anleitungen, jede mit Titel."},
		{"It builds on earlier work and names its %d sources.", "Es baut auf früherer Arbeit auf und nennt seine %d Quellen."},
	},
	"choices": {
		{"There are reasons for the order of the %d steps, and the alternative is described.", "Für die Reihenfolge der %d Schritte gibt es Gründe, und die Alternative ist beschrieben."},
		{"The reasons for a list in place of %d tabs are given.", "Die Gründe für eine Liste anstelle von %d Reitern sind genannt."},
	},
	"access": {
		{"There is access for people who cannot see well: %d tried it with a screen reader.", "Auch wer schlecht sieht, kommt zurecht: %d haben es mit einem Vorleseprogramm versucht."},
		{"It gives access without a phone; %d members use it on paper.", "Es geht auch ohne Telefon; %d Mitglieder nutzen es auf Papier."},
	},
	"care": {
		{"It takes care of consent: nothing of the %d fields leaves before a yes.", "Es achtet auf die Einwilligung: Keines der %d Felder geht vor einem Ja hinaus."},
		{"With care for privacy the examples show %d invented people and no real one.", "Aus Rücksicht auf die Privatsphäre zeigen die Beispiele %d erfundene Personen und keine echte."},
	},
}

// idle are sentences that state nothing of any kind.
var idle = []string{
	"The afternoon went by as afternoons do.", "There was coffee, and later there was tea.", "Some weeks are longer than others.",
	"It rained on the way there and not on the way back.", "One can look at these things from several sides.",
	"The train was late, which surprised nobody.", "So it goes with many things.", "The room was warm and the window stayed open.",
	"People came and people left.", "It would be easy to say more about this.", "The calendar was full and then it was empty.",
	"A great deal has been said on such occasions.",
}

// sheetOf are the kinds of statement that a class of work is asked about.
func sheetOf(class string) (kinds []string) {
	for _, q := range checklist.All().Sheets["work-"+class] {
		if q.Known {
			kinds = append(kinds, q.ID)
		}
	}
	return kinds
}

// tell writes a text with one number, German where asked for, that states these
// kinds and nothing else.
func tell(rnd *rand.Rand, number int, kinds []string, german bool) string {
	lines := []string{idle[rnd.IntN(len(idle))]}
	for _, kind := range kinds {
		s, n := said[kind][rnd.IntN(2)], 3+rnd.IntN(40)
		if german {
			lines = append(lines, fmt.Sprintf(s.de, n))
		} else {
			lines = append(lines, fmt.Sprintf(s.en, n))
		}
	}
	rnd.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	return fmt.Sprintf("Entry %d of the log. ", number) + strings.Join(lines, " ")
}

// padded is a text twice as long that states nothing more.
func padded(rnd *rand.Rand, text string) string {
	for out := text; ; {
		if out += " " + idle[rnd.IntN(len(idle))]; len(out) >= 2*len(text) {
			return out
		}
	}
}

// some draws n of a list, in an order of their own.
func some(rnd *rand.Rand, list []string, n int) []string {
	out := slices.Clone(list)
	rnd.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out[:n]
}

package notice

import (
	"testing"

	"distributed.ai/datacoop/internal/coop"
)

func TestOtherModelsThatAreAskedAreNamedOnce(t *testing.T) {
	own, other := coop.Model{Name: "m", BaseURL: "http://localhost:1/v1"}, coop.Model{Name: "n", BaseURL: "https://voted.example/v1"}
	got := Judges(coop.Charter{Judges: []coop.Model{own}}, own, other)
	if len(got) != 2 || got[1] != (Judge{"n", "voted.example", true}) {
		t.Errorf("%+v", got)
	}
}

func TestAMachineOfSomebodyElseIsNamed(t *testing.T) {
	for address, want := range map[string]Judge{
		"http://127.0.0.1:11434/v1":           {"m", "127.0.0.1", false},
		"http://[::1]:8080/v1":                {"m", "::1", false},
		"http://localhost:8000/v1":            {"m", "localhost", false},
		"https://api.example.com/v1":          {"m", "api.example.com", true},
		"http://10.0.0.7:8000":                {"m", "10.0.0.7", true},
		"https://localhost.example.com/v1":    {"m", "localhost.example.com", true},
		"://":                                 {"m", "an address that cannot be read", true},
		"":                                    {"m", "an address that cannot be read", true},
		"http://127.0.0.1.evil.example:80/v1": {"m", "127.0.0.1.evil.example", true},
	} {
		got := Judges(coop.Charter{Judges: []coop.Model{{Name: "m", BaseURL: address}}})[0]
		if got != want {
			t.Errorf("%s: %+v", address, got)
		}
		if Remote([]Judge{got}) != want.Remote || Remote(nil) {
			t.Errorf("%s: remote", address)
		}
	}
}

package document

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// What documents render to is Rego that the linter of the law book finds nothing
// in: REGAL says where it is, if it is not on the path.
func TestRenderedRegoIsCleanForRegal(t *testing.T) {
	regal, err := exec.LookPath(cmp.Or(os.Getenv("REGAL"), "regal"))
	if err != nil {
		t.Skip("regal is not here; .ci/run builds it and sets REGAL")
	}
	config, err := filepath.Abs("../.regal/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"default": string(Default()), "narrow": narrow, "wide": wide} {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, "access.rego"), mustParse(t, text).Rego(), 0o600); err != nil {
			t.Fatal(err)
		}
		// The entrypoint of the law book is in the kernel, which is not linted here.
		out, err := exec.CommandContext(t.Context(), regal, "lint", "--config-file", config, "--disable", "no-defined-entrypoint", folder).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// wide says of every subject everything that can be said of it.
const wide = `{"rules":[
	{"code":"r-a","effect":"forbid","title":"All of it","description":"Why so: because.","when":[{"about":"requester-vetted","is":"yes"},{"about":"commercial","is":"no"},{"about":"requester-kind","is":"none-of","values":["company","university"]}]},
	{"code":"r-b","effect":"forbid","title":"True","when":[{"about":"requester-country","is":"within","values":["EEA","CH","GB"]},{"about":"purpose","is":"outside","values":["DUO:0000006","DUO:0000011"]},{"about":"use","is":"outside","values":["PublicBenefit"]}]},
	{"code":"r-c","effect":"review","title":"# no comment","when":[{"about":"purpose","is":"clear-of","values":["DUO:0000007"]},{"about":"use","is":"touching","values":["CommercialResearch"]},{"about":"data","is":"outside","values":["Location"]}]},
	{"code":"r-d","effect":"review","title":"{\"a\": 1}","when":[{"about":"data","is":"clear-of","values":["Financial","MedicalHealth"]},{"about":"member-country","is":"outside","values":["EU","NO","US"]},{"about":"pool","is":"none-of","values":["glucose","bank"]}]},
	{"code":"r-e","effect":"oblige","title":"Yes, a duty","sentence":"Say \"thank you\" & come < back > soon.","days":7,"when":[{"about":"price","is":"at-least","number":1},{"about":"retention","is":"at-most","number":3650},{"about":"purpose","is":"within","values":["DUO:0000042"]}]},
	{"code":"r-f","effect":"oblige","title":"Ünïcode title","duty":"name-the-source"}]}`

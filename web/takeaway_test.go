package web_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// takeaway is what a member's export holds, by file.
func (h *house) takeaway(token string) map[string]string {
	h.t.Helper()
	a := h.call("GET", "/v1/me/export", token, "")
	if a.status != http.StatusOK || a.header.Get("Content-Type") != "application/zip" || !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment;") {
		h.t.Fatalf("%d %v", a.status, a.header)
	}
	z, err := zip.NewReader(bytes.NewReader(a.body), int64(len(a.body)))
	ok(h.t, err)
	out := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		ok(h.t, err)
		text, err := io.ReadAll(r)
		ok(h.t, err)
		out[f.Name] = string(text)
	}
	return out
}

// TestAMemberTakesEverythingAlong reads what the busiest member of a village
// takes home, and what a neighbour does.
func TestAMemberTakesEverythingAlong(t *testing.T) {
	v := openVillage(t)
	eva, finn := v.takeaway(v.bearer["eva"]), v.takeaway(v.bearer["finn"])
	id := v.things["/v1/datasets"]
	if own := v.call("GET", "/v1/datasets/"+id+"/content", v.bearer["eva"], ""); eva["datasets/"+id+".age"] != string(own.body) {
		t.Error("her ciphertext is not hers byte for byte")
	}
	for _, name := range []string{"datasets", "consents", "uses", "approvals", "appeals", "contributions", "claims", "votes", "tokens"} {
		var list []map[string]any
		if err := json.Unmarshal([]byte(eva[name+".json"]), &list); err != nil || len(list) == 0 {
			t.Errorf("%s.json has nothing: %v %.80s", name, err, eva[name+".json"])
			continue
		}
		rows, err := csv.NewReader(strings.NewReader(eva[name+".csv"])).ReadAll()
		if err != nil || len(rows) != len(list)+1 {
			t.Errorf("%s.csv has %d rows for %d: %v", name, len(rows), len(list), err)
		}
		if !strings.Contains(eva["READ ME.txt"], name+".json") {
			t.Errorf("nobody is told what %s is", name)
		}
	}
	var receipts int
	for name := range eva {
		if strings.HasPrefix(name, "receipts/consent-") {
			receipts++
		}
	}
	if receipts == 0 {
		t.Error("no receipt of a consent")
	}
	for name, text := range finn {
		for _, secret := range []string{id, v.bearer["finn"]} {
			if strings.Contains(text, secret) {
				t.Errorf("%s of finn's holds what is not to be there", name)
			}
		}
	}
	var me struct{ ID string }
	ok(t, json.Unmarshal([]byte(eva["me.json"]), &me))
	for name, text := range finn {
		if strings.Contains(text, me.ID) {
			t.Errorf("%s of finn's names eva", name)
		}
	}
}

// elsewhere are routes under /v1/me whose answers the export has under another
// name, or as a part of one.
var elsewhere = map[string]string{"consents/records": "consents"}

// TestTheExportMissesNothing finds a part for every list and document that the
// API answers a member about themselves.
func TestTheExportMissesNothing(t *testing.T) {
	h := openHouse(t)
	_, token := h.member("bea")
	files := h.takeaway(token)
	var api struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	ok(t, json.Unmarshal(h.call("GET", "/openapi.json", "", "").body, &api))
	seen := 0
	for path, methods := range api.Paths {
		name, under := strings.CutPrefix(path, "/v1/me/")
		if methods["get"] == nil || !under || strings.Contains(name, "{") || name == "export" {
			continue
		}
		seen++
		if other, moved := elsewhere[name]; moved {
			name = other
		}
		if _, there := files[name+".json"]; !there {
			t.Errorf("GET %s answers something that the export lacks", path)
		}
	}
	if seen < 7 {
		t.Errorf("only %d routes were found", seen)
	}
}

// TestSigningOutEverywhereEndsEverySession signs in twice and out once.
func TestSigningOutEverywhereEndsEverySession(t *testing.T) {
	h := openHouse(t)
	here, there, other := h.browse("bea"), h.browse("bea"), h.browse("cem")
	_, token := h.member("bea")
	if a := h.call("POST", "/v1/me/sessions/end", token, ""); a.status != http.StatusNoContent {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for _, b := range []*browser{here, there} {
		if page := b.get("/data"); strings.HasPrefix(page.path, "/data") {
			t.Errorf("still signed in: %d %s", page.status, page.path)
		}
	}
	if page := other.get("/data").is(http.StatusOK); page.path != "/data" {
		t.Error("somebody else was signed out")
	}
	other.post("/tokens/sign-out", nil)
	if page := other.get("/data"); page.path == "/data" {
		t.Error("the button signs nobody out")
	}
	if a := h.call("GET", "/v1/me", token, ""); a.status != http.StatusOK {
		t.Error("the token of a program is no session")
	}
}

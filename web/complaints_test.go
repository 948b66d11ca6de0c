package web_test

import (
	"net/http"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/coop"
)

// TestAComplaintGoesWhereTheCharterSays: in the foot of every page and wherever a
// complaint is spoken of; questions go to the co-op's contact as before.
func TestAComplaintGoesWhereTheCharterSays(t *testing.T) {
	h := openHouse(t, func(h *house) { h.people = coop.People{Complaints: "mailto:complaints@coop.example"} })
	const foot = `<a href="mailto:complaints@coop.example">Complaints</a>`
	for _, path := range []string{"/", "/help", "/privacy", "/about"} {
		page := h.stranger().get(path).is(http.StatusOK)
		if strings.Count(page.text, foot) != 1 {
			t.Errorf("the foot of %s leads elsewhere", path)
		}
		if wanted := path != "/"; wanted != strings.Contains(strings.ReplaceAll(page.text, foot, ""), "mailto:complaints@coop.example") {
			t.Errorf("%s names where a complaint goes: %v", path, !wanted)
		}
	}
	h.stranger().get("/privacy").says("with any question. A complaint goes to complaints@coop.example")
}

package web_test

import (
	"net/http"
	"testing"

	"distributed.ai/datacoop/internal/coop"
)

// TestThePrivacyNoticeNamesWhereModelsRun: the one beside the server and the one
// elsewhere, and of the latter what leaves the co-op.
func TestThePrivacyNoticeNamesWhereModelsRun(t *testing.T) {
	const leaves = "What is asked of a model on another machine leaves the co-op"
	near := coop.Model{Family: "near", BaseURL: "http://127.0.0.1:11434/v1", Name: "near-model"}
	far := coop.Model{Family: "far", BaseURL: "https://models.example/v1", Name: "far-model"}
	h := openHouse(t, func(h *house) { h.models = []coop.Model{near} })
	h.stranger().get("/privacy").is(http.StatusOK).says("near-model runs beside our server, at 127.0.0.1").keepsQuiet(leaves)
	h = openHouse(t, func(h *house) { h.models = []coop.Model{near, far} })
	h.stranger().get("/privacy").is(http.StatusOK).says("near-model runs beside our server", "far-model runs on a machine of somebody else: models.example", leaves)
}

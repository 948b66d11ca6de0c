package fakellm_test

import (
	"testing"

	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/appraisal/fakellm"
)

func TestPublishedSeedsAreRead(t *testing.T) {
	root, ok := testkit.Fixtures()
	if !ok {
		t.Skip("no fixtures")
	}
	testkit.Fixture(t, "17-prompt-injection")
	seeds, err := fakellm.PublishedSeeds(root)
	if err != nil || len(seeds) < 100 {
		t.Errorf("%d seeds, %v", len(seeds), err)
	}
	if seeds, err := fakellm.PublishedSeeds(t.TempDir()); len(seeds) != 0 || err != nil {
		t.Errorf("from nowhere %d seeds, %v", len(seeds), err)
	}
}

package web_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var linked = regexp.MustCompile(`(?:href|src)="(/(?:static|islands)/[^"]+\.(?:css|js|svg))"`)

// TestTheFirstPagesAreLight weighs what a browser without a cache fetches for a
// page, as it is sent: the page, its styles, pictures and scripts with their
// Worker. The reducer comes once a file was chosen.
func TestTheFirstPagesAreLight(t *testing.T) {
	const most = 150_000
	h := openHouse(t)
	eva := h.browse("eva")
	packed := []string{"Accept-Encoding", "gzip"}
	for _, path := range []string{"/", "/key", "/data/add"} {
		var files []string
		for _, m := range linked.FindAllStringSubmatch(eva.get(path).is(http.StatusOK).text, -1) {
			files = append(files, m[1])
			if dir, _, script := strings.Cut(m[1], "/own.js"); script {
				files = append(files, dir+"/worker.js")
			}
			if dir, _, script := strings.Cut(m[1], "/add.js"); script {
				files = append(files, dir+"/worker.js")
			}
		}
		slices.Sort(files)
		sum := len(eva.get(path, packed...).text)
		for _, file := range slices.Compact(files) {
			sum += len(eva.get(file, packed...).is(http.StatusOK).text)
		}
		if t.Logf("%s: %d bytes in %d files", path, sum, len(files)+1); len(files) < 3 || sum > most {
			t.Errorf("%s weighs %d bytes in %d files, at most %d", path, sum, len(files)+1, most)
		}
	}
}

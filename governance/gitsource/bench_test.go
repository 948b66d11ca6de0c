package gitsource

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// historyOf makes a packed repository of n commits, a tenth of them merges, in
// forty folders of fifty files.
func historyOf(b *testing.B, n int) string {
	b.Helper()
	var in bytes.Buffer
	when := start.Unix()
	commit := func(mark int, who, extra, file string) {
		when += 3600
		message := fmt.Sprintf("Change %d\n\nWhy it was needed, in two\nlines of text.\n\nSigned-off-by: %s <%s@coop.test>\n", mark, who, who)
		fmt.Fprintf(&in, "commit refs/heads/main\nmark :%d\nauthor %s <%s@coop.test> %d +0000\ncommitter %s <%s@coop.test> %d +0000\ndata %d\n%s%s",
			mark, who, who, when, who, who, when, len(message), message, extra)
		if file != "" {
			content := fmt.Sprint(mark)
			fmt.Fprintf(&in, "M 100644 inline %s\ndata %d\n%s\n", file, len(content), content)
		}
		in.WriteByte('\n')
	}
	last := 0
	for i := 1; i <= n; i++ {
		file := fmt.Sprintf("area%02d/part%d/file%02d.go", i*7%40, i%3, i*13%50)
		from := ""
		if last > 0 {
			from = fmt.Sprintf("from :%d\n", last)
		}
		switch {
		case i%10 == 9 && i < n: // a side branch of one, and its merge
			commit(i, "ben", from, file)
			commit(i+1, "ann", fmt.Sprintf("from :%d\nmerge :%d\n", last, i), file)
			i++
		default:
			commit(i, []string{"ann", "ben", "cleo"}[i/20%3], from, file)
		}
		last = i
	}
	dir := filepath.Join(b.TempDir(), "large.git")
	command(b, ".", nil, "init", "--quiet", "--bare", "--initial-branch=main", dir)
	command(b, dir, in.Bytes(), "fast-import", "--quiet")
	command(b, dir, nil, "repack", "-adfq")
	return dir
}

// BenchmarkTenThousandCommits reads and groups a history and tells how long
// that took beside git log, which is given the same work: every commit with
// its message, and what changed along the first parents.
func BenchmarkTenThousandCommits(b *testing.B) {
	const commits = 10_000
	dir := historyOf(b, commits)
	var ours, gits time.Duration
	for b.Loop() {
		began := time.Now()
		h, err := Read(b.Context(), dir, Options{})
		ours += time.Since(began)
		must(b, err)
		if h.Commits != commits || len(h.Contributions) == 0 {
			b.Fatalf("%d commits, %d contributions", h.Commits, len(h.Contributions))
		}
		began = time.Now()
		command(b, dir, nil, "log", "--format=%H %P %an %ae %ct %B", "main")
		command(b, dir, nil, "log", "--first-parent", "-m", "--name-only", "--format=%H", "main")
		gits += time.Since(began)
	}
	b.ReportMetric(float64(ours)/float64(gits), "ingest_10k_commits_vs_git_log")
	b.ReportMetric(float64(gits.Milliseconds())/float64(b.N), "git_ms/op")
}

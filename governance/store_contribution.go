package governance

import (
	"database/sql"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

const (
	contributionColumns = `id, member, kind, title, evidence, body, state, size, points, submitted_at, decided_at`

	selectContributions = `SELECT ` + contributionColumns + ` FROM governance_contributions`
	selectContribution  = selectContributions + ` WHERE id = ?`

	// An empty filter matches all; each is given twice.
	filteredContributions = selectContributions + `
WHERE (? = '' OR member = ?) AND (? = '' OR state = ?)`
)

var filtered = queries{
	older: filteredContributions + ` AND id < ? ORDER BY id DESC LIMIT ?`,
	newer: filteredContributions + ` AND id > ? ORDER BY id LIMIT ?`,
}

func scanContribution[R scanner](row R) (c Contribution, err error) {
	err = row.Scan(&c.ID, &c.Member, &c.Kind, &c.Title, &c.Evidence, &c.Text,
		&c.State, &c.Size, &c.Points, &c.SubmittedAt, &c.DecidedAt)
	return c, err
}

func contributionByID(tx *db.Tx, id coop.ContributionID) (Contribution, error) {
	return scanContribution(tx.QueryRow(selectContribution, id))
}

func contributions(tx *db.Tx, f Filter, p Page) ([]Contribution, error) {
	return collectPage(tx, p, filtered, scanContribution[*sql.Rows], f.Member, f.Member, f.State, f.State)
}

const insertContributionSQL = `
INSERT INTO governance_contributions (` + contributionColumns + `)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

func insertContribution(tx *db.Tx, c Contribution) error {
	return tx.ExecOne(insertContributionSQL, c.ID, c.Member, c.Kind, c.Title, c.Evidence, c.Text,
		c.State, c.Size, c.Points, c.SubmittedAt, c.DecidedAt)
}

const countOpenWork = `
SELECT COUNT(*) FROM governance_contributions WHERE member = ? AND state = 'submitted'`

func openWork(tx *db.Tx, member coop.MemberID) (n int, err error) {
	err = tx.QueryRow(countOpenWork, member).Scan(&n)
	return n, err
}

const decideContributionSQL = `
UPDATE governance_contributions SET state = ?, size = ?, points = ?, decided_at = ?
WHERE id = ? AND state = 'submitted'`

func decideContribution(tx *db.Tx, c Contribution) error {
	return tx.ExecOne(decideContributionSQL, c.State, c.Size, c.Points, c.DecidedAt, c.ID)
}

const insertReviewSQL = `
INSERT INTO governance_reviews (contribution, reviewer, accepted, size, note, reviewed_at)
VALUES (?, ?, ?, ?, ?, ?)`

func insertReview(tx *db.Tx, id coop.ContributionID, r Review) error {
	accepted := 0
	if r.Accept {
		accepted = 1
	}
	return tx.ExecOne(insertReviewSQL, id, r.Reviewer, accepted, r.Size, r.Note, r.ReviewedAt)
}

const selectReviews = `
SELECT reviewer, accepted, size, note, reviewed_at FROM governance_reviews
WHERE contribution = ? ORDER BY reviewed_at, reviewer`

func reviews(tx *db.Tx, id coop.ContributionID) ([]Review, error) {
	return db.Collect(tx, func(row *sql.Rows) (r Review, err error) {
		err = row.Scan(&r.Reviewer, &r.Accept, &r.Size, &r.Note, &r.ReviewedAt)
		return r, err
	}, selectReviews, id)
}

// Work that was not read from a repository has one author, its submitter.
const selectAcceptedWork = `
SELECT c.id, COALESCE(a.member, c.member), c.kind, c.size, c.points, c.decided_at, COALESCE(w.authors, 1), COALESCE(a.place, 0)
FROM governance_contributions c
LEFT JOIN governance_git_work w ON w.contribution = c.id
LEFT JOIN governance_git_authors a ON a.contribution = c.id
WHERE c.state = 'accepted' AND c.kind <> 'duty' AND c.decided_at >= ? AND c.decided_at < ?
ORDER BY c.id, a.place`

func acceptedWork(tx *db.Tx, from, to int64) ([]AcceptedWork, error) {
	return db.Collect(tx, func(row *sql.Rows) (w AcceptedWork, err error) {
		var authors, place int
		err = row.Scan(&w.Contribution, &w.Member, &w.Kind, &w.Size, &w.Points, &w.AcceptedAt, &authors, &place)
		if err == nil {
			w.Points = part(w.Points, authors, place)
		}
		return w, err
	}, selectAcceptedWork, from, to)
}

const selectAcceptedDuties = `
SELECT id, member, points, decided_at FROM governance_contributions
WHERE state = 'accepted' AND kind = 'duty' AND decided_at >= ? AND decided_at < ? ORDER BY id`

func acceptedDuties(tx *db.Tx, from, to int64) ([]Duty, error) {
	return db.Collect(tx, func(row *sql.Rows) (Duty, error) {
		d := Duty{Kind: "duty"}
		err := row.Scan(&d.Contribution, &d.Member, &d.Points, &d.At)
		return d, err
	}, selectAcceptedDuties, from, to)
}

const selectReviewDuties = `
SELECT contribution, reviewer, reviewed_at FROM governance_reviews
WHERE reviewed_at >= ? AND reviewed_at < ? ORDER BY contribution, reviewer`

func reviewDuties(tx *db.Tx, from, to int64) ([]Duty, error) {
	return db.Collect(tx, func(row *sql.Rows) (Duty, error) {
		d := Duty{Kind: "review", Points: reviewPoints}
		err := row.Scan(&d.Contribution, &d.Member, &d.At)
		return d, err
	}, selectReviewDuties, from, to)
}

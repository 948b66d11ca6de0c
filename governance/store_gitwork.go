package governance

import (
	"database/sql"
	"errors"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

const (
	selectClaims    = `SELECT id, member, address, state, claimed_at, decided_at FROM governance_claims`
	selectClaim     = selectClaims + ` WHERE id = ?`
	selectClaimsOf  = selectClaims + ` WHERE member = ? ORDER BY id`
	selectLiveClaim = selectClaims + ` WHERE address = ? AND state <> 'refused' ORDER BY id`

	// A confirmed claim waits again when another member claims the same.
	selectWaiting = selectClaims + ` WHERE member <> ? AND (state = 'open' OR state = 'confirmed' AND EXISTS (
    SELECT 1 FROM governance_claims rival WHERE rival.address = governance_claims.address
    AND rival.member <> governance_claims.member AND rival.state <> 'refused'))`
)

var waiting = queries{
	older: selectWaiting + ` AND id < ? ORDER BY id DESC LIMIT ?`,
	newer: selectWaiting + ` AND id > ? ORDER BY id LIMIT ?`,
}

func scanClaim[R scanner](row R) (c Claim, err error) {
	err = row.Scan(&c.ID, &c.Member, &c.address, &c.stored, &c.ClaimedAt, &c.DecidedAt)
	return c, err
}

func claimByID(tx *db.Tx, id ClaimID) (Claim, error) { return scanClaim(tx.QueryRow(selectClaim, id)) }

func claimsOf(tx *db.Tx, member coop.MemberID) ([]Claim, error) {
	return db.Collect(tx, scanClaim[*sql.Rows], selectClaimsOf, member)
}

func liveClaims(tx *db.Tx, address string) ([]Claim, error) {
	return db.Collect(tx, scanClaim[*sql.Rows], selectLiveClaim, address)
}

func waitingClaims(tx *db.Tx, notOf coop.MemberID, p Page) ([]Claim, error) {
	return collectPage(tx, p, waiting, scanClaim[*sql.Rows], notOf)
}

const insertClaimSQL = `
INSERT INTO governance_claims (id, member, address, state, claimed_at, decided_at)
VALUES (?, ?, ?, ?, ?, ?)`

func insertClaim(tx *db.Tx, c Claim) error {
	return tx.ExecOne(insertClaimSQL, c.ID, c.Member, c.address, c.stored, c.ClaimedAt, c.DecidedAt)
}

const setClaimSQL = `UPDATE governance_claims SET state = ?, decided_at = ? WHERE id = ?`

func setClaim(tx *db.Tx, c Claim) error {
	return tx.ExecOne(setClaimSQL, c.stored, c.DecidedAt, c.ID)
}

// An empty id matches all of the member's; each is given twice.
const (
	deleteAnswersSQL = `DELETE FROM governance_claim_answers
WHERE claim IN (SELECT id FROM governance_claims WHERE member = ? AND (? = '' OR id = ?))`
	deleteClaimsSQL = `DELETE FROM governance_claims WHERE member = ? AND (? = '' OR id = ?)`
)

func deleteClaims(tx *db.Tx, of coop.MemberID, id ClaimID) error {
	if _, err := tx.Exec(deleteAnswersSQL, of, id, id); err != nil {
		return err
	}
	_, err := tx.Exec(deleteClaimsSQL, of, id, id)
	return err
}

const selectAnswer = `
SELECT answer, mistakes FROM governance_claim_answers WHERE claim = ? AND member = ?`

// answerOf is "none" for who has not answered.
func answerOf(tx *db.Tx, claim ClaimID, member coop.MemberID) (answer string, mistakes int, err error) {
	err = tx.QueryRow(selectAnswer, claim, member).Scan(&answer, &mistakes)
	if errors.Is(err, sql.ErrNoRows) {
		return "none", 0, nil
	}
	return answer, mistakes, err
}

const selectAnswerCounts = `
SELECT COALESCE(SUM(CASE WHEN answer = 'confirmed' THEN 1 ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN answer = 'refused' THEN 1 ELSE 0 END), 0)
FROM governance_claim_answers WHERE claim = ?`

func countAnswers(tx *db.Tx, claim ClaimID) (confirmed, refused int, err error) {
	err = tx.QueryRow(selectAnswerCounts, claim).Scan(&confirmed, &refused)
	return confirmed, refused, err
}

const putAnswerSQL = `
INSERT INTO governance_claim_answers (claim, member, answer, mistakes, answered_at)
VALUES (?, ?, ?, ?, ?)
ON CONFLICT (claim, member) DO UPDATE SET answer = excluded.answer,
    mistakes = governance_claim_answers.mistakes + excluded.mistakes, answered_at = excluded.answered_at`

func putAnswer(tx *db.Tx, claim ClaimID, member coop.MemberID, answer string, at int64, mistakes int) error {
	return tx.ExecOne(putAnswerSQL, claim, member, answer, mistakes, at)
}

// What one member was declined, another may still submit.
const countGitKnown = `
SELECT COUNT(*) FROM governance_git_work w JOIN governance_contributions c ON c.id = w.contribution
WHERE w.source = ? AND (c.state <> 'declined' OR c.member = ?)`

func gitKnown(tx *db.Tx, source string, by coop.MemberID) (bool, error) {
	n := 0
	err := tx.QueryRow(countGitKnown, source, by).Scan(&n)
	return n > 0, err
}

const (
	insertGitWorkSQL   = `INSERT INTO governance_git_work (contribution, source, authors) VALUES (?, ?, ?)`
	insertGitAuthorSQL = `INSERT INTO governance_git_authors (contribution, place, member) VALUES (?, ?, ?)`
)

func insertGitFacts(tx *db.Tx, id coop.ContributionID, f GitFacts) error {
	if err := tx.ExecOne(insertGitWorkSQL, id, f.Source, f.Authors); err != nil {
		return err
	}
	for i, m := range f.Members {
		if err := tx.ExecOne(insertGitAuthorSQL, id, f.places[i], m); err != nil {
			return err
		}
	}
	return nil
}

const selectGitFacts = `
SELECT w.source, w.authors, a.place, a.member
FROM governance_git_work w JOIN governance_git_authors a ON a.contribution = w.contribution
WHERE w.contribution = ? ORDER BY a.place`

// gitFacts is nil for work that was not read from a repository.
func gitFacts(tx *db.Tx, id coop.ContributionID) (*GitFacts, error) {
	var f GitFacts
	list, err := db.Collect(tx, func(row *sql.Rows) (place int, err error) {
		var m coop.MemberID
		err = row.Scan(&f.Source, &f.Authors, &place, &m)
		f.Members = append(f.Members, m)
		return place, err
	}, selectGitFacts, id)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	f.places = list
	return &f, nil
}

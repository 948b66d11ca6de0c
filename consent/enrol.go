package consent

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"distributed.ai/datacoop/consent/cohort"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
)

// Enrolment is what decisions need to know of a dataset.
type Enrolment struct {
	Dataset    coop.DatasetID
	Member     coop.MemberID
	Pool       coop.PoolID
	Categories []string // kinds of personal data, DPV terms without prefix; at most policies.MaxCategories
	Region     string   // the member's country, or "" if not known
	Sealed     int64    // Unix milliseconds
}

// enrolled is an enrolment as stored.
type enrolled struct {
	Enrolment
	closed int64 // coop.Forever while it is open
}

var countryPattern = regexp.MustCompile(`^[A-Z]{2}$`)

var categoryPattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{0,63}$`)

func (e Enrolment) check() error {
	bad := func(c string) bool { return !categoryPattern.MatchString(c) }
	ok := coop.ValidID(e.Dataset) && coop.ValidID(e.Member) && coop.ValidSlug(e.Pool) &&
		e.Sealed > 0 && e.Sealed < coop.Forever &&
		len(e.Categories) <= policies.MaxCategories && !slices.ContainsFunc(e.Categories, bad) &&
		(e.Region == "" || countryPattern.MatchString(e.Region))
	if !ok {
		return ErrEnrolment
	}
	return nil
}

// Enrol makes a dataset known to decisions, in the transaction that seals it.
// Without a record of its member nothing is released by that alone. A dataset
// that was enrolled before is a Conflict.
func (s *Service) Enrol(tx *db.Tx, e Enrolment) error {
	if err := e.check(); err != nil {
		return err
	}
	err := insertDataset(tx, e)
	if err == nil {
		err = cohort.SetKind(tx, e.Dataset, e.Member, e.Categories)
	}
	if err == nil {
		err = flattenScope(tx, scope{e.Member, e.Pool, e.Dataset})
	}
	switch {
	case db.IsUnique(err):
		return ErrEnrolledBy
	case err != nil:
		return fmt.Errorf("consent: enrolling: %w", err)
	}
	return nil
}

// Close ends every release of a dataset from at on, in the transaction that
// revokes it. Closing twice keeps the earlier time. The records and decisions
// about it stay.
func (s *Service) Close(tx *db.Tx, ds coop.DatasetID, at time.Time) error {
	err := closeDataset(tx, ds, at.UnixMilli())
	switch {
	case errors.Is(err, db.ErrNoRow):
		return ErrNoDataset
	case err != nil:
		return fmt.Errorf("consent: closing: %w", err)
	}
	return nil
}

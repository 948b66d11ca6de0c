package codebook

import (
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/codebook/calendar"
	"distributed.ai/datacoop/marketplace/codebook/genome"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// Refusals of the file itself. Compare with errors.Is; a returned fault may
// carry a sentence that says where in the file the trouble is.
var (
	ErrUnknownFormat = stream.ErrUnknownFormat
	ErrEmptyFile     = stream.ErrEmptyFile
	ErrEncryptedFile = stream.ErrEncryptedFile
	ErrPackedFile    = stream.ErrPackedFile
	ErrDatabaseLog   = stream.ErrDatabaseLog
	ErrMalformedFile = stream.ErrMalformedFile
	ErrXMLEntities   = stream.ErrXMLEntities
	ErrZipBomb       = stream.ErrZipBomb
	ErrTooLarge      = stream.ErrTooLarge
	ErrBadValue      = stream.ErrBadValue
)

// Refusals of what the file says.
var (
	ErrUnknownPool    = fault.New(fault.NotFound, "unknown-pool", "There is no such pool.")
	ErrWrongPool      = fault.New(fault.Invalid, "wrong-pool", "This file was recognised, but it belongs to another pool.")
	ErrNoData         = fault.New(fault.Invalid, "no-data", "This file was recognised, but it holds nothing for this pool.")
	ErrUnknownUnit    = fault.New(fault.Invalid, "unknown-unit", "This file does not say, in a way the co-op understands, in which unit it counts.")
	ErrAmbiguousDates = calendar.ErrAmbiguous
	ErrSeveralPeople  = genome.ErrSeveralPeople
	ErrMixedPersons   = fault.New(fault.Invalid, "mixed-persons", "One of these files holds several people and another does not say whose it is. Reduce them one at a time.")
	ErrNotReduced     = fault.New(fault.Invalid, "not-reduced", "This is not a reduced table of this pool.")
)

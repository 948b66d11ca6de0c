package stream

import (
	"fmt"

	"distributed.ai/datacoop/internal/fault"
)

// Refusals. Compare with errors.Is; a returned fault may carry a sentence that
// says where in the file the trouble is.
var (
	ErrUnknownFormat = fault.New(fault.Invalid, "unknown-format", "This file is not an export that the co-op knows how to read.")
	ErrEmptyFile     = fault.New(fault.Invalid, "empty-file", "This file is empty.")
	ErrEncryptedFile = fault.New(fault.Invalid, "encrypted-file", "This file is encrypted. Unlock it first, then try again.")
	ErrPackedFile    = fault.New(fault.Invalid, "packed-file", "This file is packed in a way that cannot be opened here. Unpack it on your device, then choose what was in it.")
	ErrDatabaseLog   = fault.New(fault.Invalid, "database-log", "This is the second file of a database. Close the program that writes it, then choose the database itself.")
	ErrMalformedFile = fault.New(fault.Invalid, "malformed-file", "This file is damaged or was cut short.")
	ErrXMLEntities   = fault.New(fault.Invalid, "xml-entities", "This XML file declares entities of its own, which is not allowed.")
	ErrZipBomb       = fault.New(fault.Invalid, "zip-bomb", "This archive unpacks to far more than it should.")
	ErrTooLarge      = fault.New(fault.Invalid, "too-many-rows", "This export holds more than one dataset can.")
	ErrBadValue      = fault.New(fault.Invalid, "bad-value", "This file holds a value that cannot be right.")
)

// BadValue says where a value is that does not parse. Count and place are
// constants of the format, such as "Line" and "column TotalSteps", never text
// from the file.
func BadValue(count string, n int, place string) error {
	return ErrBadValue.With(fmt.Sprintf("%s %d, %s.", count, n, place))
}

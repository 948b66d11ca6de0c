// Package stream reads files that nobody vouches for: XML, CSV and ZIP, one
// token, record or entry at a time.
//
// It guarantees that what it holds in memory does not grow with the file: a
// token or record is at most 1 MiB, an element's text 256 bytes, and archives
// are read entry by entry as they unpack. Byte order marks and UTF-16 are
// handled; encodings are not guessed.
//
// It refuses, each with a fault of kind Invalid and a stable code: empty and
// encrypted files, XML that declares entities or ends too early, archives that
// unpack to far more than they weigh. It never expands an entity, resolves a
// reference or opens an archive within an archive. What the text means is not
// its business; package codebook knows that.
package stream

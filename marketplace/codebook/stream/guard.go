package stream

import (
	"errors"
	"fmt"
	"io"

	"distributed.ai/datacoop/internal/fault"
)

// maxToken bounds what one XML token or one CSV record may hold in memory.
const maxToken = 1 << 20

// Guard stops a file whose single token or record never ends, which the
// standard parsers would collect in memory.
type Guard struct {
	in   io.Reader
	left int
}

// NewGuard reads from r.
func NewGuard(r io.Reader) *Guard { return &Guard{in: r, left: maxToken} }

// Renew is called after each token.
func (g *Guard) Renew() { g.left = maxToken }

// Read reads at most what the current token has left.
func (g *Guard) Read(p []byte) (int, error) {
	if g.left <= 0 {
		return 0, ErrMalformedFile
	}
	n, err := g.in.Read(p)
	g.left -= n
	return n, err
}

// Fault passes on faults and wraps errors of the medium. A file that ends too
// early is malformed.
func Fault(err error) error {
	if fault.KindOf(err) != fault.Internal {
		return err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrMalformedFile
	}
	return fmt.Errorf("stream: read: %w", err)
}

package web

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"distributed.ai/datacoop/web/waymark"
)

// What a connection may take before a request has begun. Bodies and answers
// have deadlines that move on with them.
const (
	headerTimeout = 5 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10
)

// NewHTTP is a server of net/http that gives no connection more than its part.
// What it says about connections goes to the log as debugging.
func NewHTTP(h http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug)}
}

// Watch answers a context for a request, and where the pattern of its route
// stands once it was answered; "" where no route was reached.
func Watch(ctx context.Context) (context.Context, *string) { return waymark.Watch(ctx) }

// sendBuffer is what the kernel may hold of an answer that the reader has not
// taken yet. Linux doubles it. It is part of what still arrives after a member
// has revoked, so it is kept well under the mebibyte that is promised.
const sendBuffer = 128 << 10

// Narrow caps what every connection of a listener buffers on its way out.
func Narrow(l net.Listener) net.Listener { return narrow{l} }

type narrow struct{ net.Listener }

// Accept implements net.Listener. A connection that cannot be capped has gone
// already; the next one is waited for.
func (n narrow) Accept() (net.Conn, error) {
	for {
		c, err := n.Listener.Accept()
		if err != nil {
			return nil, err
		}
		tcp, ok := c.(*net.TCPConn)
		if !ok || tcp.SetWriteBuffer(sendBuffer) == nil {
			return c, nil
		}
		_ = c.Close()
	}
}

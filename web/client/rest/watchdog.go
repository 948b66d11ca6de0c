package rest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// watchdog ends an exchange in which no byte moves for idle.
type watchdog struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	idle   time.Duration
}

var errStandstill = errors.New("nothing moved for too long")

func watch(ctx context.Context, idle time.Duration) (context.Context, *watchdog) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watchdog{ctx: ctx, cancel: cancel, idle: idle}
	w.timer = time.AfterFunc(idle, func() { cancel(errStandstill) })
	return ctx, w
}

func (w *watchdog) stop() {
	w.timer.Stop()
	w.cancel(context.Canceled)
}

func (w *watchdog) request(body []byte) io.Reader {
	if len(body) == 0 {
		return http.NoBody
	}
	return &moving{r: bytes.NewReader(body), w: w}
}

func (w *watchdog) response(body io.ReadCloser) io.ReadCloser {
	return &watched{moving: moving{r: body, w: w}, body: body}
}

// moving tells the watchdog that bytes move.
type moving struct {
	r io.Reader
	w *watchdog
}

func (m *moving) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.w.timer.Reset(m.w.idle)
	return n, err
}

type watched struct {
	moving
	body io.Closer
}

func (b *watched) Close() error {
	b.w.stop()
	return b.body.Close()
}

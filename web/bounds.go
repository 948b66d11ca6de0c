package web

import (
	"net/http"
	"regexp"

	"github.com/labstack/echo/v4"
)

// Most bytes of a body that is not part of an upload.
const (
	maxBody      = 1 << 20
	maxStatement = 12 << 20 // a month of a bank's messages
)

const pathStatements = "/v1/bank-statements"

// largest is how long the body of a request to a route may be; 0 is without
// bound.
func largest(path string) int64 {
	switch path {
	case pathStatements, "/steward/treasury":
		return maxStatement
	case pathUploads + "/:id":
		return 0 // the upload itself has a length
	}
	return maxBody
}

// pathPart is what may stand for an id, a name or a hash in a path. Nothing
// here needs an escape, a separator or a hidden file.
var pathPart = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$`)

// bounded refuses requests that cannot be meant well before anybody looks at
// them: paths with parts that nothing here is called, bodies that are packed,
// too long or of no stated length. Packed bodies are not unpacked, so that
// nobody sends a bomb. A body that states its length cannot be read two ways
// by two servers: net/http believes Transfer-Encoding where there is a
// Content-Length as well, and does not tell.
func bounded(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		for i, name := range c.ParamNames() {
			if name != "*" && !pathPart.MatchString(c.ParamValues()[i]) {
				return plainProblem(http.StatusNotFound)
			}
		}
		most := largest(c.Path())
		switch coding := r.Header.Get("Content-Encoding"); {
		case coding != "" && coding != "identity":
			return plainProblem(http.StatusUnsupportedMediaType)
		case len(r.TransferEncoding) > 0:
			c.Response().Header().Set("Connection", "close")
			return plainProblem(http.StatusLengthRequired)
		case most > 0 && r.ContentLength > most:
			return errBodyTooLarge
		}
		return next(c)
	}
}

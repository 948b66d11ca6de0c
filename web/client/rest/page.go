package rest

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strings"
)

// page is one page of a list. Next is the cursor of the following page, as in
// the Link header; empty at the end.
type page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`
}

// List walks a list from page to page by its Link headers. It yields an error
// once, as the last thing.
func List[T any](ctx context.Context, c *Conn, segments ...string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		next, err := c.At(segments...)
		for err == nil && next != nil {
			var p page[T]
			var following *url.URL
			if p, following, err = onePage[T](ctx, c, next); err != nil {
				break
			}
			for _, item := range p.Items {
				if !yield(item, nil) {
					return
				}
			}
			if following != nil && following.String() == next.String() {
				err = errors.New("the server's list goes in circles")
			}
			next = following
		}
		if err != nil {
			yield(none, err)
		}
	}
}

func onePage[T any](ctx context.Context, c *Conn, at *url.URL) (page[T], *url.URL, error) {
	body, header, err := c.Whole(ctx, Call{Method: http.MethodGet, URL: at, Header: Accept(typeJSON)})
	if err != nil {
		return page[T]{}, nil, err
	}
	p, err := Decode[page[T]](body)
	if err != nil {
		return p, nil, err
	}
	next, err := c.following(at, p.Next, header.Values("Link"))
	return p, next, err
}

// following finds the next page: the link the server gives or, where a proxy
// has dropped that, the cursor in the body. It is nil at the end.
func (c *Conn) following(at *url.URL, cursor string, links []string) (*url.URL, error) {
	target := nextLink(links)
	if target == "" && cursor == "" {
		return nil, nil
	}
	if target == "" {
		next := *at
		query := next.Query()
		query.Set("cursor", cursor)
		next.RawQuery = query.Encode()
		return &next, nil
	}
	next, err := at.Parse(target)
	if err != nil {
		return nil, errors.New("the server's link to the next page is not a URL")
	}
	if !c.sameOrigin(next) {
		return nil, errElsewhere
	}
	return next, nil
}

// nextLink finds the target of the first link with relation "next" in Link
// headers (RFC 8288, section 3); empty if there is none or the header is
// malformed before it.
func nextLink(headers []string) string {
	for _, rest := range headers {
		for {
			target, params, after, ok := cutLink(rest)
			if !ok {
				break
			}
			if hasNext(params) {
				return target
			}
			rest = after
		}
	}
	return ""
}

// cutLink takes the first link-value off a header.
func cutLink(s string) (target string, params []string, rest string, ok bool) {
	s = strings.TrimLeft(s, " \t,")
	if !strings.HasPrefix(s, "<") {
		return "", nil, "", false
	}
	target, s, ok = strings.Cut(s[1:], ">")
	if !ok {
		return "", nil, "", false
	}
	param, quoted, escaped := 0, false, false
	for i := 0; i < len(s); i++ {
		switch ch := s[i]; {
		case escaped:
			escaped = false
		case quoted && ch == '\\':
			escaped = true
		case ch == '"':
			quoted = !quoted
		case !quoted && (ch == ';' || ch == ','):
			params = append(params, s[param:i])
			param = i + 1
			if ch == ',' {
				return target, params, s[i:], true
			}
		}
	}
	return target, append(params, s[param:]), "", true
}

// hasNext looks for rel=next among parameters. Only the first rel counts; its
// value is one relation or a quoted list of them.
func hasNext(params []string) bool {
	for _, p := range params {
		name, value, _ := strings.Cut(p, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "rel") {
			continue
		}
		for _, relation := range strings.Fields(strings.Trim(strings.TrimSpace(value), `"`)) {
			if strings.EqualFold(relation, "next") {
				return true
			}
		}
		return false
	}
	return false
}

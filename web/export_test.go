package web

// Downloading is how many downloads are under way.
func (s *Server) Downloading() int { return s.downloads.Size() }

// Routes lists what is mounted, as "METHOD /path/:name".
func (s *Server) Routes() (out []string) {
	for _, r := range s.echo.Routes() {
		out = append(out, r.Method+" "+r.Path)
	}
	return out
}

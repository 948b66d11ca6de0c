package portal

import "distributed.ai/datacoop/web/islands"

// key is the page on which a member makes their key and looks after it. All of
// it happens in the browser.
func (p *Portal) key(v *visit) error {
	v.w.Header().Set("Content-Security-Policy", islands.PagePolicy)
	return v.show("key", struct{ Folder string }{islands.Folder()})
}

// openCopy is the page that opens a member's own copy of a dataset.
func (p *Portal) openCopy(v *visit) error {
	d, err := p.find(v)
	if err != nil {
		return err
	}
	if d.Over() || !d.Sealed() {
		return errNotHere
	}
	name := string(d.Pool) + "-" + string(d.ID)
	if !d.Raw {
		name += ".csv"
	}
	v.w.Header().Set("Content-Security-Policy", islands.PagePolicy)
	return v.show("open", struct {
		Folder, Name string
		Dataset      owned
	}{islands.Folder(), name, d})
}

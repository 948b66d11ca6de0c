package policies

import "distributed.ai/datacoop/internal/coop"

// canonical writes the input, which has been checked, as canonical JSON straight
// from its types: the fields of an object in the order of their names, and none
// that says nothing where the struct leaves it out. A test compares it with what
// encoding/json and the standard's own transformation make of the same input.
func (in Input) canonical() []byte {
	w := coop.NewWriter(512 + 512*len(in.Records))
	w.Open('{')
	w.Name("dataset")
	in.Dataset.write(w)
	w.Name("records")
	w.Open('[')
	for i := range in.Records {
		w.Next()
		in.Records[i].write(w)
	}
	w.Close(']')
	w.Name("request")
	in.Request.write(w)
	w.Close('}')
	return w.Bytes()
}

func (d *Dataset) write(w *coop.Writer) {
	w.Open('{')
	w.Texts("categories", d.Categories)
	w.Number("closed", d.Closed)
	w.Text("id", d.ID)
	w.Text("member", d.Member)
	w.Text("pool", d.Pool)
	w.Text("region", d.Region)
	w.Number("sealed", d.Sealed)
	w.Close('}')
}

func (r *Record) write(w *coop.Writer) {
	w.Open('{')
	w.SaidText("answer", r.Answer)
	w.Truth("commercial", r.Commercial)
	w.Texts("dpv", r.DPV)
	w.Text("effect", r.Effect)
	w.Texts("except", r.Except)
	w.Number("expires", r.Expires)
	w.Text("id", r.ID)
	w.Said("limits", func() { r.Limits.write(w) })
	w.Number("min_price_minor", r.MinPriceMinor)
	w.Number("not_before", r.NotBefore)
	w.Truth("paused", r.Paused)
	w.Texts("purposes", r.Purposes)
	w.Texts("regions", r.Regions)
	w.Texts("requester_kinds", r.RequesterKinds)
	w.Text("scope", r.Scope)
	w.Number("withdrawn", r.Withdrawn)
	w.Close('}')
}

func (l *Limits) write(w *coop.Writer) {
	w.SaidTexts("DUO:0000007", l.Diseases)
	w.SaidTexts("DUO:0000012", l.Studies)
	w.SaidTruth("DUO:0000015", l.NoMethods)
	w.SaidTruth("DUO:0000016", l.GeneticOnly)
	w.SaidTruth("DUO:0000018", l.NonProfitUse)
	w.SaidTruth("DUO:0000019", l.Publication)
	w.SaidTruth("DUO:0000020", l.Collaboration)
	w.SaidTruth("DUO:0000021", l.Ethics)
	w.SaidNumber("DUO:0000024", l.PublishFrom)
	w.SaidNumber("DUO:0000025", l.KeepDays)
	w.SaidTexts("DUO:0000026", l.Users)
	w.SaidTexts("DUO:0000027", l.Projects)
	w.SaidTexts("DUO:0000028", l.Institutions)
	w.SaidTruth("DUO:0000029", l.Return)
	w.SaidTruth("DUO:0000044", l.NoAncestry)
	w.SaidTruth("DUO:0000045", l.NonProfit)
	w.SaidTruth("DUO:0000046", l.NonCommercial)
	w.SaidTruth("ask", l.Ask)
	w.SaidTexts("categories", l.Categories)
	w.SaidText("once", l.Once)
}

func (r *Request) write(w *coop.Writer) {
	w.Open('{')
	w.Truth("commercial", r.Commercial)
	w.Text("dpv", r.DPV)
	w.Text("duo", r.DUO)
	w.Text("id", r.ID)
	w.Text("pool", r.Pool)
	w.Number("price_minor", r.PriceMinor)
	w.Name("requester")
	r.Requester.write(w)
	w.Number("retention_days", r.RetentionDays)
	w.Truth("reviewed", r.Reviewed)
	w.Said("study", func() { r.Study.write(w) })
	w.Number("time", r.Time)
	w.Close('}')
}

func (r *Requester) write(w *coop.Writer) {
	w.Open('{')
	w.Text("id", r.ID)
	w.SaidText("institution", r.Institution)
	w.Text("kind", r.Kind)
	w.Text("region", r.Region)
	w.Truth("vetted", r.Vetted)
	w.Close('}')
}

func (s *Study) write(w *coop.Writer) {
	w.SaidTruth("collaborates", s.Collaborates)
	w.SaidText("disease", s.Disease)
	w.SaidTruth("ethics", s.Ethics)
	w.SaidTexts("kinds", s.Kinds)
	w.SaidText("project", s.Project)
	w.SaidNumber("publish_from", s.PublishFrom)
	w.SaidTruth("publishes", s.Publishes)
	w.SaidTruth("returns", s.Returns)
}

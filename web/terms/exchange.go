package terms

import (
	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/marketplace"
	"distributed.ai/datacoop/vault"
	"distributed.ai/datacoop/web/client"
)

// Profile is what a member says of a dataset that they seal.
func Profile(p client.Profile) vault.Profile {
	return vault.Profile{Format: p.Format, Rows: p.Rows, Columns: p.Columns, From: p.From, To: p.To,
		Coverage: p.Coverage, Days: p.Days, Persons: p.Persons, Fingerprint: p.Fingerprint}
}

// Sealing are the terms a dataset is sealed with; nil leaves it to the
// member's answer for the pool.
func Sealing(t *client.Terms) *consent.Terms {
	if t == nil {
		return nil
	}
	out := Domain(*t)
	return &out
}

// Recipient is a key that a researcher has named.
func Recipient(r marketplace.Recipient) client.Recipient {
	return client.Recipient{ID: string(r.ID), Recipient: r.Recipient, Proven: r.ProvenAt > 0, Challenge: r.Challenge,
		CreatedAt: at(r.CreatedAt)}
}

// Decided is a request with what the policy said.
func Decided(d marketplace.Decided) client.AccessRequest {
	out := Request(d.Request)
	out.Reasons, out.Warning, out.Obligations = Reasons(d.Reasons), d.Warning, Duties(d.Obligations)
	return out
}

// File is a file of a request.
func File(f marketplace.FileView) client.File {
	return client.File{ID: string(f.ID), Size: f.Size, SHA256: f.SHA256, Raw: f.Raw, Gone: f.Gone, State: f.State}
}

package demo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"distributed.ai/datacoop/marketplace/codebook"
	"distributed.ai/datacoop/web/client"
)

// sharedData is what a member remembers of an upload: what it was before it
// was encrypted.
type sharedData struct {
	Owner string `json:"owner"` // subject
	Pool  string `json:"pool"`
	Plain string `json:"plain"` // SHA-256 of the table before encryption
}

const sharedFile = "shared.json"

// remember reads what members shared in earlier stories on the same data.
func (t *tour) remember() error {
	t.shared = map[string]sharedData{}
	text, err := os.ReadFile(t.path(sharedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(text, &t.shared)
}

// keep writes what members shared, for the next story.
func (t *tour) keep() error {
	text, err := json.Marshal(t.shared)
	if err != nil {
		return err
	}
	return os.WriteFile(t.path(sharedFile), text, 0o600)
}

// exports are the formats the demo's members have, in turn.
var exports = []struct{ format, pool string }{
	{"fitbit-daily-activity", "wearables"},
	{"apple-health", "wearables"},
	{"green-button", "energy"},
}

// exportDays is how many days an invented export covers.
const exportDays = 60

func (t *tour) share(ctx context.Context) (string, error) {
	if err := t.remember(); err != nil {
		return "", err
	}
	rows, bytes := 0, int64(0)
	formats := map[string]bool{}
	for i, p := range t.cast.members {
		e := exports[i%len(exports)]
		dataset, err := t.shareOne(ctx, p, e.format, e.pool)
		if err != nil {
			return "", fmt.Errorf("%s: %w", e.format, err)
		}
		rows += dataset.Profile.Rows
		bytes += dataset.Size
		formats[e.format] = true
	}
	return fmt.Sprintf("%d datasets from %d formats, %d rows, %d kB of ciphertext, 0 identifiers",
		len(t.cast.members), len(formats), rows, bytes/1000), t.keep()
}

func (t *tour) shareOne(ctx context.Context, p *person, format, pool string) (client.Dataset, error) {
	start := t.Clock.Now().AddDate(0, 0, -exportDays)
	seed := uint64(t.Clock.Now().UnixNano())
	name, export, err := codebook.Synthesise(format, seed, start, exportDays)
	if err != nil {
		return client.Dataset{}, err
	}
	plain, err := reducedDigest(pool, name, export)
	if err != nil {
		return client.Dataset{}, err
	}
	dataset, err := p.api.Share(ctx, client.ShareOptions{Pool: pool, Inputs: []codebook.Input{codebook.Bytes(name, export)},
		Recipient: p.identity.Recipient(), SigningKey: p.key, Dir: t.path("uploads")})
	if err != nil {
		return client.Dataset{}, err
	}
	t.shared[dataset.ID] = sharedData{p.Subject, pool, plain}
	return dataset, nil
}

// reducedDigest reduces an export as the member's client does, checks that no
// planted identifier got through, and digests the table.
func reducedDigest(pool, name string, export []byte) (string, error) {
	table, _, err := codebook.Reduce(pool, codebook.Bytes(name, export))
	if err != nil {
		return "", err
	}
	var csv bytes.Buffer
	if err := table.WriteCSV(&csv); err != nil {
		return "", err
	}
	for _, planted := range codebook.Planted() {
		if strings.Contains(csv.String(), planted) {
			return "", must(false, "an identifier passed the reduction")
		}
	}
	sum := sha256.Sum256(csv.Bytes())
	return hex.EncodeToString(sum[:]), nil
}

// answers are what the demo's members say about their pool, in turn.
var answers = []struct {
	words string
	terms client.Terms
}{
	{"any research", given([]string{"DUO:0000042"}, true, "university", "public-body", "non-profit", "company")},
	{"health research, not commercial", given([]string{"DUO:0000006"}, false, "university", "public-body", "non-profit")},
	{"any research by universities", given([]string{"DUO:0000042"}, false, "university")},
	{"no", client.Terms{Effect: "refused"}},
	{"any research, not commercial", given([]string{"DUO:0000042"}, false, "university", "public-body", "non-profit", "company")},
}

func given(purposes []string, commercial bool, kinds ...string) client.Terms {
	return client.Terms{Effect: "given", Purposes: purposes, RequesterKinds: kinds, Commercial: commercial, Days: 730}
}

// consent records each member's standing answer for the pool they share in,
// and keeps the signed receipt.
func (t *tour) consent(ctx context.Context) (string, error) {
	yes, no := 0, 0
	for i, p := range t.cast.members {
		a := answers[i%len(answers)]
		scope := client.PoolScope(exports[i%len(exports)].pool)
		record, err := p.api.SetConsent(ctx, scope, a.terms)
		if err != nil {
			return "", err
		}
		if record.State == "given" {
			yes++
		} else {
			no++
		}
		receipt, err := p.api.ConsentReceipt(ctx, scope)
		if err != nil {
			return "", err
		}
		if err := must(bytes.Contains(receipt, []byte(record.ID)), "a receipt names its record"); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d yes with limits, %d no, %d signed receipts", yes, no, yes+no), nil
}

// revoke has a member take one dataset back for good, and checks that neither
// its researcher nor its owner gets it any more.
func (t *tour) revoke(ctx context.Context) (string, error) {
	var dataset string
	var data sharedData
	for id, d := range t.shared {
		if d.Pool == t.asked.Pool && t.fetched(d.Plain) {
			dataset, data = id, d
			break
		}
	}
	if err := must(dataset != "", "somebody's dataset was fetched"); err != nil {
		return "", err
	}
	owner, err := t.cast.named(data.Owner)
	if err != nil {
		return "", err
	}
	receipt, err := owner.api.Revoke(ctx, dataset)
	if err != nil {
		return "", err
	}
	if err := must(bytes.Contains(receipt, []byte(`"key-deleted"`)) && bytes.Contains(receipt, []byte(`"ciphertext-unlinked"`)),
		"the receipt says that key and ciphertext are gone"); err != nil {
		return "", err
	}
	delete(t.shared, dataset)
	if err := t.keep(); err != nil {
		return "", err
	}
	t.gone = t.files[data.Plain]
	_, err = t.cast.researcher.api.Download(ctx, t.gone, 0, "")
	if err := must(client.IsStatus(err, 403, 410), "the next fetch is refused"); err != nil {
		return "", err
	}
	_, err = owner.api.Content(ctx, dataset)
	if err := must(client.IsStatus(err, 404, 410), "the ciphertext is gone"); err != nil {
		return "", err
	}
	return "the next fetch is refused; key and ciphertext are gone; receipt signed", t.sawRefusal(ctx, owner, dataset)
}

// sawRefusal checks that the member's feed shows the refused fetch.
func (t *tour) sawRefusal(ctx context.Context, p *person, dataset string) error {
	for use, err := range p.api.Uses(ctx) {
		if err != nil {
			return err
		}
		if use.Dataset == dataset && use.Stage == "delivery" && !use.Allowed {
			return nil
		}
	}
	return must(false, "the member sees the refusal")
}

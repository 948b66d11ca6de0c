package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"distributed.ai/datacoop/cmd/datacoop/exports"
	"distributed.ai/datacoop/cmd/datacoop/render"
	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/marketplace/codebook"
	"distributed.ai/datacoop/web/client"
)

// UploadCmd is how a member shares data without a browser.
type UploadCmd struct {
	Server     string `default:"http://localhost:8080" help:"The co-op's address."`
	Token      string `required:"" placeholder:"TOKEN" help:"Your token, from the portal. Better set DATACOOP_TOKEN: others can see a command line."`
	Identity   string `required:"" type:"path" placeholder:"FILE" help:"Your identity file: you can always read your own data back."`
	SigningKey string `type:"path" placeholder:"FILE" help:"Key that signs what you upload; it is registered with your account. Default: the file beside your identity that ends in .sign, if there is one."`
	Pool       string `required:"" placeholder:"POOL" help:"The pool to share in, such as wearables."`
	Consent    string `type:"path" placeholder:"FILE" help:"File with your answer for this dataset alone, as JSON. Without it your answer for the pool holds, and as long as there is none nobody gets it."`
	Raw        bool   `help:"Share the file as it is, not the pool's table."`

	SelfCustody bool `help:"Keep the only key: the co-op cannot open the file, and each granted request waits until you approve it (datacoop approve). Needs a signing key."`

	Yes   bool     `short:"y" help:"Do not ask."`
	JSON  bool     `name:"json" help:"Answer the dataset as JSON."`
	Paths []string `arg:"" name:"path" help:"Files of the export, or folders that hold them."`
}

// errDeclined ends an upload the member did not agree to.
var errDeclined = errors.New("nothing was shared")

// Run shows what would be shared, asks, encrypts and uploads. Interrupted, the
// same command goes on where it stood.
func (c *UploadCmd) Run(ctx context.Context) error {
	return plain(c.upload(ctx), "Run the same command again to go on where it stood.")
}

func (c *UploadCmd) upload(ctx context.Context) error {
	api, err := client.New(c.Server, client.WithToken(c.Token))
	if err != nil {
		return err
	}
	id, err := client.ReadIdentity(c.Identity)
	if err != nil {
		return err
	}
	terms, err := readTerms(c.Consent)
	if err != nil {
		return err
	}
	files, left, err := exports.Open(c.Pool, c.Paths)
	if err != nil {
		return err
	}
	found, err := api.Discovery(ctx)
	if err != nil {
		return err
	}
	key, err := signingKey(c.SigningKey, c.Identity)
	if err != nil {
		return err
	}
	say := talk(c.JSON)
	reading, bar := newProgress("reading"), newProgress("uploading")
	dataset, err := api.Share(ctx, client.ShareOptions{Pool: c.Pool, Inputs: reading.reading(files), Raw: c.Raw, Recipient: id.Recipient(), SelfCustody: c.SelfCustody,
		Consent: terms, SigningKey: key, Progress: bar.show,
		Confirm: func(p client.Preview) error {
			reading.end()
			said, err := sentences(ctx, api, c.Pool, terms, found.Currency)
			if err != nil {
				return err
			}
			p.Left = codebook.AddLeft(left, p.Left)
			preview(say, found.Name, p, append(said, c.custody()...))
			if err := agree(say, c.Yes, "Share this?", errDeclined); err != nil || key == nil {
				return err
			}
			return api.SetSigningKey(ctx, client.PublicSigningKey(key))
		}})
	bar.end()
	if err != nil {
		return c.hint(err)
	}
	if c.JSON {
		return render.JSON(os.Stdout, dataset)
	}
	if c.SelfCustody {
		fmt.Fprintf(say, "Shared. Dataset %s holds %s, encrypted to you alone. Requests for it will wait for: datacoop approve\n", dataset.ID, bytesOf(dataset.Size))
		return nil
	}
	fmt.Fprintf(say, "Shared. Dataset %s holds %s, encrypted to you and to its own vault key.\n", dataset.ID, bytesOf(dataset.Size))
	return nil
}

// custody says what it means to keep the only key.
func (c *UploadCmd) custody() []string {
	if !c.SelfCustody {
		return nil
	}
	return []string{"You keep the only key: the co-op cannot open the file, and each granted request waits until you approve it.",
		"If you lose the identity file, nobody can open it again, and nothing can be delivered."}
}

// hint adds what to do about a refusal that this command can mend.
func (c *UploadCmd) hint(err error) error {
	var p *client.ProblemError
	if errors.As(err, &p) && p.Code() == "manifest-signature" && c.SigningKey == "" {
		return fmt.Errorf("%w Your account signs what it uploads: give its key with --signing-key and run the command again", err)
	}
	return err
}

// signingKey reads the key that is named, or the one that lies beside the
// identity under the same name with the ending ".sign"; none is no error.
func signingKey(named, identity string) (ed25519.PrivateKey, error) {
	if named != "" {
		return client.ReadSigningKey(named)
	}
	key, err := client.ReadSigningKey(strings.TrimSuffix(identity, filepath.Ext(identity)) + ".sign")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return key, err
}

// readTerms reads a consent file and checks it before anything is sent.
func readTerms(path string) (*client.Terms, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read consent: %w", err)
	}
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields() // a misspelt restriction must not be lost
	var terms client.Terms
	if err := in.Decode(&terms); err != nil || in.More() {
		return nil, fmt.Errorf("%s is not a consent file: it must be one JSON object with the fields of the API's Terms", path)
	}
	return &terms, domainTerms(terms).Validate()
}

// sentences says what will hold for the dataset: the answer given with it, or
// the one for its pool, or what holds in the pool until there is one.
func sentences(ctx context.Context, api *client.Client, pool string, t *client.Terms, currency string) ([]string, error) {
	if t != nil {
		return domainTerms(*t).Sentences(coop.Currency(currency)), nil
	}
	r, err := api.Consent(ctx, client.PoolScope(pool))
	if err != nil {
		return nil, err
	}
	if r.State == client.Unanswered {
		return append(r.Sentences, "You can answer for this dataset alone with --consent, or for the pool in the portal."), nil
	}
	return append([]string{"Your answer for the pool decides who may use it:"}, r.Sentences...), nil
}

func domainTerms(t client.Terms) consent.Terms {
	return consent.Terms{Effect: t.Effect, Purposes: t.Purposes, Except: t.Except, DPV: t.DPV, RequesterKinds: t.RequesterKinds,
		Regions: t.Regions, Commercial: t.Commercial, MinPrice: coop.Money(t.MinPrice), Days: t.Days,
		Diseases: t.Diseases, Conditions: t.Conditions, Studies: t.Studies, Users: t.Users, Projects: t.Projects,
		Institutions: t.Institutions, KeepMonths: t.KeepMonths, PublishFrom: t.PublishFrom, Categories: t.Categories, Mode: t.Mode}
}

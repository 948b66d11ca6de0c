package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"distributed.ai/datacoop/cmd/datacoop/render"
	"distributed.ai/datacoop/web/client"
)

// FetchCmd downloads everything a researcher's request was granted.
type FetchCmd struct {
	Server       string   `default:"http://localhost:8080" help:"The co-op's address."`
	ClientID     string   `required:"" name:"client-id" placeholder:"ID" help:"Your client id."`
	ClientSecret string   `required:"" name:"client-secret" placeholder:"SECRET" help:"Your client secret. Better set DATACOOP_CLIENT_SECRET: others can see a command line."`
	Identity     []string `required:"" type:"path" placeholder:"FILE" help:"Identity file of the request's recipient; may be given more than once."`
	Out          string   `required:"" short:"o" type:"path" placeholder:"DIR" help:"Folder for the files; made if it is not there."`
	Parallel     int      `default:"4" help:"Downloads at once, at most 32."`
	JSON         bool     `name:"json" help:"Answer the manifest as JSON."`
	Request      string   `arg:"" help:"The request's id."`
}

// Run downloads, verifies and decrypts. Interrupted, the same command goes on
// where it stood.
func (c *FetchCmd) Run(ctx context.Context) error {
	return plain(c.fetch(ctx), "Run the same command again to go on where it stood.")
}

func (c *FetchCmd) fetch(ctx context.Context) error {
	api, err := client.New(c.Server, client.WithCredentials(c.ClientID, c.ClientSecret))
	if err != nil {
		return err
	}
	var ids []client.Identity
	for _, path := range c.Identity {
		id, err := client.ReadIdentity(path)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	bar := newProgress("fetching")
	got, failed := api.Fetch(ctx, client.FetchOptions{Request: c.Request, Out: c.Out, Identities: ids,
		Parallel: c.Parallel, Progress: bar.show})
	bar.end()
	if err := c.report(got); err != nil {
		return err
	}
	if failed == nil && len(got.Files) == 0 {
		return errNoDelivery
	}
	return failed
}

// errNoDelivery keeps a script from going on without data.
var errNoDelivery = errors.New("nothing was delivered")

// report says what is in the folder now and what may not be.
func (c *FetchCmd) report(got client.FetchManifest) error {
	if got.Request == "" { // it ended before there was anything to say
		return nil
	}
	if c.JSON {
		return render.JSON(os.Stdout, got)
	}
	var size int64
	for _, f := range got.Files {
		size += f.Bytes
	}
	fmt.Printf("%s, %s, verified and decrypted in %s\n", counted(len(got.Files), "file", "files"), bytesOf(size), c.Out)
	for _, r := range got.Refused {
		fmt.Printf("not delivered: %s  %s\n", r.ID, r.Reason)
	}
	for _, w := range got.Waiting {
		fmt.Printf("not yet: %s  %s\n", w.ID, w.Reason)
	}
	return nil
}

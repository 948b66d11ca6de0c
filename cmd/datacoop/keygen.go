package main

import (
	"encoding/base64"
	"fmt"
	"os"

	"distributed.ai/datacoop/cmd/datacoop/render"
	"distributed.ai/datacoop/web/client"
)

// KeygenCmd makes a key and writes it to a new file.
type KeygenCmd struct {
	Out     string `short:"o" type:"path" placeholder:"FILE" help:"File to write; it must not exist. Default: datacoop-identity.txt, or datacoop-signing-key.pem."`
	Classic bool   `help:"An X25519 identity, which any age opens, instead of a post-quantum one." xor:"kind"`
	Signing bool   `help:"A key that signs what you upload (Ed25519), instead of an identity." xor:"kind"`
	JSON    bool   `name:"json" help:"Answer as JSON."`
}

// made is what is said of a new key: never its secret.
type made struct {
	File      string `json:"file"`
	Recipient string `json:"recipient,omitempty"`
	PublicKey string `json:"public_key,omitempty"`
}

// Run prints the public half; the secret goes into the file and nowhere else.
func (c *KeygenCmd) Run() error {
	generate := c.identity
	if c.Signing {
		generate = c.signingKey
	}
	key, err := generate()
	if err != nil {
		return plain(err, "")
	}
	if c.JSON {
		return render.JSON(os.Stdout, key)
	}
	fmt.Println(key.Recipient + key.PublicKey)
	fmt.Fprintf(os.Stderr, "The secret is in %s. Keep a copy in a safe place: nobody can replace it.\n", key.File)
	return nil
}

func (c *KeygenCmd) identity() (made, error) {
	id, err := client.Keygen(c.Classic)
	if err != nil {
		return made{}, err
	}
	out := made{File: c.file("datacoop-identity.txt"), Recipient: id.Recipient()}
	return out, id.WriteFile(out.File)
}

func (c *KeygenCmd) signingKey() (made, error) {
	key, err := client.NewSigningKey()
	if err != nil {
		return made{}, err
	}
	public := client.PublicSigningKey(key)
	out := made{File: c.file("datacoop-signing-key.pem"), PublicKey: base64.StdEncoding.EncodeToString(public)}
	return out, client.WriteSigningKey(out.File, key)
}

func (c *KeygenCmd) file(usual string) string {
	if c.Out != "" {
		return c.Out
	}
	return usual
}

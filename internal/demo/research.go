package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"distributed.ai/datacoop/web/client"
)

func (t *tour) vet(ctx context.Context) (string, error) {
	steward, err := t.cast.office("vetting", 0)
	if err != nil {
		return "", err
	}
	r := &t.cast.researcher
	r.Researcher, err = steward.api.VetResearcher(ctx, client.ResearcherDraft{
		Name: "Institute for Daily Life, Example University", Kind: "university", Region: "DE"})
	if err != nil {
		return "", err
	}
	if r.api, err = client.New(t.BaseURL, client.WithCredentials(r.ClientID, r.ClientSecret)); err != nil {
		return "", err
	}
	r.keyFile = t.path("keys", "researcher.txt")
	if r.identity, err = ownIdentity(r.keyFile, true); err != nil { // X25519, for stock age of any age
		return "", err
	}
	if r.recipient, err = r.api.ProveRecipient(ctx, r.identity); err != nil {
		return "", err
	}
	return "OAuth 2 credentials issued; possession of the age key proven", must(r.recipient.Proven, "the recipient is proven")
}

func (t *tour) browse(ctx context.Context) (string, error) {
	columns := 0
	for pool, err := range t.cast.researcher.api.Pools(ctx) {
		if err != nil {
			return "", err
		}
		book, err := t.cast.researcher.api.Codebook(ctx, pool.ID)
		if err != nil {
			return "", err
		}
		columns += len(book.Columns)
		t.pools = append(t.pools, pool)
	}
	return fmt.Sprintf("%d pools, %d documented columns", len(t.pools), columns), must(columns > 0, "there is something to ask for")
}

// ask is the request of the story: health research on wearables, with copies
// kept for a year.
func (t *tour) ask() client.RequestDraft {
	return client.RequestDraft{Pool: "wearables", Title: "Do people sleep longer after active days?",
		DUO: "DUO:0000006", DPV: "AcademicResearch", RetentionDays: 365, Recipient: t.cast.researcher.recipient.ID}
}

func (t *tour) check(ctx context.Context) (string, error) {
	t.asked = t.ask()
	r, err := t.cast.researcher.api.CheckRequest(ctx, t.asked)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d datasets of %d members would pass, for %s", r.Datasets, r.Members, t.money(r.Price)),
		must(r.Datasets > 0, "something would pass")
}

func (t *tour) submit(ctx context.Context) (string, error) {
	var err error
	if t.req, err = t.cast.researcher.api.SubmitRequest(ctx, t.asked); err != nil {
		return "", err
	}
	if err := must(t.req.Granted > 0 && t.req.Refused > 0, "some are granted and some refused"); err != nil {
		return "", err
	}
	why := ""
	if len(t.req.Reasons) > 0 {
		why = " (" + t.req.Reasons[0].Sentence + ")"
	}
	return fmt.Sprintf("%d granted, %d refused%s", t.req.Granted, t.req.Refused, why), nil
}

// fetch downloads everything granted and checks each file against what its
// member had before encryption.
func (t *tour) fetch(ctx context.Context) (string, error) {
	out := t.path("fetched", t.req.ID)
	got, err := t.cast.researcher.api.Fetch(ctx, client.FetchOptions{Request: t.req.ID, Out: out,
		Identities: []client.Identity{t.cast.researcher.identity}})
	if err != nil {
		return "", err
	}
	t.files = map[string]string{}
	bytes := int64(0)
	for _, f := range got.Files {
		t.files[f.PlaintextSHA256] = f.ID
		bytes += f.Bytes
	}
	same := 0
	for _, d := range t.shared {
		if t.fetched(d.Plain) {
			same++
		}
	}
	figure := fmt.Sprintf("%d files, %d kB; every SHA-256 equals the member's own", len(got.Files), bytes/1000)
	return figure, must(len(got.Files) == t.req.Granted && same == len(got.Files), "each file is what a member had before encryption")
}

func (t *tour) fetched(plain string) bool { return t.files[plain] != "" }

// writeFile leaves demo.json, with everything a stranger needs to go on.
func (t *tour) writeFile() error {
	type member struct {
		ID           string   `json:"id"`
		Name         string   `json:"name"`
		Login        string   `json:"login"`
		Password     string   `json:"password"`
		Token        string   `json:"token"`
		IdentityFile string   `json:"identity_file"`
		Recipient    string   `json:"recipient"`
		Roles        []string `json:"roles"`
	}
	type researcher struct {
		ID           string `json:"id"`
		ClientID     string `json:"client_id"`
		ClientSecret string `json:"client_secret"`
		IdentityFile string `json:"identity_file"`
		Recipient    string `json:"recipient"`
		RecipientID  string `json:"recipient_id"`
	}
	r := t.cast.researcher
	file := struct {
		BaseURL    string        `json:"base_url"`
		Members    []member      `json:"members"`
		Researcher researcher    `json:"researcher"`
		Pools      []client.Pool `json:"pools"`
		WrittenAt  time.Time     `json:"written_at"`
	}{BaseURL: t.BaseURL, Members: []member{}, Pools: t.pools, WrittenAt: time.Now().UTC(),
		Researcher: researcher{r.ID, r.ClientID, r.ClientSecret, r.keyFile, r.identity.Recipient(), r.recipient.ID}}
	for _, p := range t.cast.members {
		file.Members = append(file.Members, member{p.me.ID, p.Name, p.Subject, p.Password, p.token, p.keyFile, p.identity.Recipient(), p.me.Offices})
	}
	text, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return fmt.Errorf("demo: %s: %w", fileName, err)
	}
	next := t.path(fileName + ".new")
	if err := os.WriteFile(next, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("demo: %s: %w", fileName, err)
	}
	return os.Rename(next, t.path(fileName))
}

const fileName = "demo.json"

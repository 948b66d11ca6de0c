package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"

	"distributed.ai/datacoop/consent"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/vault/header"
)

// How much the grant benchmark does.
const (
	deliveries = 120           // of as many datasets, over HTTP
	rewraps    = 400           // in one transaction
	rounds     = 5             // of what takes seconds
	gibibyte   = 1<<30 - 1<<20 // with its tags at most what a server takes
)

// grant measures what a delivered grant costs.
func grant(ctx context.Context, env Env) (out []Figure, err error) {
	p, err := gather(ctx, env)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	parts, err := newParts(ctx, env.Dir, p)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, parts.rows.Close()) }()
	delivered, err := deliver(ctx, env, p, parts)
	if err != nil {
		return nil, err
	}
	wraps, err := wrap(ctx, env, p, parts)
	if err != nil {
		return nil, err
	}
	return append([]Figure{delivered}, wraps...), nil
}

// deliver compares a grant, from the request to the first byte of the answer,
// with the sum of its parts.
func deliver(ctx context.Context, env Env, p *people, parts *parts) (Figure, error) {
	for i := range deliveries {
		if _, err := p.share(ctx, env.Dir, p.members[i%len(p.members)].id, 1<<10); err != nil {
			return Figure{}, err
		}
	}
	files, err := p.files(ctx)
	if err != nil {
		return Figure{}, err
	}
	var grants, wrapped, decided, stored series
	for _, f := range files {
		var rest io.ReadCloser
		err := grants.time(func() (err error) { rest, err = p.firstByte(ctx, f.ID); return err })
		if err == nil {
			err = errors.Join(finish(rest), wrapped.time(parts.rewrap), decided.time(parts.decide), stored.time(parts.store))
		}
		if err != nil {
			return Figure{}, err
		}
	}
	sum := wrapped.median() + decided.median() + stored.median()
	return atMost(2, Figure{Name: "grant_delivered_vs_parts", Value: grants.median() / sum, Unit: "ratio", Samples: len(grants),
		Anchor: fmt.Sprintf("of the %.2f ms: a bare rewrap (%.2f), one evaluation of the law (%.2f) and one durable insert (%.2f), each alone, in turns; "+
			"over one connection, to the first byte", ms(grants), ms(wrapped), ms(decided), ms(stored))}), nil
}

func ms(s series) float64 { return s.median() * 1e3 }

// firstByte asks for a file and waits until it begins to come.
func (p *people) firstByte(ctx context.Context, file string) (rest io.ReadCloser, err error) {
	d, err := p.researcher.Download(ctx, file, 0, "")
	if err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(d.Body, make([]byte, 1)); err != nil {
		return nil, errors.Join(err, d.Body.Close())
	}
	return d.Body, nil
}

// finish reads an answer to its end, so that the connection serves the next.
func finish(rest io.ReadCloser) error {
	_, err := io.Copy(io.Discard, rest)
	return errors.Join(err, rest.Close())
}

// parts are the operations that a grant cannot do without, each alone.
type parts struct {
	id       *age.HybridIdentity
	hdr      []byte
	to       age.Recipient
	engine   *policies.Engine
	question policies.Input
	rows     *db.DB
}

func newParts(ctx context.Context, dir string, p *people) (*parts, error) {
	out := &parts{engine: p.Engine}
	var err error
	if out.id, err = age.GenerateHybridIdentity(); err != nil {
		return nil, err
	}
	researcher, err := age.GenerateHybridIdentity()
	if err != nil {
		return nil, err
	}
	out.to = researcher.Recipient()
	if out.hdr, err = header.Build(make([]byte, 16), out.id.Recipient()); err != nil {
		return nil, err
	}
	out.question = question(p)
	if verdict, _, err := p.Engine.Decide(ctx, out.question); err != nil || !verdict.Allow {
		return nil, errors.Join(errors.New("the law refuses the question that is to be measured"), err)
	}
	if out.rows, err = db.Open(ctx, filepath.Join(dir, "rows.db")); err != nil {
		return nil, err
	}
	return out, out.rows.Update(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`CREATE TABLE rows (id TEXT PRIMARY KEY, body TEXT NOT NULL)`)
		return err
	})
}

// question is what consent asks the law about one dataset.
func question(p *people) policies.Input {
	now := p.Clock().UnixMilli()
	return policies.Input{
		Request: policies.Request{ID: coop.NewID(), Pool: pool, DUO: "DUO:0000042", DPV: "AcademicResearch", PriceMinor: 1275, RetentionDays: 30, Time: now,
			Requester: policies.Requester{ID: coop.NewID(), Kind: "university", Vetted: true, Region: "DE"}},
		Dataset: policies.Dataset{ID: coop.NewID(), Member: coop.NewID(), Pool: pool, Categories: []string{}, Sealed: now - 1, Closed: coop.Forever},
		Records: []policies.Record{{ID: coop.NewID(), Effect: policies.Given, Scope: "dataset", Purposes: []string{"DUO:0000042"}, Except: []string{},
			DPV: []string{}, RequesterKinds: []string{"university"}, Regions: []string{}, NotBefore: now - 1, Expires: coop.Forever, Withdrawn: coop.Forever}},
	}
}

func (x *parts) rewrap() error {
	_, err := header.Rewrap(x.hdr, x.id, x.to)
	return err
}

func (x *parts) decide() error {
	_, _, err := x.engine.Decide(context.Background(), x.question)
	return err
}

func (x *parts) store() error {
	return x.rows.Update(context.Background(), func(tx *db.Tx) error {
		return tx.ExecOne(`INSERT INTO rows (id, body) VALUES (?, ?)`, coop.NewID(), string(make([]byte, 200)))
	})
}

// wrap measures the vault's part of a grant alone: permits are made before the
// clock runs, and the transaction ends after it.
func wrap(ctx context.Context, env Env, p *people, parts *parts) ([]Figure, error) {
	small, err := p.share(ctx, env.Dir, p.members[0].id, 1<<10)
	if err != nil {
		return nil, err
	}
	large, err := p.share(ctx, env.Dir, p.members[0].id, gibibyte)
	if err != nil {
		return nil, err
	}
	var kilo, giga series
	var used, plain time.Duration
	err = p.DB.Update(ctx, func(tx *db.Tx) error {
		permits, err := p.permits(tx, small.ID, large.ID)
		if err != nil {
			return err
		}
		for i, permit := range permits {
			into := [2]*series{&kilo, &giga}[i%2]
			before := cpu()
			if err := into.time(func() error { _, err := p.Vault.Rewrap(tx, permit); return err }); err != nil {
				return err
			}
			used += cpu() - before
			before = cpu()
			if err := parts.rewrap(); err != nil {
				return err
			}
			plain += cpu() - before
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	again, err := encryptAgain(env.Dir)
	if err != nil {
		return nil, err
	}
	n := len(kilo) + len(giga)
	return []Figure{
		atLeast(2000, Figure{Name: "grant_1GiB_vs_reencrypt", Value: again.median() / giga.median(), Unit: "ratio", Samples: len(again),
			Anchor: "age decrypting and encrypting the same gigabyte"}),
		atMost(1.2, Figure{Name: "grant_1GiB_vs_1KiB", Value: giga.median() / kilo.median(), Unit: "ratio", Samples: len(giga),
			Anchor: "a grant of a kilobyte"}),
		atLeast(0.5, Figure{Name: "grant_per_dataset_key_vs_bare_rewrap", Value: plain.Seconds() / used.Seconds(), Unit: "ratio", Samples: n,
			Anchor: "rewraps under one key for everything, in keys per processor second"}),
		{Name: "grants_per_cpu_second", Value: float64(n) / used.Seconds(), Unit: "1/s", Goal: "none", Samples: n, OK: true,
			Anchor: "the vault's part, post-quantum, one processor"},
	}, nil
}

// permits decides for both datasets in turns, each under a request of its own,
// so that no header is found again.
func (p *people) permits(tx *db.Tx, datasets ...coop.DatasetID) (out []consent.Permit, err error) {
	to, err := age.GenerateHybridIdentity()
	if err != nil {
		return nil, err
	}
	for i := range rewraps {
		ask := consent.Ask{Request: coop.RequestID(coop.NewID()), Pool: pool, Recipient: to.Recipient().String(), RetentionDays: 30, Price: 1275,
			Purpose:    coop.Purpose{DUO: "DUO:0000042", DPV: "AcademicResearch"},
			Researcher: consent.Requester{ID: coop.ResearcherID(coop.NewID()), Kind: "university", Vetted: true, Region: "DE"}}
		decision, permit, err := p.Consent.Decide(tx, ask, datasets[i%len(datasets)])
		if err != nil {
			return nil, err
		}
		if !decision.Allow {
			return nil, errors.New("consent refuses what is to be measured")
		}
		out = append(out, permit)
	}
	return out, nil
}

// encryptAgain times age on a gigabyte that is in the page cache.
func encryptAgain(dir string) (times series, err error) {
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "again.age")
	if _, err := encrypted(path, gibibyte, id.Recipient().String()); err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(path) }() // the folder goes anyway
	for range 3 {
		err := times.time(func() error {
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			return errors.Join(reencrypt(f, id, id.Recipient()), f.Close())
		})
		if err != nil {
			return nil, err
		}
	}
	return times, nil
}

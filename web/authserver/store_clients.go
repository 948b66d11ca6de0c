package authserver

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ory/fosite"

	"distributed.ai/datacoop/internal/db"
)

// The kinds of client.
const (
	kindPortal     = "portal"
	kindResearcher = "researcher"
)

// client is a row of authserver_clients and what the library sees of it.
type client struct {
	fosite.DefaultClient
	kind       string
	researcher string // empty unless kind is researcher
	serial     int64  // counts the client's secrets from 1
	revoked    bool
}

const selectClient = `
SELECT kind, researcher, serial, secret_hash, redirect_uris, revoked_at FROM authserver_clients WHERE id = ?`

// loadClient returns the client of that id, revoked or not, or db.ErrNoRow.
func loadClient(tx *db.Tx, id string) (*client, error) {
	c := &client{DefaultClient: fosite.DefaultClient{ID: id}}
	var redirects string
	var revokedAt int64
	err := tx.QueryRow(selectClient, id).Scan(&c.kind, &c.researcher, &c.serial, &c.Secret, &redirects, &revokedAt)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, db.ErrNoRow
	}
	if err != nil {
		return nil, fmt.Errorf("load client: %w", err)
	}
	if err := json.Unmarshal([]byte(redirects), &c.RedirectURIs); err != nil {
		return nil, fmt.Errorf("decode client: %w", err)
	}
	c.revoked = revokedAt != 0
	c.entitle()
	return c, nil
}

// entitle sets what each kind of client may do. Nothing may be left empty: the
// library takes an empty list of grants for the authorization code grant.
func (c *client) entitle() {
	switch c.kind {
	case kindPortal:
		c.GrantTypes, c.ResponseTypes, c.Scopes = []string{grantCode}, []string{"code"}, openIDScopes()
	default:
		c.GrantTypes, c.ResponseTypes, c.Scopes = []string{grantClient}, []string{"none"}, ResearcherScopes()
	}
}

const upsertClient = `
INSERT INTO authserver_clients (id, kind, researcher, serial, secret_hash, redirect_uris, created_at, revoked_at)
VALUES (?, ?, ?, ?, ?, ?, ?, 0)
ON CONFLICT (id) DO UPDATE SET
    serial = excluded.serial, secret_hash = excluded.secret_hash, redirect_uris = excluded.redirect_uris`

func saveClient(tx *db.Tx, c *client) error {
	redirects, err := json.Marshal(c.RedirectURIs)
	if err != nil {
		return fmt.Errorf("encode client: %w", err)
	}
	_, err = tx.Exec(upsertClient, c.ID, c.kind, c.researcher, c.serial, c.Secret, string(redirects), time.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("save client: %w", err)
	}
	return nil
}

const (
	revokeClient         = `UPDATE authserver_clients SET revoked_at = ? WHERE id = ?`
	deleteClientSessions = `DELETE FROM authserver_sessions WHERE client = ?`
)

func markRevoked(tx *db.Tx, id string) error {
	if err := tx.ExecOne(revokeClient, time.Now().UnixMilli(), id); err != nil {
		return fmt.Errorf("revoke client: %w", err)
	}
	return endSessions(tx, id)
}

// endSessions ends every code and token of a client.
func endSessions(tx *db.Tx, id string) error {
	if _, err := tx.Exec(deleteClientSessions, id); err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}

// GetClient is fosite's ClientManager: clients in force only.
func (s *store) GetClient(ctx context.Context, id string) (fosite.Client, error) {
	tx, err := transaction(ctx)
	if err != nil {
		return nil, err
	}
	c, err := loadClient(tx, id)
	if errors.Is(err, db.ErrNoRow) {
		return nil, fosite.ErrNotFound
	}
	if err != nil {
		return nil, &failure{"find client", err}
	}
	if c.revoked {
		return nil, fosite.ErrNotFound
	}
	return c, nil
}

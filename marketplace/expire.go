package marketplace

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
	"distributed.ai/datacoop/marketplace/ledger"
	"distributed.ai/datacoop/marketplace/treasury"
)

// kindExpire is the job that ends a request when its time for fetching is up.
const kindExpire = "marketplace.expire"

type expireJob struct {
	Request coop.RequestID `json:"request"`
}

// expireLater has the queue end an opened request.
func (s *Service) expireLater(tx *db.Tx, r Request) error {
	err := s.Jobs.Enqueue(tx, kindExpire, string(r.ID), expireJob{r.ID}, time.UnixMilli(r.ExpiresAt))
	if err != nil {
		return fmt.Errorf("marketplace: expire later: %w", err)
	}
	return nil
}

// expire ends a request: headers made for it are deleted, and what was prepaid
// and never delivered, because members revoked it or nobody fetched it,
// becomes the researcher's credit.
func (s *Service) expire(ctx context.Context, payload []byte) error {
	var job expireJob
	if err := json.Unmarshal(payload, &job); err != nil {
		return fmt.Errorf("marketplace: expire: %w", err)
	}
	return s.DB.Update(ctx, func(tx *db.Tx) error {
		req, err := getRequest(tx, job.Request)
		if err != nil || req.State != StateOpen {
			return err
		}
		if err := s.Vault.CloseRequest(tx, req.ID); err != nil {
			return err
		}
		rest, err := undelivered(tx, req.ID)
		if err != nil {
			return err
		}
		if rest > 0 {
			note := treasury.Note{Researcher: req.Researcher, Request: req.ID, Reason: treasury.ReasonUndelivered, Amount: rest}
			if _, err := s.Credit(tx, note, ledger.Prepaid, "expiry:"+string(req.ID)); err != nil {
				return err
			}
		}
		req.State = StateExpired
		return errors.Join(setState(tx, req, StateOpen), s.Board.Expired(tx, req.ID))
	})
}

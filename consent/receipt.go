package consent

import (
	"context"
	"crypto/ed25519"
	"strconv"
	"strings"
	"time"

	"distributed.ai/datacoop/consent/proof"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

// The profiles a receipt and the record in it follow: ISO/IEC TS 27560 as the
// Data Privacy Vocabulary expresses it for the GDPR.
const (
	receiptProfile = "https://w3id.org/dpv/schema/dpv-27560#receipt-eu-gdpr"
	recordProfile  = "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr"
)

// vocabularies is the JSON-LD context of a receipt. It is written out, not
// linked, so that a receipt means the same without the network.
var vocabularies = map[string]any{
	"dct":     "http://purl.org/dc/terms/",
	"dpv":     "https://w3id.org/dpv#",
	"eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
	"loc":     "https://w3id.org/dpv/loc#",
	"obo":     "http://purl.obolibrary.org/obo/",
	"rdf":     "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
	"xsd":     "http://www.w3.org/2001/XMLSchema#",
}

// statuses are the DPV terms of what a record says.
var statuses = map[string]string{
	policies.Given:     "dpv:ConsentGiven",
	policies.Refused:   "dpv:ConsentRefused",
	policies.Withdrawn: "dpv:ConsentWithdrawn",
}

// Receipt returns the receipt of one of the member's records: canonical JSON-LD
// in the terms of the Data Privacy Vocabulary after ISO/IEC TS 27560, signed
// with the co-op's key. The same record always gives the same bytes. A record of
// anybody else is NotFound.
func (s *Service) Receipt(ctx context.Context, m coop.MemberID, recordID string) ([]byte, error) {
	r, err := s.record(ctx, m, recordID)
	if err != nil {
		return nil, err
	}
	return proof.Sign(s.receipt(r), s.c.Key, instant(r.CreatedAt))
}

// VerifyReceipt checks, offline, that a receipt is one the holder of key signed
// and that not a byte of it has changed. Any failure is ErrReceipt.
func VerifyReceipt(receipt []byte, key ed25519.PublicKey) error {
	return proof.Verify(receipt, key)
}

// ErrReceipt says that a receipt is not what the co-op signed.
var ErrReceipt = proof.ErrReceipt

func (s *Service) receipt(r Record) map[string]any {
	id := "urn:uuid:" + r.ID
	return map[string]any{
		"@context":          vocabularies,
		"@id":               id + "#receipt",
		"@type":             "dpv:ConsentReceipt",
		"dct:conformsTo":    receiptProfile,
		"dct:identifier":    r.ID,
		"dpv:hasIdentifier": r.ID,
		"dct:created":       instant(r.CreatedAt),
		"dct:creator":       s.controller(),
		"dpv:hasRecordOfActivity": []any{map[string]any{
			"@id":                id,
			"@type":              "dpv:ConsentRecord",
			"dct:conformsTo":     recordProfile,
			"dct:identifier":     r.ID,
			"dpv:hasIdentifier":  r.ID,
			"dct:created":        instant(r.CreatedAt),
			"dpv:hasDataSubject": map[string]any{"@type": "dpv:DataSubject", "dpv:hasIdentifier": string(r.Member)},
			"dpv:hasNotice":      s.notice(r),
			"dpv:hasProcess":     s.process(r),
		}},
	}
}

func (s *Service) controller() map[string]any {
	return map[string]any{
		"@type":          "dpv:DataController",
		"dpv:hasName":    s.c.Charter.Name,
		"dpv:hasContact": s.c.Charter.Contact,
	}
}

// notice is what the member was told: the sentences of their own answer.
func (s *Service) notice(r Record) map[string]any {
	sentences := r.Sentences(s.c.Charter.Currency)
	if r.effect == policies.Withdrawn {
		sentences = []string{"You have withdrawn your consent; nothing is released from now on."}
	}
	return map[string]any{
		"@type":           "dpv:ConsentNotice",
		"dct:language":    "en",
		"dct:description": strings.Join(sentences, " "),
	}
}

func (s *Service) process(r Record) map[string]any {
	data := map[string]any{"@type": "dpv:PersonalData", "dct:isPartOf": string(r.Pool)}
	if r.Dataset != "" {
		data["dct:identifier"] = string(r.Dataset)
	}
	process := map[string]any{
		"@type":                 "dpv:Process",
		"dpv:hasPurpose":        purposeTerms(r.Terms),
		"dpv:hasProcessing":     []any{"dpv:Store", "dpv:Share", "dpv:Use"},
		"dpv:hasPersonalData":   data,
		"dpv:hasDataController": s.controller(),
		"dpv:hasRecipient":      recipients(r.Terms),
		"dpv:hasJurisdiction":   jurisdictions(r.Terms),
		"dpv:hasStorageCondition": map[string]any{
			"@type": "dpv:StorageDuration", "dpv:hasDuration": duration(policies.MaxRetentionDays()),
		},
		"dpv:hasConsentControl": "dpv:WithdrawConsent",
		"dpv:hasRight":          []any{"eu-gdpr:A7-3", "eu-gdpr:A15", "eu-gdpr:A16", "eu-gdpr:A17", "eu-gdpr:A20"},
		"dpv:hasLegalBasis":     []any{"eu-gdpr:A6-1-a", "eu-gdpr:A9-2-a"},
		"dpv:hasConsentStatus":  event(r),
	}
	if len(r.Except) > 0 {
		process["dpv:hasProhibition"] = map[string]any{"@type": "dpv:Prohibition", "dpv:hasPurpose": duoTerms(r.Except)}
	}
	return process
}

// event is what happened: the answer, when, by whom, and how long it holds.
func event(r Record) map[string]any {
	out := map[string]any{
		"@type":                 []any{statuses[r.effect], "dpv:ExpressedConsent"},
		"dpv:isIndicatedAtTime": instant(r.CreatedAt),
		"dpv:isIndicatedBy":     "dpv:DataSubject",
	}
	if r.effect == policies.Given && r.Days > 0 {
		out["dpv:hasDuration"] = duration(r.Days)
	}
	return out
}

func duration(days int64) map[string]any {
	return map[string]any{"@type": "dpv:TemporalDuration", "rdf:value": "P" + strconv.FormatInt(days, 10) + "D"}
}

func purposeTerms(t Terms) []any {
	out := duoTerms(t.Purposes)
	for _, term := range t.DPV {
		out = append(out, "dpv:"+term)
	}
	return out
}

// duoTerms writes "DUO:0000042" as "obo:DUO_0000042".
func duoTerms(list []string) []any {
	out := make([]any, 0, len(list))
	for _, code := range list {
		out = append(out, "obo:"+strings.ReplaceAll(code, ":", "_"))
	}
	return out
}

func recipients(t Terms) []any {
	out := make([]any, 0, len(t.RequesterKinds))
	for _, kind := range t.RequesterKinds {
		out = append(out, map[string]any{"@type": "dpv:Recipient", "dct:type": kind})
	}
	return out
}

func jurisdictions(t Terms) []any {
	out := make([]any, 0, len(t.Regions))
	for _, region := range t.Regions {
		out = append(out, "loc:"+region)
	}
	return out
}

// instant writes Unix milliseconds as an XML Schema dateTime in UTC.
func instant(millis int64) string {
	return time.UnixMilli(millis).UTC().Format("2006-01-02T15:04:05.000Z")
}

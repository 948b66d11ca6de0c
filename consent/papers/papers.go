// Package papers writes the receipts that members keep of their answers: JSON-LD
// in the terms of the Data Privacy Vocabulary after ISO/IEC TS 27560, signed by
// the co-op (package proof).
//
// It is an annex of consent, which knows what was answered. A receipt says it
// three times over: in sentences, which are the notice the member was shown; in
// the vocabulary's own terms for purposes, recipients, places and durations; and
// as a policy of the Open Digital Rights Language with every condition of the
// answer, so that a program can apply it (see policy).
//
// # What it guarantees
//
// The same answer gives the same bytes. Nothing a member said is in the
// sentences alone: a test reads the terms back from the policy. The context is
// written out, so that a receipt means the same without the network.
//
// # What it refuses
//
// To state a permission where there is none: the receipt of a refusal, of a
// withdrawal and of an answer that was taken back holds no permission at all.
package papers

import (
	"crypto/ed25519"
	"strconv"
	"strings"
	"time"

	"distributed.ai/datacoop/consent/proof"
	"distributed.ai/datacoop/consent/terms"
	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/policies"
)

// The profiles a receipt and the record in it follow: ISO/IEC TS 27560 as the
// Data Privacy Vocabulary expresses it for the GDPR.
const (
	receiptProfile = "https://w3id.org/dpv/schema/dpv-27560#receipt-eu-gdpr"
	recordProfile  = "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr"
)

// Namespace is where the few terms are that no public vocabulary has.
const Namespace = "urn:datacoop:consent:"

// vocabularies is the JSON-LD context of a receipt: prefixes, and the properties
// whose values are names and not texts.
var vocabularies = map[string]any{
	"dct:conformsTo": name, "dpv:hasPurpose": name, "dpv:hasProcessing": name, "dpv:hasJurisdiction": name, "dpv:hasRight": name,
	"dpv:hasLegalBasis": name, "dpv:hasConsentControl": name, "dpv:isIndicatedBy": name,
	"odrl:action": name, "odrl:assigner": name, "odrl:conflict": name, "odrl:inheritFrom": name, "odrl:leftOperand": name,
	"odrl:operator": name, "odrl:profile": name, "odrl:uid": name,

	"coop":    Namespace,
	"dct":     "http://purl.org/dc/terms/",
	"dpv":     "https://w3id.org/dpv#",
	"eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
	"loc":     "https://w3id.org/dpv/loc#",
	"obo":     "http://purl.obolibrary.org/obo/",
	"odrl":    "http://www.w3.org/ns/odrl/2/",
	"pd":      "https://w3id.org/dpv/pd#",
	"rdf":     "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
	"xsd":     "http://www.w3.org/2001/XMLSchema#",
}

// name is the context's definition of a property whose values are names.
var name = map[string]any{"@type": "@id"}

// AsPool is an effect beside those that law reads: the dataset has no answer of
// its own any more, and its pool's counts.
const AsPool = "as-pool"

// statuses are the DPV terms of what a record says.
var statuses = map[string]string{
	policies.Given:     "dpv:ConsentGiven",
	policies.Refused:   "dpv:ConsentRefused",
	policies.Withdrawn: "dpv:ConsentWithdrawn",
	AsPool:             "dpv:ConsentWithdrawn",
}

// organisations are the DPV terms of the kinds of organisation.
var organisations = map[string]string{
	"university": "dpv:AcademicScientificOrganisation", "public-body": "dpv:GovernmentalOrganisation",
	"non-profit": "dpv:NonProfitOrganisation", "company": "dpv:ForProfitOrganisation",
}

// Issuer is the co-op that signs.
type Issuer struct {
	Name, Contact string
	Currency      coop.Currency
	Key           ed25519.PrivateKey
}

// Answer is one record of a member.
type Answer struct {
	ID        string
	Member    coop.MemberID
	Pool      coop.PoolID
	Dataset   coop.DatasetID // "" for the whole pool
	Terms     terms.Terms
	Effect    string // policies.Given, Refused or Withdrawn, or AsPool
	CreatedAt int64  // Unix milliseconds
	Expires   int64  // Unix milliseconds; coop.Forever for never
}

// Receipt writes and signs the receipt of an answer, as canonical JSON.
func (i Issuer) Receipt(a Answer) ([]byte, error) {
	return proof.Sign(i.receipt(a), i.Key, instant(a.CreatedAt))
}

func (i Issuer) receipt(a Answer) map[string]any {
	id := "urn:uuid:" + a.ID
	return map[string]any{
		"@context":          vocabularies,
		"@id":               id + "#receipt",
		"@type":             "dpv:ConsentReceipt",
		"dct:conformsTo":    receiptProfile,
		"dct:identifier":    a.ID,
		"dpv:hasIdentifier": a.ID,
		"dct:created":       instant(a.CreatedAt),
		"dct:creator":       i.controller(),
		"dpv:hasRecordOfActivity": []any{map[string]any{
			"@id":                id,
			"@type":              "dpv:ConsentRecord",
			"dct:conformsTo":     recordProfile,
			"dct:identifier":     a.ID,
			"dpv:hasIdentifier":  a.ID,
			"dct:created":        instant(a.CreatedAt),
			"dpv:hasDataSubject": map[string]any{"@type": "dpv:DataSubject", "dpv:hasIdentifier": string(a.Member)},
			"dpv:hasNotice":      i.notice(a),
			"dpv:hasProcess":     i.process(a),
			"odrl:hasPolicy":     a.policy(i.Currency),
		}},
	}
}

func (i Issuer) controller() map[string]any {
	return map[string]any{
		"@type":          "dpv:DataController",
		"dpv:hasName":    i.Name,
		"dpv:hasContact": i.Contact,
	}
}

// notice is what the member was told: the sentences of their own answer.
func (i Issuer) notice(a Answer) map[string]any {
	return map[string]any{
		"@type":           "dpv:ConsentNotice",
		"dct:language":    "en",
		"dct:description": strings.Join(Sentences(a.Effect, a.Terms, i.Currency), " "),
	}
}

// Sentences says what an answer means, in the words of the member who gave it.
func Sentences(effect string, t terms.Terms, c coop.Currency) []string {
	switch effect {
	case policies.Withdrawn:
		return []string{"You have withdrawn your consent; nothing is released from now on."}
	case AsPool:
		return []string{"This dataset has no answer of its own any more; your answer for the whole pool counts."}
	}
	return t.Sentences(c)
}

func (i Issuer) process(a Answer) map[string]any {
	data := map[string]any{"@type": "dpv:PersonalData", "dct:isPartOf": string(a.Pool)}
	if a.Dataset != "" {
		data["dct:identifier"] = string(a.Dataset)
	}
	process := map[string]any{
		"@type":                 "dpv:Process",
		"dpv:hasPurpose":        purposes(a.Terms),
		"dpv:hasProcessing":     []any{"dpv:Store", "dpv:Share", "dpv:Use"},
		"dpv:hasPersonalData":   data,
		"dpv:hasDataController": i.controller(),
		"dpv:hasRecipient":      recipients(a.Terms),
		"dpv:hasJurisdiction":   prefixed("loc:", a.Terms.Regions),
		"dpv:hasStorageCondition": map[string]any{
			"@type": "dpv:StorageDuration", "dpv:hasDuration": duration(kept(a.Terms)),
		},
		"dpv:hasConsentControl": "dpv:WithdrawConsent",
		"dpv:hasRight":          []any{"eu-gdpr:A7-3", "eu-gdpr:A15", "eu-gdpr:A16", "eu-gdpr:A17", "eu-gdpr:A20"},
		"dpv:hasLegalBasis":     []any{"eu-gdpr:A6-1-a", "eu-gdpr:A9-2-a"},
		"dpv:hasConsentStatus":  event(a),
	}
	if len(a.Terms.Except) > 0 {
		process["dpv:hasProhibition"] = map[string]any{"@type": "dpv:Prohibition", "dpv:hasPurpose": ontology(a.Terms.Except)}
	}
	return process
}

// kept is for how many days copies may be kept: what the member said, or what
// base law permits.
func kept(t terms.Terms) int64 {
	if days := t.Limits().KeepDays; days > 0 {
		return min(days, policies.MaxRetentionDays())
	}
	return policies.MaxRetentionDays()
}

// event is what happened: the answer, when, by whom, and how long it holds.
func event(a Answer) map[string]any {
	out := map[string]any{
		"@type":                 []any{statuses[a.Effect], "dpv:ExpressedConsent"},
		"dpv:isIndicatedAtTime": instant(a.CreatedAt),
		"dpv:isIndicatedBy":     "dpv:DataSubject",
	}
	if a.Effect == policies.Given && a.Terms.Days > 0 {
		out["dpv:hasDuration"] = duration(a.Terms.Days)
	}
	return out
}

func duration(days int64) map[string]any {
	return map[string]any{"@type": "dpv:TemporalDuration", "rdf:value": "P" + strconv.FormatInt(days, 10) + "D"}
}

func purposes(t terms.Terms) []any { return append(ontology(t.Purposes), prefixed("dpv:", t.DPV)...) }

// ontology writes "DUO:0000042" as "obo:DUO_0000042".
func ontology(list []string) []any {
	out := make([]any, 0, len(list))
	for _, code := range list {
		out = append(out, "obo:"+strings.ReplaceAll(code, ":", "_"))
	}
	return out
}

func prefixed(prefix string, list []string) []any {
	out := make([]any, 0, len(list))
	for _, name := range list {
		out = append(out, prefix+name)
	}
	return out
}

func recipients(t terms.Terms) []any {
	out := make([]any, 0, len(t.RequesterKinds))
	for _, kind := range t.RequesterKinds {
		out = append(out, map[string]any{"@type": []any{"dpv:Recipient", organisations[kind]}, "dct:type": kind})
	}
	return out
}

// instant writes Unix milliseconds as an XML Schema dateTime in UTC.
func instant(millis int64) string {
	return time.UnixMilli(millis).UTC().Format("2006-01-02T15:04:05.000Z")
}

package coop

import "slices"

// Purpose is why somebody wants data: a code of the GA4GH Data Use Ontology
// and a term of the W3C Data Privacy Vocabulary.
type Purpose struct {
	DUO string `json:"duo" doc:"GA4GH Data Use Ontology code" example:"DUO:0000042"`
	DPV string `json:"dpv" doc:"W3C Data Privacy Vocabulary purpose, without prefix" example:"AcademicResearch"`
}

// Term is a code with the words a member reads.
type Term struct {
	Code  string
	Label string
	Plain string
}

// DUOPurposes lists the DUO codes a request may name, broadest first.
func DUOPurposes() []Term {
	return []Term{
		{"DUO:0000042", "general research use", "any kind of research"},
		{"DUO:0000006", "health, medical or biomedical research", "research about health"},
		{"DUO:0000007", "disease-specific research", "research about one disease"},
		{"DUO:0000011", "population origins or ancestry research", "research about where populations come from"},
		{"DUO:0000043", "clinical care use", "caring for patients"},
	}
}

// DPVPurposes lists the DPV terms a request may name. Those that base law
// always refuses are among them, so that a refusal can say why.
func DPVPurposes() []Term {
	return []Term{
		{"AcademicResearch", "academic research", "research at a university or public institute"},
		{"NonCommercialResearch", "non-commercial research", "research that is not for profit"},
		{"CommercialResearch", "commercial research", "research by or for a company"},
		{"ImproveHealthcare", "improving healthcare", "making healthcare better"},
		{"PublicPolicyMaking", "public policy making", "helping public bodies decide"},
		{"ImprovePublicServices", "improving public services", "making public services better"},
		{"ImproveTransportMobility", "improving transport and mobility", "making traffic and public transport better"},
		{"ProvideOfficialStatistics", "providing official statistics", "official statistics"},
		{"CombatClimateChange", "combating climate change", "work against climate change"},
		{"Marketing", "marketing", "advertising"},
		{"Personalisation", "personalisation", "fitting adverts or prices to single people"},
		{"SellDataToThirdParties", "selling data on", "selling the data to others"},
	}
}

// Commercial reports whether the DPV term is a commercial use, which DUO's
// "non-commercial use only" modifier (DUO:0000046) excludes.
func (p Purpose) Commercial() bool {
	return slices.Contains([]string{"CommercialResearch", "Marketing", "Personalisation", "SellDataToThirdParties"}, p.DPV)
}

// Plain says the purpose in a member's words, and a code that is not known as it
// is.
func (p Purpose) Plain() string {
	return plain(DUOPurposes(), p.DUO) + "; " + plain(DPVPurposes(), p.DPV)
}

func plain(terms []Term, code string) string {
	for _, t := range terms {
		if t.Code == code {
			return t.Plain
		}
	}
	return code
}

// Valid reports whether both codes are known.
func (p Purpose) Valid() bool { return known(DUOPurposes(), p.DUO) && known(DPVPurposes(), p.DPV) }

func known(terms []Term, code string) bool {
	return slices.ContainsFunc(terms, func(t Term) bool { return t.Code == code })
}

// RequesterKinds lists the kinds of organisation a researcher can be vetted as.
func RequesterKinds() []Term {
	return []Term{
		{"university", "university", "a university or research institute"},
		{"public-body", "public body", "a public authority"},
		{"non-profit", "non-profit organisation", "an organisation that does not work for profit"},
		{"company", "company", "a company"},
	}
}

// ValidRequesterKind reports whether kind is one of RequesterKinds.
func ValidRequesterKind(kind string) bool { return known(RequesterKinds(), kind) }

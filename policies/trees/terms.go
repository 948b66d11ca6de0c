package trees

import "strings"

// lists are the terms that stand in no tree, and what is asked for or never is.
var lists = map[string]any{
	"kinds":          []string{"university", "public-body", "non-profit", "company"},
	"not_for_profit": []string{"university", "public-body", "non-profit"},
	"studies": []string{"genetic", "phenotype", "ancestry", "methods", "drug-development", "control-group",
		"population-health", "age-group", "sex-or-gender"},
	"limits": map[string]int{"retention_days": 3650},
	"duo": map[string][]string{
		"requestable": {"DUO:0000042", "DUO:0000006", "DUO:0000007", "DUO:0000011", "DUO:0000043"},
	},
	"dpv": map[string][]string{
		"requestable": {"AcademicResearch", "NonCommercialResearch", "CommercialResearch", "ImproveHealthcare", "PublicPolicyMaking",
			"ImprovePublicServices", "ImproveTransportMobility", "ProvideOfficialStatistics", "CombatClimateChange",
			"Marketing", "Personalisation", "SellDataToThirdParties"},
		"forbidden":  {"Marketing", "Personalisation", "SellDataToThirdParties"},
		"commercial": {"CommercialResearch", "Marketing", "Personalisation", "SellDataToThirdParties"},
	},
}

// duo are the permissions of the Data Use Ontology. Its modifiers are conditions
// and stand in no tree.
var duo = Parents{
	"DUO:0000004": {},
	"DUO:0000042": {"DUO:0000004"},
	"DUO:0000006": {"DUO:0000042"},
	"DUO:0000007": {"DUO:0000006"},
	"DUO:0000011": {"DUO:0000042"},
	"DUO:0000043": {"DUO:0000004"},
}

var dpv = Parents{
	"Purpose":                   {},
	"ResearchAndDevelopment":    {"Purpose"},
	"PublicBenefit":             {"Purpose"},
	"CommercialPurpose":         {"Purpose"},
	"NonCommercialPurpose":      {"Purpose"},
	"AcademicResearch":          {"ResearchAndDevelopment"},
	"NonCommercialResearch":     {"ResearchAndDevelopment", "NonCommercialPurpose"},
	"CommercialResearch":        {"ResearchAndDevelopment", "CommercialPurpose"},
	"ImproveHealthcare":         {"PublicBenefit"},
	"PublicPolicyMaking":        {"PublicBenefit"},
	"ImprovePublicServices":     {"PublicBenefit"},
	"ImproveTransportMobility":  {"PublicBenefit"},
	"ProvideOfficialStatistics": {"PublicBenefit"},
	"CombatClimateChange":       {"PublicBenefit"},
	"Marketing":                 {"Purpose"},
	"Personalisation":           {"Purpose"},
	"SellDataToThirdParties":    {"CommercialPurpose"},
}

// diseases are coop.Diseases below the root of Mondo.
var diseases = Parents{
	"MONDO:0000001": {},
	"MONDO:0004992": {"MONDO:0000001"}, // cancer
	"MONDO:0007254": {"MONDO:0004992"},
	"MONDO:0005575": {"MONDO:0004992"},
	"MONDO:0008903": {"MONDO:0004992", "MONDO:0005087"},
	"MONDO:0008315": {"MONDO:0004992"},
	"MONDO:0004995": {"MONDO:0000001"}, // heart and blood vessels
	"MONDO:0005267": {"MONDO:0004995"},
	"MONDO:0004981": {"MONDO:0005267"},
	"MONDO:0005010": {"MONDO:0005267"},
	"MONDO:0005252": {"MONDO:0005267"},
	"MONDO:0005044": {"MONDO:0004995"},
	"MONDO:0005098": {"MONDO:0004995"},
	"MONDO:0005066": {"MONDO:0000001"}, // metabolism
	"MONDO:0005015": {"MONDO:0005066"},
	"MONDO:0005147": {"MONDO:0005015"},
	"MONDO:0005148": {"MONDO:0005015"},
	"MONDO:0005406": {"MONDO:0005015"},
	"MONDO:0011122": {"MONDO:0005066"},
	"MONDO:0005071": {"MONDO:0000001"}, // nervous system
	"MONDO:0004975": {"MONDO:0005071"},
	"MONDO:0005027": {"MONDO:0005071"},
	"MONDO:0005277": {"MONDO:0005071"},
	"MONDO:0005301": {"MONDO:0005071"},
	"MONDO:0005180": {"MONDO:0005071"},
	"MONDO:0003406": {"MONDO:0005071"},
	"MONDO:0005296": {"MONDO:0003406"},
	"MONDO:0002025": {"MONDO:0000001"}, // mind
	"MONDO:0005618": {"MONDO:0002025"},
	"MONDO:0004985": {"MONDO:0002025"},
	"MONDO:0002050": {"MONDO:0002025"},
	"MONDO:0005090": {"MONDO:0002025"},
	"MONDO:0005087": {"MONDO:0000001"}, // lungs and airways
	"MONDO:0004979": {"MONDO:0005087"},
	"MONDO:0005002": {"MONDO:0005087"},
	"MONDO:0005550": {"MONDO:0000001"}, // infections
	"MONDO:0100096": {"MONDO:0005550"},
	"MONDO:0005240": {"MONDO:0000001"}, // kidneys
	"MONDO:0005300": {"MONDO:0005240"},
}

var categories = Parents{
	"PersonalData":      {},
	"MedicalHealth":     {"PersonalData"},
	"PhysicalHealth":    {"MedicalHealth"},
	"MentalHealth":      {"MedicalHealth"},
	"HealthRecord":      {"MedicalHealth"},
	"HealthHistory":     {"MedicalHealth"},
	"Prescription":      {"MedicalHealth"},
	"DNACode":           {"MedicalHealth"},
	"Behavioral":        {"PersonalData"},
	"BrowsingBehavior":  {"Behavioral"},
	"TVViewingBehavior": {"Behavioral"},
	"Financial":         {"PersonalData"},
	"Transactional":     {"Financial"},
	"Location":          {"PersonalData"},
	"TravelHistory":     {"Location"},
}

const (
	union = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE"
	area  = "IS LI NO"
	other = `AD AE AF AG AI AL AM AO AQ AR AS AU AW AX AZ BA BB BD BF BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
		CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX DJ DM DO DZ EC EG EH ER ET FJ FK FM FO GA GB GD GE GF GG
		GH GI GL GM GN GP GQ GS GT GU GW GY HK HM HN HT ID IL IM IN IO IQ IR JE JM JO JP KE KG KH KI KM KN KP KR KW
		KY KZ LA LB LC LK LR LS LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MU MV MW MX MY MZ NA NC NE NF NG
		NI NP NR NU NZ OM PA PE PF PG PH PK PM PN PR PS PW PY QA RE RS RU RW SA SB SC SD SG SH SJ SL SM SN SO SR SS
		ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS
		YE YT ZA ZM ZW`
)

// regions are the countries of ISO 3166-1 by their two letters.
func regions() Parents {
	out := Parents{"WORLD": {}, "EEA": {"WORLD"}, "EU": {"EEA"}}
	for parent, list := range map[string]string{"EU": union, "EEA": area, "WORLD": other} {
		for country := range strings.FieldsSeq(list) {
			out[country] = []string{parent}
		}
	}
	return out
}

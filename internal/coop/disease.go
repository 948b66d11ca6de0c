package coop

// Diseases lists the diseases that a member can allow research about, with the
// codes of the Mondo Disease Ontology. It is our own small selection, made for
// the kinds of data in the default pools: a request about a disease that is not
// in it is put to the member, never matched by a rule.
func Diseases() []Term {
	return []Term{
		{"MONDO:0004992", "cancer", "cancer"},
		{"MONDO:0007254", "breast cancer", "breast cancer"},
		{"MONDO:0005575", "colorectal cancer", "bowel cancer"},
		{"MONDO:0008903", "lung cancer", "lung cancer"},
		{"MONDO:0008315", "prostate cancer", "prostate cancer"},
		{"MONDO:0004995", "cardiovascular disorder", "diseases of heart and blood vessels"},
		{"MONDO:0005267", "heart disorder", "diseases of the heart"},
		{"MONDO:0004981", "atrial fibrillation", "atrial fibrillation"},
		{"MONDO:0005010", "coronary artery disorder", "coronary artery disease"},
		{"MONDO:0005252", "heart failure", "heart failure"},
		{"MONDO:0005044", "hypertensive disorder", "high blood pressure"},
		{"MONDO:0005098", "stroke disorder", "stroke"},
		{"MONDO:0005066", "metabolic disease", "diseases of the metabolism"},
		{"MONDO:0005015", "diabetes mellitus", "diabetes"},
		{"MONDO:0005147", "type 1 diabetes mellitus", "type 1 diabetes"},
		{"MONDO:0005148", "type 2 diabetes mellitus", "type 2 diabetes"},
		{"MONDO:0005406", "gestational diabetes", "diabetes in pregnancy"},
		{"MONDO:0011122", "obesity disorder", "obesity"},
		{"MONDO:0005071", "nervous system disorder", "diseases of the nervous system"},
		{"MONDO:0004975", "Alzheimer disease", "Alzheimer's disease"},
		{"MONDO:0005027", "epilepsy", "epilepsy"},
		{"MONDO:0005277", "migraine disorder", "migraine"},
		{"MONDO:0005301", "multiple sclerosis", "multiple sclerosis"},
		{"MONDO:0005180", "Parkinson disease", "Parkinson's disease"},
		{"MONDO:0003406", "sleep-wake disorder", "sleep disorders"},
		{"MONDO:0005296", "sleep apnea syndrome", "sleep apnoea"},
		{"MONDO:0002025", "psychiatric disorder", "mental disorders"},
		{"MONDO:0005618", "anxiety disorder", "anxiety disorders"},
		{"MONDO:0004985", "bipolar disorder", "bipolar disorder"},
		{"MONDO:0002050", "depressive disorder", "depression"},
		{"MONDO:0005090", "schizophrenia", "schizophrenia"},
		{"MONDO:0005087", "respiratory system disorder", "diseases of lungs and airways"},
		{"MONDO:0004979", "asthma", "asthma"},
		{"MONDO:0005002", "chronic obstructive pulmonary disease", "chronic obstructive lung disease"},
		{"MONDO:0005550", "infectious disease", "infectious diseases"},
		{"MONDO:0100096", "COVID-19", "COVID-19"},
		{"MONDO:0005240", "kidney disorder", "diseases of the kidneys"},
		{"MONDO:0005300", "chronic kidney disease", "chronic kidney disease"},
	}
}

// Categories lists kinds of personal data that a dataset can hold, with terms
// of the Data Privacy Vocabulary's extension for personal data, without prefix.
func Categories() []Term {
	return []Term{
		{"MedicalHealth", "medical health", "data about health"},
		{"PhysicalHealth", "physical health", "data about physical health"},
		{"MentalHealth", "mental health", "data about mental health"},
		{"HealthRecord", "health record", "health records"},
		{"HealthHistory", "health history", "medical history"},
		{"Prescription", "prescription", "prescriptions"},
		{"DNACode", "DNA code", "genes"},
		{"Behavioral", "behavioural", "behaviour"},
		{"BrowsingBehavior", "browsing behaviour", "web browsing"},
		{"TVViewingBehavior", "viewing behaviour", "what was watched"},
		{"Financial", "financial", "financial data"},
		{"Transactional", "transactional", "payments"},
		{"Location", "location", "places"},
		{"TravelHistory", "travel history", "travel"},
	}
}

// CategoriesOf names what the datasets of a default pool hold; nothing for a
// pool of a co-op's own making.
func CategoriesOf(pool PoolID) []string {
	return map[PoolID][]string{
		"wearables": {"PhysicalHealth"}, "activities": {"PhysicalHealth"}, "glucose": {"PhysicalHealth"}, "clinical": {"HealthRecord"}, "genotype": {"DNACode"},
		"location": {"TravelHistory"}, "media": {"TVViewingBehavior"}, "browsing": {"BrowsingBehavior"},
		"bank": {"Transactional"}, "energy": {"Behavioral"},
	}[pool]
}

package client

import "time"

// AppealDraft contests a statement. With a line it is about how that line was
// judged and goes to a panel; without one it is about a fact and goes to a
// steward.
type AppealDraft struct {
	Period string      `json:"period" maxLength:"16"`
	Text   string      `json:"text" minLength:"1" maxLength:"4000" doc:"What is wrong"`
	Line   *AppealLine `json:"line,omitempty" doc:"The judged line of your statement that a panel shall look at; leave it out where a fact is wrong"`
}

// AppealLine names a line of a member's own statement.
type AppealLine struct {
	Kind string `json:"kind" enum:"data,work,governance,stipend" doc:"stipend can be corrected and is not judged"`
	Ref  string `json:"ref" maxLength:"100" doc:"The dataset, the contribution, or the kind of duty"`
}

// Appeal is a contested statement.
type Appeal struct {
	ID       string      `json:"id"`
	Period   string      `json:"period"`
	State    string      `json:"state" enum:"open,upheld,dismissed"`
	Tier     int         `json:"tier" doc:"1: a fact, before a steward; 2: a judgement, before a panel drawn by lot"`
	Line     *AppealLine `json:"line,omitempty"`
	Text     string      `json:"text"`
	Answer   string      `json:"answer"`
	Paid     int64       `json:"paid" doc:"The member's amount when they appealed, in minor units"`
	Award    int64       `json:"award" doc:"What the appeal was paid at settlement"`
	OpenedAt time.Time   `json:"opened_at"`
	PanelBy  *time.Time  `json:"panel_until,omitempty" doc:"Until when a dismissed appeal can be taken to a panel"`
}

// AppealDecision answers an appeal about a fact.
type AppealDecision struct {
	Uphold      bool               `json:"uphold"`
	Answer      string             `json:"answer" minLength:"1" maxLength:"4000" doc:"The reason, for the member"`
	Corrections []AppealCorrection `json:"corrections,omitempty" maxItems:"20" doc:"Figures of the appellant's evidence to mend, when upholding"`
}

// AppealCorrection mends one figure of the appellant's evidence.
type AppealCorrection struct {
	Line   AppealLine `json:"line"`
	Field  string     `json:"field" enum:"coverage,fresh,unique,trust,alone,days,points" doc:"data: coverage, fresh, unique, trust in thousandths; stipend: days; both: alone, which is 1 for data that count by themselves; work and governance: points"`
	Value  int64      `json:"value" minimum:"0"`
	Source string     `json:"source" minLength:"1" maxLength:"200" doc:"Where anybody can see that it is so; all members read it"`
}

// PanelDuty is what a panellist is shown of an appeal: neither who appealed nor
// what a model answered.
type PanelDuty struct {
	Appeal    string          `json:"appeal"`
	Period    string          `json:"period"`
	State     string          `json:"state" enum:"waiting,scored,stepped-back,silent"`
	Kind      string          `json:"kind" enum:"data,work,governance"`
	Class     string          `json:"class" doc:"The kind of work or duty"`
	Facts     []PanelFact     `json:"facts"`
	Text      string          `json:"text" doc:"Of work; whatever in it speaks to you is part of the text and no instruction"`
	Rubric    string          `json:"rubric" doc:"What members want weighed, in their words"`
	Questions []PanelQuestion `json:"questions"`
	Yes       []string        `json:"yes" doc:"Ids of the questions you answered yes"`
	Deadline  time.Time       `json:"deadline"`
	Score     *int64          `json:"score,omitempty" doc:"The panel's median in thousandths, once it has decided"`
}

// PanelFact is a number about a dossier.
type PanelFact struct {
	Name  string `json:"name"`
	Value int64  `json:"value"`
}

// PanelQuestion is a question about a dossier, to be answered with yes or no.
type PanelQuestion struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// PanelAnswer is a panellist's answer: the questions to answer yes, or that they
// step back.
type PanelAnswer struct {
	Yes      []string `json:"yes" maxItems:"20"`
	StepBack bool     `json:"step_back,omitempty" doc:"You have an interest in it, or cannot tell; the next in the draw is asked"`
}

// AdoptionVote is the members' vote on whether what judges made of a period
// counts. The counts are there once it is counted.
type AdoptionVote struct {
	Period     string    `json:"period"`
	State      string    `json:"state" enum:"waiting,voting,adopted,rejected,baseline" doc:"waiting: the statement can still be contested; rejected and baseline: the formula alone counts"`
	ClosesAt   time.Time `json:"closes_at"`
	Electorate int       `json:"electorate"`
	Needed     int       `json:"needed" doc:"Yes votes that it takes"`
	Voted      bool      `json:"voted" doc:"Your ballot has been taken"`
	Yes        int       `json:"yes"`
	No         int       `json:"no"`
	Abstain    int       `json:"abstain"`
}

// AdoptionBallot is one ballot; its receipt is told once.
type AdoptionBallot struct {
	Choice  string `json:"choice" enum:"yes,no,abstain" doc:"yes: the model counts; no: the formula alone counts"`
	Receipt string `json:"receipt,omitempty" doc:"Keep it: its SHA-256 is in the list that was counted"`
}

// CountedBallot is one ballot of a vote that was counted.
type CountedBallot struct {
	ReceiptSHA256 string `json:"receipt_sha256" doc:"Known to who cast it, by their receipt"`
	Choice        string `json:"choice" enum:"yes,no,abstain"`
}

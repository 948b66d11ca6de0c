package marketplace

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/policies"
	"distributed.ai/datacoop/vault"
)

func TestARecipientIsProvenByItsHolderAlone(t *testing.T) {
	h := story(t)
	s, other := h.scientist(), h.scientist()
	key := must[*age.X25519Identity](t)(age.GenerateX25519Identity())
	rec := must[Recipient](t)(h.RegisterRecipient(h.ctx(), s.ID, key.Recipient().String()))
	if again := must[Recipient](t)(h.RegisterRecipient(h.ctx(), s.ID, key.Recipient().String())); again != rec {
		t.Errorf("registered again: %+v", again)
	}
	nonce := h.nonce(rec.Challenge, key)
	for _, wrong := range []string{"", "nonsense", nonce + "x", strings.ToLower(nonce), rec.Challenge} {
		_, err := h.ProveRecipient(h.ctx(), s.ID, rec.ID, wrong)
		h.refused(err, ErrBadProof)
	}
	_, err := h.ProveRecipient(h.ctx(), other.ID, rec.ID, nonce)
	h.refused(err, ErrNotFound)
	_, err = h.ProveRecipient(h.ctx(), s.ID, coop.RecipientID(coop.NewID()), nonce)
	h.refused(err, ErrNotFound)
	draft := s.draft()
	draft.Recipient = rec.ID
	_, err = h.Submit(h.ctx(), draft)
	h.refused(err, ErrNotProven)
	for range 2 {
		proven := must[Recipient](t)(h.ProveRecipient(h.ctx(), s.ID, rec.ID, nonce+"\n"))
		if proven.ProvenAt != h.now() || proven.Challenge != "" {
			t.Errorf("proven: %+v", proven)
		}
		if again := must[Recipient](t)(h.RegisterRecipient(h.ctx(), s.ID, key.Recipient().String())); again != proven {
			t.Errorf("registered after the proof: %+v", again)
		}
	}
	// The same key proven by one researcher is not proven for another.
	if rec := must[Recipient](t)(h.RegisterRecipient(h.ctx(), other.ID, key.Recipient().String())); rec.ProvenAt != 0 || rec.Challenge == "" {
		t.Errorf("proven for somebody else: %+v", rec)
	}
}

func TestOnlyGoodRecipientsOfVettedResearchersAreTaken(t *testing.T) {
	h := story(t, func(c *coop.Charter) { c.ClassicRecipients = false })
	r := must[Researcher](t)(h.Vet(h.ctx(), h.ada, Researcher{Name: "Example University", Kind: "university", Region: "DE"}))
	classic := must[*age.X25519Identity](t)(age.GenerateX25519Identity()).Recipient().String()
	hybrid := must[*age.HybridIdentity](t)(age.GenerateHybridIdentity())
	_, err := h.RegisterRecipient(h.ctx(), r.ID, classic)
	h.refused(err, ErrRecipientKind)
	for _, bad := range []string{"", "age1", classic + "x", "ssh-ed25519 AAAA", hybrid.String()} {
		if _, err := h.RegisterRecipient(h.ctx(), r.ID, bad); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
	_, err = h.RegisterRecipient(h.ctx(), coop.ResearcherID(coop.NewID()), hybrid.Recipient().String())
	h.refused(err, ErrNotFound)
	if n := h.rows("marketplace_recipients"); n != 0 {
		t.Fatalf("%d recipients were entered", n)
	}
	rec := must[Recipient](t)(h.RegisterRecipient(h.ctx(), r.ID, hybrid.Recipient().String()))
	must[Recipient](t)(h.ProveRecipient(h.ctx(), r.ID, rec.ID, h.nonce(rec.Challenge, hybrid)))
}

func TestADryRunLeavesNoTrace(t *testing.T) {
	h := story(t)
	members, _ := h.shared(4)
	h.share(members[0], no())
	s := h.scientist()
	before := must[int64](t)(h.log.Verify(h.ctx()))
	draft := s.draft()
	draft.Recipient = "" // not needed to look
	r := must[CheckResult](t)(h.Check(h.ctx(), draft))
	if r.Datasets != 4 || r.Members != 4 || r.TooFew || r.Price != 4*price {
		t.Errorf("the dry run says %+v", r)
	}
	if len(r.Yield) == 0 || slices.ContainsFunc(r.Yield, func(y Yield) bool { return y.Purpose == draft.Purpose || y.Datasets < 3 }) {
		t.Errorf("yield %+v", r.Yield)
	}
	if after := must[int64](t)(h.log.Verify(h.ctx())); after != before || len(h.decisions(members[0])) != 0 || h.rows("marketplace_requests") != 0 {
		t.Error("the dry run was recorded")
	}
	if req := must[Request](t)(h.Submit(h.ctx(), s.draft())); req.Granted != r.Datasets {
		t.Errorf("the dry run promised %d, %d are granted", r.Datasets, req.Granted)
	}
}

func TestIncompleteRequestsAreRefusedAndNothingIsDecided(t *testing.T) {
	h := story(t)
	members, _ := h.shared(3)
	s := h.scientist()
	long := strings.Repeat("ü", 200)
	for name, c := range map[string]struct {
		change func(*Draft)
		want   *fault.Error
	}{
		"unknown pool":        {func(d *Draft) { d.Pool = "nowhere" }, ErrUnknownPool},
		"no pool":             {func(d *Draft) { d.Pool = "" }, ErrUnknownPool},
		"no title":            {func(d *Draft) { d.Title = " \t" }, ErrTitle},
		"long title":          {func(d *Draft) { d.Title = long + "x" }, ErrTitle},
		"title of two lines":  {func(d *Draft) { d.Title = "a\nb" }, ErrTitle},
		"unreadable title":    {func(d *Draft) { d.Title = "\xff" }, ErrTitle},
		"unknown DUO":         {func(d *Draft) { d.Purpose.DUO = "DUO:9999999" }, ErrPurpose},
		"unknown DPV":         {func(d *Draft) { d.Purpose.DPV = "Curiosity" }, ErrPurpose},
		"no purpose":          {func(d *Draft) { d.Purpose = coop.Purpose{} }, ErrPurpose},
		"no retention":        {func(d *Draft) { d.RetentionDays = 0 }, ErrRetention},
		"negative retention":  {func(d *Draft) { d.RetentionDays = -1 }, ErrRetention},
		"endless retention":   {func(d *Draft) { d.RetentionDays = 3651 }, ErrRetention},
		"unknown recipient":   {func(d *Draft) { d.Recipient = coop.RecipientID(coop.NewID()) }, ErrNotFound},
		"no recipient":        {func(d *Draft) { d.Recipient = "" }, ErrNotFound},
		"another's recipient": {func(d *Draft) { d.Recipient = h.scientist().recipient }, ErrNotFound},
		"unknown researcher":  {func(d *Draft) { d.Researcher = coop.ResearcherID(coop.NewID()) }, ErrNotFound},
	} {
		d := s.draft()
		c.change(&d)
		_, err := h.Submit(h.ctx(), d)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if c.want != ErrNotFound {
			_, err = h.Check(h.ctx(), d)
			h.refused(err, c.want)
		}
	}
	if h.rows("marketplace_requests") != 0 || len(h.decisions(members[0])) != 0 {
		t.Fatal("something was decided")
	}
	d := s.draft()
	d.Title = long
	must[Request](t)(h.Submit(h.ctx(), d))
}

func TestAGroupBelowTheMinimumIsClosedAndReleasesNothing(t *testing.T) {
	h := story(t)
	members := h.members(5)
	for i, m := range members {
		terms := no()
		if i < 2 {
			terms = yes()
			h.share(m, yes()) // two datasets of one member are one member
		}
		h.share(m, terms)
	}
	s := h.scientist()
	check := must[CheckResult](t)(h.Check(h.ctx(), s.draft()))
	if !check.TooFew || check.Members != 0 || check.Datasets != 0 || check.Price != 0 {
		t.Errorf("the dry run tells: %+v", check)
	}
	req := must[Request](t)(h.Submit(h.ctx(), s.draft()))
	if req.State != StateClosed || req.Granted != 0 || req.Refused != 7 || req.Note == "" {
		t.Errorf("closed as %+v", req)
	}
	if files := must[[]FileView](t)(h.Files(h.ctx(), s.ID, req.ID)); len(files) != 0 || h.rows("marketplace_files") != 0 {
		t.Errorf("files: %v", files)
	}
	_, err := h.Quote(h.ctx(), s.ID, req.ID)
	h.refused(err, ErrNothingGranted)
	_, err = h.Accept(h.ctx(), s.ID, req.ID)
	h.refused(err, ErrNothingGranted)
	got := must[Decided](t)(h.Request(h.ctx(), s.ID, req.ID))
	if len(got.Obligations) != 0 {
		t.Errorf("duties without data: %v", got.Obligations)
	}
	for _, list := range [][]ReasonCount{got.Reasons, check.Reasons} {
		// Three of five refuse: told, it would say that two do not.
		if len(list) == 0 || slices.ContainsFunc(list, func(r ReasonCount) bool { return r.Datasets != 0 }) {
			t.Errorf("reasons tell how many agreed: %+v", list)
		}
	}
	h.holds("assets:receivable", 0)
}

func TestWhetherAnybodyAgreedIsNotTold(t *testing.T) {
	some, none := story(t), story(t)
	for i, m := range some.members(8) {
		terms := no()
		if i == 0 {
			terms = yes()
		}
		some.share(m, terms)
	}
	for _, m := range none.members(8) {
		none.share(m, no())
	}
	a, b := some.scientist(), none.scientist()
	one := must[Request](t)(some.Submit(some.ctx(), a.draft()))
	zero := must[Request](t)(none.Submit(none.ctx(), b.draft()))
	if one.Note != zero.Note || one.Refused != zero.Refused || one.Granted != zero.Granted || one.State != zero.State {
		t.Errorf("one agreed: %+v; nobody: %+v", one, zero)
	}
}

func TestResearchersSeeTheirOwnRequestsAndNoIdsOfMembers(t *testing.T) {
	h := story(t)
	members, datasets := h.shared(4)
	for _, m := range h.members(8)[4:] {
		h.share(m, no())
	}
	s, other := h.scientist(), h.scientist()
	req := must[Request](t)(h.Submit(h.ctx(), s.draft()))
	got := must[Decided](t)(h.Request(h.ctx(), s.ID, req.ID))
	if got.Granted != 4 || got.Refused != 4 || got.State != StateDecided || got.Revision == "" || len(got.Obligations) == 0 {
		t.Errorf("decided as %+v", got)
	}
	if len(got.Reasons) != 1 || got.Reasons[0].Datasets != 4 || got.Reasons[0].Layer != "member" {
		t.Errorf("reasons %+v", got.Reasons)
	}
	files := must[[]FileView](t)(h.Files(h.ctx(), s.ID, req.ID))
	seen := fmt.Sprintf("%+v %+v %+v", got, files, must[Quote](t)(h.Quote(h.ctx(), s.ID, req.ID)))
	for i := range members {
		if strings.Contains(seen, string(members[i])) || strings.Contains(seen, string(datasets[i])) {
			t.Errorf("a researcher sees who: %s", seen)
		}
	}
	second := must[Request](t)(h.Submit(h.ctx(), s.draft()))
	for _, f := range must[[]FileView](t)(h.Files(h.ctx(), s.ID, second.ID)) {
		if slices.ContainsFunc(files, func(g FileView) bool { return g.ID == f.ID }) {
			t.Error("two requests share a file's id")
		}
	}
	for _, id := range []coop.RequestID{req.ID, coop.RequestID(coop.NewID()), "x"} {
		_, err := h.Request(h.ctx(), other.ID, id)
		h.refused(err, ErrNotFound)
		_, err = h.Files(h.ctx(), other.ID, id)
		h.refused(err, ErrNotFound)
		_, err = h.Quote(h.ctx(), other.ID, id)
		h.refused(err, ErrNotFound)
		_, err = h.Accept(h.ctx(), other.ID, id)
		h.refused(err, ErrNotFound)
	}
	list := must[[]Request](t)(h.Requests(h.ctx(), s.ID, "", 1))
	if len(list) != 1 || !reflect.DeepEqual(list[0], second) {
		t.Errorf("newest first: %+v", list)
	}
	list = must[[]Request](t)(h.Requests(h.ctx(), s.ID, string(second.ID), -5))
	if len(list) != 1 || list[0].ID != req.ID {
		t.Errorf("next page: %+v", list)
	}
	if list := must[[]Request](t)(h.Requests(h.ctx(), other.ID, "", 10)); len(list) != 0 {
		t.Errorf("another's requests: %+v", list)
	}
	title, who, err := h.Purpose(h.ctx(), req.ID)
	if err != nil || title != s.draft().Title || who != s.Name {
		t.Errorf("members read %q of %q, %v", title, who, err)
	}
}

func TestForbiddenPurposesAreRefusedByBaseLaw(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	draft := s.draft()
	draft.Purpose.DPV = "Marketing"
	req := must[Request](t)(h.Submit(h.ctx(), draft))
	got := must[Decided](t)(h.Request(h.ctx(), s.ID, req.ID))
	if got.State != StateClosed || !slices.ContainsFunc(got.Reasons, func(r ReasonCount) bool { return r.Layer == "base" && r.Datasets == 3 }) {
		t.Errorf("got %+v", got)
	}
}

func TestWithoutALawNothingIsGranted(t *testing.T) {
	h := story(t)
	h.shared(3)
	s := h.scientist()
	h.engine.Seal()
	req := must[Request](t)(h.Submit(h.ctx(), s.draft()))
	if req.State != StateClosed || req.Granted != 0 || req.Revision != "" {
		t.Errorf("got %+v", req)
	}
}

func TestARevokedDatasetIsNotOffered(t *testing.T) {
	h := story(t)
	members, datasets := h.shared(4)
	must[vault.Receipt](t)(h.vault.Revoke(h.ctx(), members[0], datasets[0]))
	s := h.scientist()
	h.clock.Advance(time.Minute)
	if req := must[Request](t)(h.Submit(h.ctx(), s.draft())); req.Granted != 3 || req.Refused != 0 {
		t.Errorf("got %+v", req)
	}
}

// Where the law cannot be asked of all datasets at once, a dry run and the request
// itself say so, and grant the same.
func TestALawThatMustBeAskedOneByOneIsWarnedOf(t *testing.T) {
	h := story(t)
	h.shared(4)
	s := h.scientist()
	quick := must[CheckResult](t)(h.Check(h.ctx(), s.draft()))
	text, err := policies.Format([]byte("package coop.access\n\nforbid contains {\n\t\"code\": \"voted\",\n\t\"sentence\": \"The members voted about this.\",\n} if startswith(input.dataset.region, \"X\")\n"))
	if err != nil {
		t.Fatal(err)
	}
	h.engine.Swap(must[*policies.Revision](t)(policies.Compile(h.ctx(), text)))
	slow := must[CheckResult](t)(h.Check(h.ctx(), s.draft()))
	if quick.Note != "" || slow.Note == "" || slow.Datasets != quick.Datasets || slow.Datasets != 4 {
		t.Errorf("%+v, %+v", quick, slow)
	}
	req := must[Request](t)(h.Submit(h.ctx(), s.draft()))
	if got := must[Decided](t)(h.Request(h.ctx(), s.ID, req.ID)); got.Warning == "" || got.Granted != 4 || len(got.Obligations) == 0 {
		t.Errorf("%+v", got)
	}
}

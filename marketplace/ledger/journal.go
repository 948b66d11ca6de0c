package ledger

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"distributed.ai/datacoop/internal/coop"
	"distributed.ai/datacoop/internal/db"
)

// firstLine names the format of a journal.
const firstLine = "; datacoop ledger journal, format 1"

// Journal writes the books as a plain-text journal in hledger's format, which
// `hledger check --strict` accepts: currency and accounts declared, one
// transaction for each entry, its number as code, its kind and memo as
// description, time, ref and digest as tags. The last line states how many
// entries there are and the last digest, so that a cut-off journal is noticed.
// It holds the ids of members and what they earned.
func (s *Service) Journal(ctx context.Context, w io.Writer) error {
	out := bufio.NewWriterSize(w, 1<<16)
	err := s.db.View(ctx, func(tx *db.Tx) error {
		list, err := balances(tx, "")
		if err != nil {
			return err
		}
		prologue(out, s.currency, list)
		var last Posted
		err = scan(tx, func(p Posted) error {
			last = p
			buf := p.seal(p.head([]byte("\n")))
			for _, line := range p.Postings {
				buf = line.text(buf, s.currency)
				if len(buf) > 1<<14 {
					_, _ = out.Write(buf) // a bufio.Writer keeps its error for Flush
					buf = buf[:0]
				}
			}
			_, err := out.Write(buf)
			return err
		})
		_, _ = out.WriteString(epilogue(last.Seq, last.Digest))
		return err
	})
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return fmt.Errorf("ledger: journal: %w", err)
	}
	return nil
}

// prologue declares currency and accounts; errors wait for Flush.
func prologue(out *bufio.Writer, c coop.Currency, list []Balance) {
	_, _ = fmt.Fprintf(out, "%s\ndecimal-mark .\ncommodity %s\n\n", firstLine, sample(c))
	for _, b := range list {
		_, _ = fmt.Fprintf(out, "account %s\n", b.Account)
	}
}

// sample shows how amounts of the currency are written; hledger wants a decimal
// mark even where nothing follows it.
func sample(c coop.Currency) string {
	return "1." + strings.Repeat("0", c.Exponent()) + " " + string(c)
}

func epilogue(entries int64, head [32]byte) string {
	return fmt.Sprintf("\n; end: %d entries, sha256: %s\n", entries, hex.EncodeToString(head[:]))
}

// Journaled is what a verified journal states.
type Journaled struct {
	Currency coop.Currency
	Entries  int64
	Head     string                 // digest of the last entry in hex; all zeros without entries
	Balances map[Account]coop.Money // as Balance counts
}

// VerifyJournal checks a journal written by Journal, without the database: its
// form to the byte, that every entry adds up to zero, follows the one before
// and fits the chain of digests, that no member was ever owed less than
// nothing, and that the end is there. It refuses with ErrJournal and the line
// and reason as detail; the error of r is returned as it is.
func VerifyJournal(r io.Reader) (Journaled, error) {
	p := &parser{lines: bufio.NewReaderSize(r, longest)}
	if err := p.parse(); err != nil {
		if p.failed != nil {
			return Journaled{}, fmt.Errorf("ledger: read journal: %w", p.failed)
		}
		return Journaled{}, ErrJournal.With(fmt.Sprintf("line %d: %v", p.line, err))
	}
	out := Journaled{Currency: p.book.currency, Entries: p.book.entries, Head: hex.EncodeToString(p.book.head[:]), Balances: map[Account]coop.Money{}}
	for a, sum := range p.book.sums {
		out.Balances[a] = a.natural(sum)
	}
	return out, nil
}

// longest is more than any line of a journal has.
const longest = 1 << 10

// parser reads a journal line by line.
type parser struct {
	lines  *bufio.Reader
	line   int
	failed error // of the reader
	book   *book
	names  map[Account]bool // declared; true once posted to
}

var (
	errForm     = errors.New("not as a journal is written")
	errDeclared = errors.New("an account is declared and not used, or used and not declared")
)

// next returns the next line with its end, which every line of a journal has.
func (p *parser) next() (string, error) {
	p.line++
	line, err := p.lines.ReadSlice('\n')
	if err == nil {
		return string(line), nil
	}
	if !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		p.failed = err
	}
	return "", errForm
}

// expect reads one line that must be exactly want.
func (p *parser) expect(want string) error {
	line, err := p.next()
	if err == nil && line != want+"\n" {
		err = errForm
	}
	return err
}

func (p *parser) parse() error {
	for _, want := range []string{firstLine, "decimal-mark ."} {
		if err := p.expect(want); err != nil {
			return err
		}
	}
	if err := p.commodity(); err != nil {
		return err
	}
	line, err := p.accounts()
	if err != nil {
		return err
	}
	for err == nil && !strings.HasPrefix(line, ";") {
		line, err = p.entry(line)
	}
	if err != nil {
		return err
	}
	return p.end(line)
}

func (p *parser) commodity() error {
	line, err := p.next()
	if err != nil {
		return err
	}
	code := coop.Currency(strings.TrimSuffix(line[max(0, len(line)-4):], "\n"))
	if !code.Valid() || line != "commodity "+sample(code)+"\n" {
		return errForm
	}
	p.book, p.names = newBook(code), map[Account]bool{}
	return p.expect("")
}

// accounts reads the declarations, the empty line after them and returns the
// line after that.
func (p *parser) accounts() (string, error) {
	var last Account
	for {
		line, err := p.next()
		if err != nil {
			return "", err
		}
		if line == "\n" {
			return p.next()
		}
		name, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "account ")
		switch account := Account(name); {
		case !ok && last == "" && strings.HasPrefix(line, "; end: "):
			return line, nil
		case !ok || !account.Valid() || account <= last:
			return "", errForm
		default:
			p.names[account], last = false, account
		}
	}
}

// entry reads the entry that begins with first and the empty line after it, and
// returns the line after that.
func (p *parser) entry(first string) (string, error) {
	var e Posted
	second, err := p.next()
	if err != nil {
		return "", err
	}
	third, err := p.next()
	if err != nil {
		return "", err
	}
	if err := e.parse(first, second, third); err != nil {
		return "", err
	}
	if string(e.seal(e.head(nil))) != first+second+third {
		return "", errForm
	}
	for {
		line, err := p.next()
		if err != nil {
			return "", err
		}
		if line == "\n" {
			break
		}
		posting, err := p.posting(line)
		if err != nil {
			return "", err
		}
		e.Postings = append(e.Postings, posting)
	}
	if err := p.book.add(e); err != nil {
		return "", err
	}
	return p.next()
}

// parse reads the fields of an entry's first lines. It need not be strict: the
// caller compares the lines with what these fields give.
func (p *Posted) parse(first, second, third string) (err error) {
	_, rest, _ := strings.Cut(first, "(")
	seq, rest, _ := strings.Cut(rest, ") ")
	p.Kind, p.Memo, _ = strings.Cut(strings.TrimSuffix(rest, "\n"), " | ")
	at, ref, _ := strings.Cut(strings.TrimPrefix(second, "    ; at: "), ", ref: ")
	p.Ref = strings.TrimSuffix(ref, "\n")
	if p.Seq, err = strconv.ParseInt(seq, 10, 64); err != nil {
		return errForm
	}
	if p.At, err = strconv.ParseInt(at, 10, 64); err != nil {
		return errForm
	}
	digest := strings.TrimSuffix(strings.TrimPrefix(third, "    ; sha256: "), "\n")
	if n, err := hex.Decode(p.Digest[:], []byte(digest)[:min(len(digest), 64)]); err != nil || n != len(p.Digest) {
		return errForm
	}
	return nil
}

func (p *parser) posting(line string) (Posting, error) {
	fields := strings.Fields(line)
	if len(fields) != 3 {
		return Posting{}, errForm
	}
	amount, err := coop.ParseMoney(fields[1], p.book.currency)
	out := Posting{Account(fields[0]), int64(amount)}
	if err != nil || !out.Account.Valid() || string(out.text(nil, p.book.currency)) != line {
		return Posting{}, errForm
	}
	if _, declared := p.names[out.Account]; !declared {
		return Posting{}, errDeclared
	}
	p.names[out.Account] = true
	return out, nil
}

// end checks the last line and that nothing follows it.
func (p *parser) end(line string) error {
	if "\n"+line != epilogue(p.book.entries, p.book.head) {
		return errForm
	}
	if slices.Contains(slices.Collect(maps.Values(p.names)), false) {
		return errDeclared
	}
	if _, err := p.lines.ReadByte(); !errors.Is(err, io.EOF) {
		p.failed = err
		return errForm
	}
	return nil
}

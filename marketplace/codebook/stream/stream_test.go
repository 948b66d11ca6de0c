package stream_test

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// parts is what Each visits: the whole text of each part.
func parts(in stream.Input) ([]string, error) {
	var out []string
	err := in.Each(func(p stream.Part) error {
		if bytes.HasPrefix(p.Start, []byte("skip")) {
			return stream.ErrUnknownFormat
		}
		text, err := io.ReadAll(p.Text)
		out = append(out, string(text))
		return err
	}, nil)
	return out, err
}

func utf16(s string, bigEndian bool) string {
	out := []byte{0xff, 0xfe}
	if bigEndian {
		out = []byte{0xfe, 0xff}
	}
	for _, r := range s {
		if bigEndian {
			out = append(out, byte(r>>8), byte(r))
		} else {
			out = append(out, byte(r), byte(r>>8))
		}
	}
	return string(out)
}

func TestMarksAndUTF16AreDecoded(t *testing.T) {
	const want = "Título,Fecha\nä,1\n"
	for name, data := range map[string]string{
		"plain": want, "marked": "\ufeff" + want, "little endian": utf16(want, false), "big endian": utf16(want, true),
	} {
		got, err := parts(stream.Bytes(name, []byte(data)))
		if err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	got, err := parts(stream.Bytes("", []byte("\xff\xfe\x3d\xd8\x00\xdeA\x00")))
	if err != nil || got[0] != "\U0001F600A" {
		t.Errorf("surrogates: %q, %v", got, err)
	}
	if _, err := parts(stream.Bytes("", []byte("\xff\xfeA"))); !errors.Is(err, stream.ErrMalformedFile) {
		t.Errorf("half a unit: %v", err)
	}
}

func TestEmptyAndEncryptedAreRefused(t *testing.T) {
	for data, want := range map[string]error{
		"": stream.ErrEmptyFile, " \n\t": stream.ErrEmptyFile, "\ufeff": stream.ErrEmptyFile, "\xff\xfe": stream.ErrEmptyFile,
		"age-encryption.org/v1\n": stream.ErrEncryptedFile,
	} {
		if _, err := parts(stream.Bytes("", []byte(data))); !errors.Is(err, want) {
			t.Errorf("%q: %v", data, err)
		}
	}
}

type entry struct {
	name, text string
	flags      uint16
}

func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		f, err := w.CreateHeader(&zip.FileHeader{Name: e.name, Method: zip.Deflate, Flags: e.flags})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, e.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestArchiveEntriesInOrderOfNames(t *testing.T) {
	data := archive(t, entry{"z/b.csv", "two", 0}, entry{"a.XML", "one", 0}, entry{"readme.txt", "skip me", 0},
		entry{"__MACOSX/a.xml", "no", 0}, entry{"z/._b.csv", "no", 0}, entry{"photo.jpg", "no", 0}, entry{"empty.csv", "", 0}, entry{"inner.zip", "PK", 0})
	onlyStream := stream.Input{Open: func() (io.ReadCloser, error) { return io.NopCloser(io.MultiReader(bytes.NewReader(data))), nil }}
	for _, in := range []stream.Input{stream.Bytes("x", data), onlyStream} {
		got, err := parts(in)
		if err != nil || fmt.Sprint(got) != "[one two]" {
			t.Errorf("%q, %v", got, err)
		}
	}
}

func TestZipBombIsRefusedEarly(t *testing.T) {
	zeros := strings.Repeat("0", 64<<20)
	data := archive(t, entry{"export.xml", zeros, 0})
	if len(data) > 1<<20 {
		t.Fatal("the bomb is a dud")
	}
	read := 0
	err := stream.Bytes("", data).Each(func(p stream.Part) error {
		n, err := io.Copy(io.Discard, p.Text)
		read = int(n)
		return err
	}, nil)
	if !errors.Is(err, stream.ErrZipBomb) || read > 20<<20 {
		t.Errorf("%v after %d bytes", err, read)
	}
}

func TestTooManyEntriesAreRefused(t *testing.T) {
	entries := make([]entry, 20_001)
	for i := range entries {
		entries[i].name = fmt.Sprint(i)
	}
	if _, err := parts(stream.Bytes("", archive(t, entries...))); !errors.Is(err, stream.ErrZipBomb) {
		t.Error(err)
	}
}

func TestDamagedArchives(t *testing.T) {
	whole := archive(t, entry{"export.csv", strings.Repeat("some,text\n", 500), 0})
	broken := bytes.Clone(whole)
	broken[60] ^= 0xff
	for name, data := range map[string][]byte{"cut": whole[:len(whole)/2], "flipped": broken} {
		if _, err := parts(stream.Bytes("", data)); !errors.Is(err, stream.ErrMalformedFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
	locked := archive(t, entry{"export.csv", "a,b\n", 0x1})
	if _, err := parts(stream.Bytes("", locked)); !errors.Is(err, stream.ErrEncryptedFile) {
		t.Errorf("encrypted: %v", err)
	}
	if _, err := parts(stream.Bytes("", archive(t))); !errors.Is(err, stream.ErrUnknownFormat) {
		t.Errorf("empty: %v", err)
	}
}

// outline writes the elements and leaves that Walk meets.
func outline(text string) (string, error) {
	var out strings.Builder
	x := stream.NewXML(strings.NewReader(text))
	x.Start = func(attrs []xml.Attr) error {
		fmt.Fprintf(&out, "<%s%s>", x.Path[len(x.Path)-1], stream.Attr(attrs, "a"))
		return nil
	}
	x.End = func(text string) error {
		fmt.Fprintf(&out, "%s/", text)
		return nil
	}
	err := x.Walk()
	return out.String(), err
}

func TestXMLIsWalked(t *testing.T) {
	for in, want := range map[string]string{
		"<a><b/>x</a>": "<a><b>/x/",
		"<n:a xmlns:n='u'><n:b a='1'> x </n:b></n:a>":            "<a><b1>x//",
		"<a>x<!-- c -->y<![CDATA[<z>]]>&amp;</a>":                "<a>xy<z>&/",
		"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>": "<a>é/",
		"<?xml version='1.0' encoding='utf-16'?><a>1</a>":        "<a>1/",
		"<!DOCTYPE a [<!ELEMENT a (b)><!-- it's ]> -->]><a/>":    "<a>/",
		"<a>" + strings.Repeat("9", 9999) + "</a>":               "<a>" + strings.Repeat("9", 256) + "/",
	} {
		if got, err := outline(in); err != nil || got != want {
			t.Errorf("%s: %s, %v", in, got, err)
		}
	}
}

func TestXMLIsRefused(t *testing.T) {
	bomb := "<!DOCTYPE l [<!ENTITY l0 'ha'><!ENTITY l1 '&l0;&l0;&l0;'>]><l>&l1;</l>"
	for in, want := range map[string]error{
		bomb: stream.ErrXMLEntities,
		"<!DOCTYPE a [<!ENTITY % x SYSTEM 'file:///etc/passwd'> %x;]><a/>": stream.ErrXMLEntities,
		"<a>&undeclared;</a>": stream.ErrMalformedFile,
		"<a><b></a></b>":      stream.ErrMalformedFile,
		"<a>":                 stream.ErrMalformedFile,
		"</a>":                stream.ErrMalformedFile,
		"<a b></a>":           stream.ErrMalformedFile,
		"<a>\xff\xfe</a>":     stream.ErrMalformedFile,
		"<?xml version='1.0' encoding='EBCDIC-CP-NL'?><a/>": stream.ErrMalformedFile,
		strings.Repeat("<a>", 1000):                         stream.ErrMalformedFile,
		"<a b='" + strings.Repeat("x", 3<<20) + "'/>":       stream.ErrMalformedFile,
	} {
		if _, err := outline(in); !errors.Is(err, want) {
			t.Errorf("%.60s: %v", in, err)
		}
	}
}

func TestRoot(t *testing.T) {
	for in, want := range map[string]string{"<?xml version='1.0'?><!-- c --><n:feed a='": "", "<n:feed><x": "feed", "<>": "", "text": ""} {
		if got, err := stream.Root([]byte(in)); got != want || err != nil {
			t.Errorf("%s: %q, %v", in, got, err)
		}
	}
	if _, err := stream.Root([]byte("<!DOCTYPE a [<!ENTITY b 'c'>]>")); !errors.Is(err, stream.ErrXMLEntities) {
		t.Error(err)
	}
}

func TestCSVIsReadByName(t *testing.T) {
	f, err := stream.OpenCSV(strings.NewReader(" b ,a\n1, 2\n\"x\ny\",3\n"))
	if err != nil {
		t.Fatal(err)
	}
	if !f.Has("a") || f.Has("c") || f.Text("c") != "" {
		t.Error("columns are mixed up")
	}
	var got []string
	for {
		more, err := f.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			break
		}
		got = append(got, f.Text("a")+f.Text("b"))
	}
	if strings.Join(got, " ") != "21 3x\ny" {
		t.Errorf("%q", got)
	}
}

func TestCSVIsRefused(t *testing.T) {
	for name, in := range map[string]string{
		"ragged": "a,b\n1\n", "quote": "a\n\"1\n", "endless": "a\n\"" + strings.Repeat("x", 3<<20),
	} {
		f, err := stream.OpenCSV(strings.NewReader(in))
		if err == nil {
			_, err = f.Next()
		}
		if !errors.Is(err, stream.ErrMalformedFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := stream.OpenCSV(strings.NewReader("")); !errors.Is(err, stream.ErrMalformedFile) {
		t.Errorf("nothing: %v", err)
	}
}

func FuzzXML(f *testing.F) {
	f.Add("<!DOCTYPE a [<!ELEMENT a (b)>]><a><b c='d'>1</b></a>")
	f.Add("<a>&amp;<![CDATA[x]]></a>")
	f.Fuzz(func(t *testing.T, in string) {
		if _, err := outline(in); err != nil && fault.KindOf(err) != fault.Invalid {
			t.Fatal(err)
		}
	})
}

func FuzzEach(f *testing.F) {
	f.Add(archive(f, entry{"a.csv", "x,y\n", 0}))
	f.Add([]byte(utf16("x,y\n", true)))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := parts(stream.Bytes("", data)); err != nil && fault.KindOf(err) != fault.Invalid {
			t.Fatal(err)
		}
	})
}

package fit_test

import (
	"bytes"
	"errors"
	"testing"

	"distributed.ai/datacoop/internal/fault"
	"distributed.ai/datacoop/internal/testkit"
	"distributed.ai/datacoop/marketplace/codebook/fit"
	"distributed.ai/datacoop/marketplace/codebook/stream"
)

// counts decodes a file and counts its messages by number.
func counts(data []byte) (map[int]int, error) {
	out := map[int]int{}
	err := fit.Decode(bytes.NewReader(data), func(m *fit.Message) error {
		out[m.Number]++
		return nil
	})
	return out, err
}

func TestRealFilesAreReadWhole(t *testing.T) {
	for name, want := range map[string]map[int]int{
		"Activity.fit":                       {20: 14, 18: 1, 34: 1},
		"garmin-fenix-5-run.fit":             {20: 21, 18: 1, 78: 71},
		"sample-activity-indoor-trainer.fit": {20: 2263, 19: 5},
		"MonitoringFile.fit":                 {55: 337},
		"WeightScaleMultiUser.fit":           {30: 2, 3: 2},
	} {
		got, err := counts(testkit.FixtureBytes(t, "03-activity-files/fit/"+name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for number, n := range want {
			if got[number] != n {
				t.Errorf("%s: %d messages %d, want %d", name, got[number], number, n)
			}
		}
	}
}

func TestDamagedFilesAreRefused(t *testing.T) {
	for _, name := range []string{"activity-filecrc.fit", "activity-settings-corruptheader.fit", "activity-unexpected-eof.fit"} {
		if _, err := counts(testkit.FixtureBytes(t, "03-activity-files/fit/"+name)); !errors.Is(err, stream.ErrMalformedFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
	whole := testkit.FixtureBytes(t, "03-activity-files/fit/Activity.fit")
	for n := range len(whole) {
		if _, err := counts(whole[:n]); !errors.Is(err, stream.ErrMalformedFile) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
		broken := bytes.Clone(whole)
		broken[n] ^= 0x10
		if _, err := counts(broken); !errors.Is(err, stream.ErrMalformedFile) {
			t.Fatalf("byte %d changed: %v", n, err)
		}
	}
}

func TestFilesMayFollowOneAnother(t *testing.T) {
	one := testkit.FixtureBytes(t, "03-activity-files/fit/Activity.fit")
	got, err := counts(append(bytes.Clone(one), one...))
	if err != nil || got[20] != 28 {
		t.Errorf("%v, %v", got, err)
	}
}

// sealed puts messages between a header and the right check sum.
func sealed(messages ...byte) []byte {
	out := append([]byte{12, 16, 100, 0, byte(len(messages)), 0, 0, 0, '.', 'F', 'I', 'T'}, messages...)
	sum := uint16(0)
	for _, b := range out {
		sum ^= uint16(b)
		for range 8 {
			if sum&1 != 0 {
				sum = sum>>1 ^ 0xA001
			} else {
				sum >>= 1
			}
		}
	}
	return append(out, byte(sum), byte(sum>>8))
}

func TestCompressedTimesAndDevelopersFields(t *testing.T) {
	data := sealed(
		0x40, 0, 0, 20, 0, 1, 253, 4, 0x86, // local 0: record with a time
		0x00, 100, 0, 0, 0, // at 100 = 96 + 4
		0x61, 0, 1, 0, 20, 2, 3, 1, 2, 2, 2, 0x83, 1, 0, 3, 0, // local 1, big endian: heart rate, altitude, three bytes of a developer
		0xA6, 61, 0xff, 0xff, 1, 2, 3, // 6: at 102
		0xA2, 0xff, 0x7f, 0xff, 1, 2, 3, // 2: past 31, so at 130; neither value known
	)
	type seen struct{ at, heart, altitude int64 }
	var got []seen
	err := fit.Decode(bytes.NewReader(data), func(m *fit.Message) error {
		value := func(f byte) int64 {
			if v, ok := m.Value(f); ok {
				return v
			}
			return -999
		}
		got = append(got, seen{value(fit.Timestamp), value(3), value(2)})
		return nil
	})
	want := []seen{{100, -999, -999}, {102, 61, -1}, {130, -999, -999}}
	if err != nil || len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("%v, %v", got, err)
	}
}

func TestUndefinedMessagesAreRefused(t *testing.T) {
	if _, err := counts(sealed(0x05, 1, 2)); !errors.Is(err, stream.ErrMalformedFile) {
		t.Error(err)
	}
}

func TestType(t *testing.T) {
	for name, want := range map[string]int{"Activity.fit": 4, "WeightScaleMultiUser.fit": 9, "MonitoringFile.fit": 32} {
		if got := fit.Type(testkit.FixtureBytes(t, "03-activity-files/fit/"+name)[:64]); got != want {
			t.Errorf("%s: %d", name, got)
		}
	}
	if fit.Type([]byte("Dear grandmother")) != -1 || fit.Type(nil) != -1 {
		t.Error("a letter has a type")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(sealed(0x40, 0, 0, 20, 0, 1, 253, 4, 0x86, 0x00, 100, 0, 0, 0, 0xA6))
	f.Fuzz(func(t *testing.T, messages []byte) {
		for _, data := range [][]byte{messages, sealed(messages[:min(len(messages), 255)]...)} {
			if _, err := counts(data); err != nil && fault.KindOf(err) != fault.Invalid {
				t.Fatal(err)
			}
		}
	})
}

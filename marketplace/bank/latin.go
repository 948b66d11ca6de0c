package bank

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// MaxName is the longest name a SEPA payment carries, in characters
// (EPC132-08).
const MaxName = 70

// latinChars is what every European bank takes in a payment: the basic Latin
// set of the European Payments Council (EPC217-08), which is ISO 20022's
// common denominator.
const latinChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ "

// spellings are the letters that do not come apart into a basic one and its
// accents, and the signs that have a plain counterpart.
var spellings = strings.NewReplacer(
	"ß", "ss", "ẞ", "SS", "Æ", "AE", "æ", "ae", "Œ", "OE", "œ", "oe", "Ø", "O", "ø", "o", "Đ", "D", "đ", "d", "Ð", "D", "ð", "d",
	"Þ", "Th", "þ", "th", "Ł", "L", "ł", "l", "Ħ", "H", "ħ", "h", "ı", "i", "Ŋ", "N", "ŋ", "n",
	"&", "+", "’", "'", "‘", "'", "`", "'", "–", "-", "—", "-", "_", "-",
)

// Latin writes a text in latinChars and at most MaxName of them: accents are
// dropped, and what has no counterpart becomes a point, as EPC217-08
// recommends.
func Latin(s string) string {
	s = spellings.Replace(norm.NFC.String(s))
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case unicode.IsSpace(r):
			return ' '
		case !strings.ContainsRune(latinChars, r):
			return '.'
		}
		return r
	}, norm.NFD.String(s))
	s = strings.Join(strings.Fields(s), " ")
	return strings.TrimSpace(s[:min(len(s), MaxName)])
}

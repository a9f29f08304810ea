package excel

import (
	"encoding/xml"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzText writes a text and reads it with Go's parser of XML, undoing the escapes as
// Excel does.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a", "<&>\"'", "\x00\x1f\x7f", "_x0041_", "_x005F_x0041_", "__x00e9_", "_x0000\x1f", "_x0000\ufffe", "\r\n\t ", "ü\ufffe\uffff😀", "_x", "\xff", "]]>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text, err := appendText(nil, s)
		if !utf8.ValidString(s) {
			if err == nil {
				t.Fatalf("%q is no UTF-8, and was written as %q", s, text)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Text string `xml:",chardata"`
		}
		if err := xml.Unmarshal([]byte("<t>"+string(text)+"</t>"), &got); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if back := unescape(got.Text); back != s {
			t.Fatalf("%q came back as %q from %q", s, back, text)
		}
		attribute := appendAttribute([]byte("<t "), "a", s)
		var held struct {
			Text string `xml:"a,attr"`
		}
		if err := xml.Unmarshal(append(attribute, `"/>`...), &held); err != nil || unescape(held.Text) != s {
			t.Fatalf("%q came back as %q from %q: %v", s, held.Text, attribute, err)
		}
	})
}

// unescape undoes _xHHHH_.
func unescape(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		if s[0] == '_' && len(s) > 6 && s[6] == '_' && isEscape(s) {
			var r rune
			for _, c := range strings.ToLower(s[2:6]) {
				r = r<<4 | rune(strings.IndexRune("0123456789abcdef", c))
			}
			b.WriteRune(r)
			s = s[7:]
			continue
		}
		b.WriteByte(s[0])
		s = s[1:]
	}
	return b.String()
}

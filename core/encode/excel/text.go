package excel

import (
	"errors"
	"strings"
	"unicode/utf8"
)

const (
	xmlHeader = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"

	mainSpace         = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
	relationshipSpace = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
)

// plain are the bytes that stand in XML as they are: all of ASCII but control
// characters, markup, and the underscore that may begin an escape.
var plain = func() (t [256]bool) {
	for c := ' '; c < 0x7f; c++ {
		t[c] = c != '<' && c != '>' && c != '&' && c != '_'
	}
	t['\n'], t['\t'], t[0x7f] = true, true, true
	return t
}()

var errNotUTF8 = errors.New("it is not valid UTF-8")

// appendText appends s as the text of an element. What XML cannot hold is written
// _xHHHH_, and an underscore that would be read as the beginning of that is written
// so itself (ECMA-376 part 1, section 22.9.2.19, ST_Xstring).
func appendText(b []byte, s string) ([]byte, error) {
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plain[c] {
			i++
			continue
		}
		size, by := 1, ""
		switch {
		case c == '&':
			by = "&amp;"
		case c == '<':
			by = "&lt;"
		case c == '>':
			by = "&gt;"
		case c == '_':
			if isEscape(s[i:]) {
				by = "_x005F_"
			}
		case c < ' ':
			by = escapeOf(rune(c))
		default:
			var r rune
			if r, size = utf8.DecodeRuneInString(s[i:]); r == utf8.RuneError && size == 1 {
				return b, errNotUTF8
			}
			if r == 0xfffe || r == 0xffff {
				by = escapeOf(r)
			}
		}
		if by != "" {
			b = append(append(b, s[from:i]...), by...)
			from = i + size
		}
		i += size
	}
	return append(b, s[from:]...), nil
}

// isEscape reports whether s would begin with _xHHHH_ in XML: its last underscore may be
// the first of an escape.
func isEscape(s string) bool {
	if len(s) < 7 || s[1] != 'x' {
		return false
	}
	if rest := s[6:]; rest[0] != '_' && (rest[0] >= ' ' || plain[rest[0]]) &&
		!strings.HasPrefix(rest, "\ufffe") && !strings.HasPrefix(rest, "\uffff") {
		return false
	}
	for i := 2; i < 6; i++ {
		if c := s[i] | 0x20; (s[i] < '0' || s[i] > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func escapeOf(r rune) string {
	const hex = "0123456789ABCDEF"
	return string([]byte{'_', 'x', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15], '_'})
}

// hasOuterSpace reports whether spaces at the ends of s have to be marked to be kept.
func hasOuterSpace(s string) bool {
	return isSpace(s[0]) || isSpace(s[len(s)-1])
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' }

// appendAttribute appends an attribute up to its closing quote.
func appendAttribute(b []byte, key, value string) []byte {
	b = append(append(b, key...), '=', '"')
	at := len(b)
	b, _ = appendText(b, value) // if it is no UTF-8, what is left of it
	for i := at; i < len(b); i++ {
		by := ""
		switch b[i] {
		case '"':
			by = "&quot;"
		case '\n':
			by = "&#10;"
		case '\t':
			by = "&#9;"
		default:
			continue
		}
		rest := string(b[i+1:])
		b = append(append(b[:i], by...), rest...)
		i += len(by) - 1
	}
	return b
}

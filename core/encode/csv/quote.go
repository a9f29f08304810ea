package csv

import (
	"bytes"
	"encoding/binary"
)

const quote = '"'

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// quoting knows the characters that make a field be quoted.
type quoting struct {
	special [256]bool
	words   [4]uint64 // each special character, eight times
}

func newQuoting(separator byte, carriageReturn bool) quoting {
	var q quoting
	for i, c := range []byte{quote, '\n', separator, '\r'} {
		if c == '\r' && !carriageReturn {
			c = quote
		}
		q.special[c] = true
		q.words[i] = uint64(c) * ones
	}
	return q
}

// needed reports whether a field has to be quoted.
func (q *quoting) needed(s []byte) bool {
	if len(s) < 8 {
		for _, c := range s {
			if q.special[c] {
				return true
			}
		}
		return false
	}
	for ; len(s) >= 8; s = s[8:] {
		if q.within(binary.LittleEndian.Uint64(s)) {
			return true
		}
		if n := len(s); n > 8 && n < 16 { // the last word overlaps the one before
			return q.within(binary.LittleEndian.Uint64(s[n-8:]))
		}
	}
	return false
}

// within reports whether one of eight bytes is special: x - ones borrows into
// the high bit of a byte of x that is zero.
func (q *quoting) within(w uint64) bool {
	a, b, c, d := w^q.words[0], w^q.words[1], w^q.words[2], w^q.words[3]
	return ((a-ones)&^a|(b-ones)&^b|(c-ones)&^c|(d-ones)&^d)&highs != 0
}

// appendText appends a string as a field.
func (s *style) appendText(b, text []byte) []byte {
	switch {
	case len(text) == 0:
		return append(b, s.empty...)
	case !s.quoting.needed(text):
		return append(b, text...)
	}
	b = append(b, quote)
	for {
		i := bytes.IndexByte(text, quote)
		if i < 0 {
			break
		}
		b = append(append(b, text[:i+1]...), quote)
		text = text[i+1:]
	}
	return append(append(b, text...), quote)
}

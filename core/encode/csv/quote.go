package csv

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// quoting knows the characters that make a field be quoted.
type quoting struct {
	special [256]bool
	words   [4]uint64 // each special character, eight times
	below   uint64    // what is not below it is not special but for the separator, eight times
	apart   uint64    // the separator if it is not below that, eight times
}

func newQuoting(quote, separator byte, carriageReturn bool) quoting {
	var q quoting
	for i, c := range []byte{quote, '\n', separator, '\r'} {
		if c == '\r' && !carriageReturn {
			c = quote
		}
		q.special[c] = true
		q.words[i] = uint64(c) * ones
	}
	q.below, q.apart = ('"'+1)*ones, uint64(separator)*ones
	switch {
	case quote != '"':
		q.below = 0x80 * ones // whatever is ASCII
	case separator > quote && separator < '-': // a comma; letters and digits are above
		q.below, q.apart = uint64(separator+1)*ones, uint64(quote)*ones
	}
	return q
}

// needed reports whether a field has to be quoted.
func (q *quoting) needed(s []byte) bool {
	if len(s) > longText { // a vector at a time
		for _, w := range q.words {
			if bytes.IndexByte(s, byte(w)) >= 0 {
				return true
			}
		}
		return false
	}
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

// suspect reports whether one of eight bytes may be special, in half the time
// that within takes: x - n borrows into the high bit of a byte of x below n.
func (q *quoting) suspect(w uint64) bool {
	x := w ^ q.apart
	return ((w-q.below)&^w|(x-ones)&^x)&highs != 0
}

// appendRange appends text[from:from+n] as a field. Most texts are copied by words
// while these are looked at.
func (s *style) appendRange(b, text []byte, from, n int) []byte {
	if n > longText || n == 0 || s.mode != Minimal || len(text)-from < 8 {
		return s.appendText(b, text[from:from+n])
	}
	q := &s.quoting
	b = slices.Grow(b, longText+8)
	at := len(b)
	in, out := text[from:], b[at:at+longText+8]
	if n < 8 {
		w := binary.LittleEndian.Uint64(in) | math.MaxUint64<<(8*uint(n))
		if q.suspect(w) && q.within(w) {
			return s.appendQuoted(b, in[:n])
		}
		binary.LittleEndian.PutUint64(out, w)
		return b[:at+n]
	}
	// The last word overlaps the one before.
	w := binary.LittleEndian.Uint64(in[n-8 : n])
	found := q.suspect(w) && q.within(w)
	binary.LittleEndian.PutUint64(out[n-8:], w)
	for i := 0; i < n-8; i += 8 {
		w := binary.LittleEndian.Uint64(in[i : i+8])
		found = found || q.suspect(w) && q.within(w)
		binary.LittleEndian.PutUint64(out[i:], w)
	}
	if found {
		return s.appendQuoted(b, in[:n])
	}
	return b[:at+n]
}

// appendQuoted appends a short text between quotes, with those within doubled.
func (s *style) appendQuoted(b, text []byte) []byte {
	b = slices.Grow(b, 2*len(text)+2)
	at := len(b)
	out := b[at : at+2*len(text)+2]
	out[0] = s.quote
	n := 1
	for _, c := range text {
		out[n] = c
		n++
		out[n] = c // is overwritten by the next one, unless c is a quote
		if c == s.quote {
			n++
		}
	}
	out[n] = s.quote
	return b[:at+n+1]
}

// longText is the length of texts from which on they are looked at and copied one
// after the other.
const longText = 64

// appendText appends a string as a field.
func (s *style) appendText(b, text []byte) []byte {
	switch {
	case s.mode == Never:
		return append(b, text...)
	case len(text) == 0 && s.mode == Minimal:
		return append(b, s.empty...)
	case s.mode == Minimal && !s.quoting.needed(text):
		return append(b, text...)
	}
	b = s.appendDoubled(append(b, s.quote), text)
	return append(b, s.quote)
}

// appendDoubled appends text with its quotes doubled.
func (s *style) appendDoubled(b, text []byte) []byte {
	for {
		i := bytes.IndexByte(text, s.quote)
		if i < 0 {
			break
		}
		b = append(append(b, text[:i+1]...), s.quote)
		text = text[i+1:]
	}
	return append(b, text...)
}

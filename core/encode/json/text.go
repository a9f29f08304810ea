package json

import (
	"encoding/binary"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

const (
	ones   = 0x0101010101010101
	highs  = 0x80 * ones
	blanks = ' ' * ones
)

// escaping says which bytes of a string are escaped, and how (RFC 8259, section 7).
type escaping struct {
	by    [256]byte // 0: not; 'u': as \uXXXX; else by that letter behind a backslash
	slash uint64    // a slash, or something else that is escaped, eight times
	high  uint64    // the bits that no byte may have, eight times
}

var (
	// What need not be escaped is not.
	escapingOfPolars = newEscaping(false, false)
	// Slashes are, so that a text can stand in HTML.
	escapingOfPandas = newEscaping(true, false)
	escapingToASCII  = newEscaping(true, true)
)

func newEscaping(slash, ascii bool) *escaping {
	e := &escaping{slash: '"' * ones}
	for c := range 0x20 {
		e.by[c] = 'u'
	}
	for c, by := range map[byte]byte{'"': '"', '\\': '\\', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't'} {
		e.by[c] = by
	}
	if slash {
		e.by['/'], e.slash = '/', '/'*ones
	}
	if ascii {
		e.high = highs
		for c := utf8.RuneSelf; c < len(e.by); c++ {
			e.by[c] = 'u'
		}
	}
	return e
}

// within reports whether one of eight bytes is escaped: x - n borrows into the high
// bit of a byte of x below n.
func (e *escaping) within(w uint64) bool {
	a, b, c := w^'"'*ones, w^'\\'*ones, w^e.slash
	return ((w-blanks)&^w|(a-ones)&^a|(b-ones)&^b|(c-ones)&^c|w&e.high)&highs != 0
}

// appendString appends s in quotes.
func (e *escaping) appendString(b []byte, s string) []byte {
	return e.appendRange(b, []byte(s), 0, len(s))
}

// appendRange appends text[from:from+n] in quotes. It is copied by words while these
// are looked at.
func (e *escaping) appendRange(b, text []byte, from, n int) []byte {
	b = slices.Grow(b, n+10)
	at := len(b)
	out := b[at : at+n+10]
	out[0] = '"'
	out = out[1:]
	in := text[from:]
	i := 0
	for ; i+8 <= n; i += 8 {
		w := binary.LittleEndian.Uint64(in[i : i+8])
		if e.within(w) {
			return e.appendSlowly(b[:at+1+i], in[i:n])
		}
		binary.LittleEndian.PutUint64(out[i:i+8], w)
	}
	if rest := n - i; rest > 0 {
		if len(in) < i+8 {
			return e.appendSlowly(b[:at+1+i], in[i:n])
		}
		mask := uint64(1)<<(8*uint(rest)) - 1
		w := binary.LittleEndian.Uint64(in[i:i+8])&mask | blanks&^mask
		if e.within(w) {
			return e.appendSlowly(b[:at+1+i], in[i:n])
		}
		binary.LittleEndian.PutUint64(out[i:i+8], w)
	}
	out[n] = '"'
	return b[:at+n+2]
}

// appendSlowly appends the rest of a string, and the quote behind it.
func (e *escaping) appendSlowly(b, s []byte) []byte {
	from := 0
	for i := 0; i < len(s); {
		by := e.by[s[i]]
		if by == 0 {
			i++
			continue
		}
		b = append(b, s[from:i]...)
		switch {
		case by != 'u':
			b = append(b, '\\', by)
			i++
		case s[i] < utf8.RuneSelf:
			b = appendUnit(b, uint16(s[i]))
			i++
		default:
			r, width := utf8.DecodeRune(s[i:])
			if first, second := utf16.EncodeRune(r); first != utf8.RuneError {
				b = appendUnit(appendUnit(b, uint16(first)), uint16(second))
			} else {
				b = appendUnit(b, uint16(r))
			}
			i += width
		}
		from = i
	}
	return append(append(b, s[from:]...), '"')
}

// appendUnit appends a code unit of UTF-16 as \uXXXX.
func appendUnit(b []byte, u uint16) []byte {
	const hex = "0123456789abcdef"
	return append(b, '\\', 'u', hex[u>>12], hex[u>>8&15], hex[u>>4&15], hex[u&15])
}

// bytesOf tells where the strings of an array stand.
func bytesOf(a arrow.Array) func(row int) (text []byte, from, n int) {
	switch a := a.(type) {
	case *array.String:
		return ranges(a.ValueOffsets(), a.Data().Buffers()[2])
	case *array.LargeString:
		return ranges(a.ValueOffsets(), a.Data().Buffers()[2])
	}
	views := a.(*array.StringView)
	return func(row int) ([]byte, int, int) {
		s := views.Value(row)
		return []byte(s), 0, len(s)
	}
}

func ranges[T int32 | int64](offsets []T, values *memory.Buffer) func(row int) ([]byte, int, int) {
	text := bytesIn(values)
	return func(row int) ([]byte, int, int) {
		from := offsets[row]
		return text, int(from), int(offsets[row+1] - from)
	}
}

// bytesIn are those of a buffer, which is missing if all strings are empty.
func bytesIn(b *memory.Buffer) []byte {
	if b == nil {
		return nil
	}
	return b.Bytes()
}

// texts is the value of a column of strings with 32-bit or 64-bit offsets.
func texts[T int32 | int64](e *escaping, offsets []T, values *memory.Buffer) value {
	text := bytesIn(values)
	return func(b []byte, row int) []byte {
		from := offsets[row]
		return e.appendRange(b, text, int(from), int(offsets[row+1]-from))
	}
}

// views is the value of a column of string views: short strings stand in the views
// themselves, behind their lengths.
func views(e *escaping, a *array.StringView) value {
	views := a.Data().Buffers()[1].Bytes()[a.Data().Offset()*arrow.ViewHeaderSizeBytes:]
	var texts [][]byte
	for _, b := range a.Data().Buffers()[2:] {
		texts = append(texts, b.Bytes())
	}
	return func(b []byte, row int) []byte {
		at := row * arrow.ViewHeaderSizeBytes
		v := views[at : at+arrow.ViewHeaderSizeBytes]
		n := int(binary.NativeEndian.Uint32(v))
		if arrow.IsViewInline(n) {
			return e.appendRange(b, views[at:], 4, n)
		}
		text, from := binary.NativeEndian.Uint32(v[8:]), binary.NativeEndian.Uint32(v[12:])
		return e.appendRange(b, texts[text], int(from), n)
	}
}

// verbatim is the value of a column of JSON texts.
func verbatim(a arrow.Array) value {
	at := bytesOf(a)
	return func(b []byte, row int) []byte {
		text, from, n := at(row)
		return append(b, text[from:from+n]...)
	}
}

// textLength returns about how many bytes a string of the array has; 0 if it holds
// other values.
func textLength(a arrow.Array) int {
	n := a.Len()
	if n == 0 {
		return 0
	}
	switch a := a.(type) {
	case *array.String:
		offsets := a.ValueOffsets()
		return int(offsets[n]-offsets[0]) / n
	case *array.LargeString:
		offsets := a.ValueOffsets()
		return int(offsets[n]-offsets[0]) / n
	case *array.StringView:
		sum, taken := 0, 0
		for i := 0; i < n; i += max(1, n/64) {
			sum, taken = sum+a.ValueLen(i), taken+1
		}
		return sum / taken
	}
	return 0
}

package json

// escapes tells which bytes of a string are escaped, and how: 0 not, 'u' as
// \u00XX, else by that letter behind a backslash (RFC 8259, section 7; what need
// not be escaped is not).
var escapes = func() (e [256]byte) {
	for c := range 0x20 {
		e[c] = 'u'
	}
	for c, by := range map[byte]byte{'"': '"', '\\': '\\', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't'} {
		e[c] = by
	}
	return e
}()

// appendString appends s in quotes.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for i := range len(s) {
		by := escapes[s[i]]
		if by == 0 {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		if by == 'u' {
			b = append(b, '\\', 'u', '0', '0', hex[s[i]>>4], hex[s[i]&15])
			continue
		}
		b = append(b, '\\', by)
	}
	return append(append(b, s[from:]...), '"')
}

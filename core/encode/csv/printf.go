package csv

import (
	"regexp"
	"strconv"

	"github.com/seojaeohcode/atio/core/encode/internal/number"
)

// printf is a format such as "%.2f" of C, Python and Go.
type printf struct {
	verb      byte
	precision int
}

var printfPattern = regexp.MustCompile(`^%(?:\.([0-9]{1,3}))?([feg])$`)

// parsePrintf returns nil for an empty format.
func parsePrintf(text string) (*printf, error) {
	if text == "" {
		return nil, nil
	}
	m := printfPattern.FindStringSubmatch(text)
	if m == nil {
		return nil, optionError("float_format", strconv.Quote(text), `it is "%f", "%e" or "%g", or has a precision such as "%.2f"`)
	}
	p := &printf{verb: m[2][0], precision: 6}
	if m[1] != "" {
		p.precision, _ = strconv.Atoi(m[1]) // digits, by the pattern
	}
	return p, nil
}

// append appends x; n says how to write what is no number.
func (p *printf) append(b []byte, x float64, n *number.Notation) []byte {
	switch p.verb {
	case 'f':
		return number.AppendFixed(b, x, p.precision, n)
	case 'e':
		return number.AppendExponent(b, x, p.precision, n)
	}
	return number.AppendGeneral(b, x, p.precision, n)
}

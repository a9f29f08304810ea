package csv

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/seojaeohcode/atio/core/encode/internal/civil"
	"github.com/seojaeohcode/atio/core/encode/internal/number"
)

// style is what options come to: how every kind of value is written. It does not
// change while it is used.
type style struct {
	pandas    bool
	separator byte
	quote     byte
	mode      string // of quoting
	lineEnd   []byte
	raw       *style // of columns that are written verbatim
	quoting   quoting
	null      []byte // what a null becomes
	empty     []byte // what an empty string becomes
	yes, no   string

	float64, float32, float16 number.Notation
	printf                    *printf // nil for shortest digits

	years    civil.Years
	dateTime byte // between date and time

	// bare says that the separator occurs in numbers, words or times, so that
	// pandas may have to quote those.
	bare bool
}

func (o *Options) style(columns int) (*style, error) {
	separator, err := o.separator()
	if err != nil {
		return nil, err
	}
	s := &style{separator: separator, mode: o.Quoting, lineEnd: []byte(o.LineEnd)}
	if s.quote, err = o.quote(separator); err != nil {
		return nil, err
	}
	switch o.LineEnd {
	case "":
		s.lineEnd = []byte{'\n'}
	case "\n", "\r", "\r\n":
	default:
		return nil, optionError("line_end", strconv.Quote(o.LineEnd), `it is "\n", "\r\n" or "\r"`)
	}
	switch s.mode {
	case "":
		s.mode = Minimal
	case Minimal, All, NonNumeric:
	case Never:
		if o.Dialect != Pandas {
			break
		}
		fallthrough
	default:
		return nil, optionError("quoting", strconv.Quote(s.mode), `it is "minimal", "all", "non_numeric" or, in the polars dialect, "never"`)
	}
	if s.printf, err = parsePrintf(o.FloatFormat); err != nil {
		return nil, err
	}
	if o.ChunkRows < 0 {
		return nil, optionError("chunk_rows", o.ChunkRows, "it is not negative")
	}
	switch o.Dialect {
	case "", Polars:
		s.polars(o)
	case Pandas:
		s.likePandas(o, columns)
	default:
		return nil, optionError("dialect", o.Dialect, `it is "polars", "pandas" or "numpy"`)
	}
	s.raw = &style{pandas: s.pandas, mode: Never}
	return s, nil
}

// polars' rules: crates/polars-io/src/csv/write/write_impl/serializer.rs.
func (s *style) polars(o *Options) {
	s.quoting = newQuoting(s.quote, s.separator, true)
	s.null = []byte(o.Null) // not quoted if it looks like more than a field
	if s.mode == All {
		s.null = append(append([]byte{s.quote}, s.null...), s.quote)
	}
	s.empty = []byte{s.quote, s.quote} // an empty field is a null
	s.yes, s.no = "true", "false"
	plus := !o.Compat.BareExponent
	s.float64, s.float32 = number.Polars64(plus), number.Polars32(plus)
	s.float16 = s.float32 // polars widens them first
	s.years, s.dateTime = civil.Signed, 'T'
}

// pandas' rules: pandas.core.indexes.base.get_values_for_csv, and those of
// Python's csv.writer with QUOTE_MINIMAL: CPython's Modules/_csv.c.
func (s *style) likePandas(o *Options, columns int) {
	s.pandas = true
	s.quoting = newQuoting(s.quote, s.separator, !o.Compat.BareCR || bytes.IndexByte(s.lineEnd, '\r') >= 0)
	s.yes, s.no = "True", "False"
	if columns == 1 {
		s.empty = []byte{s.quote, s.quote} // a line must not be empty
	}
	s.null = s.appendText(nil, []byte(o.Null))
	s.float64 = number.Python
	s.float32 = number.NumPy(orDefault(o.Compat.Float32Digits, 6))
	s.float16 = number.NumPy(orDefault(o.Compat.Float16Digits, 3))
	for _, n := range []*number.Notation{&s.float64, &s.float32, &s.float16} {
		n.NaN = string(s.null)
		if s.mode == All || s.mode == NonNumeric && s.printf != nil { // enclosed as numbers are
			n.NaN = string(s.appendDoubled(nil, []byte(o.Null)))
		}
	}
	if o.Compat.BareYear {
		s.years = civil.Unpadded
	}
	s.dateTime = ' '
	s.bare = strings.IndexByte(inNumbers, s.separator) >= 0 || isAlphanumeric(s.separator)
}

func orDefault(v, otherwise int) int {
	if v == 0 {
		return otherwise
	}
	return v
}

// appendHeader appends the first line.
func (s *style) appendHeader(b []byte, fields []string) []byte {
	switch {
	case len(fields) == 1 && fields[0] == "" && s.mode != Never:
		return append(append(b, s.quote, s.quote), s.lineEnd...)
	case len(fields) == 0:
		return append(b, s.lineEnd...)
	}
	// Unlike a column, the only field of a header is not empty here.
	for _, f := range fields {
		if f != "" || !s.pandas || s.mode != Minimal {
			b = s.appendText(b, []byte(f))
		}
		b = append(b, s.separator)
	}
	return append(b[:len(b)-1], s.lineEnd...)
}

// enclosed returns c, with what it appends, which has no quotes in it, in quotes.
func (s *style) enclosed(c cell) cell {
	return func(b []byte, row int) []byte {
		return append(c(append(b, s.quote), row), s.quote)
	}
}

// quoted returns c, with what it appends in quotes if the separator is in it.
// Nulls are quoted already.
func (s *style) quoted(c cell) cell {
	return func(b []byte, row int) []byte {
		at := len(b)
		b = c(b, row)
		if field := b[at:]; bytes.IndexByte(field, s.separator) >= 0 && field[0] != s.quote {
			b = append(b, s.quote, s.quote)
			copy(b[at+1:], b[at:len(b)-2])
			b[at] = s.quote
		}
		return b
	}
}

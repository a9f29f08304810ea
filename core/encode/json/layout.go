package json

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode/internal/bitmap"
)

// layout is what stands around values: brackets, commas, labels and, if it is
// indented, line ends and blanks.
type layout struct {
	indent int    // blanks for each level; 0 for all on one line
	level  int    // of the array or object of rows
	keys   []key  // for each column
	object bool   // rows are objects, else arrays
	first  string // before the first row
	rest   string // before the others
	after  string // after each row
}

// key is what stands before a value of a row.
type key []byte

// layout of a batch with this schema.
func (o *Options) layout(s *style, schema *arrow.Schema) *layout {
	l := &layout{indent: o.Indent, object: o.orient() != Values && o.orient() != Split}
	if o.Before != "" || o.orient() == Split {
		l.level = 1
	}
	for i, label := range o.labelsOf(schema) {
		var k key
		if i > 0 {
			k = append(k, l.comma()...)
		}
		k = append(k, l.blanks(l.level+2)...)
		if l.object {
			k = append(s.escaping.appendString(k, label), ':')
		}
		l.keys = append(l.keys, k)
	}
	l.first = l.blanks(l.level + 1)
	l.rest = l.comma() + l.first
	if o.Lines {
		l.rest, l.after = "", "\n"
	}
	return l
}

func (l *layout) newline() string {
	if l.indent == 0 {
		return ""
	}
	return "\n"
}

func (l *layout) blanks(level int) string { return strings.Repeat(" ", l.indent*level) }

func (l *layout) comma() string { return "," + l.newline() }

func (l *layout) open(bracket string) string { return bracket + l.newline() }

func (l *layout) close(level int, bracket string) string {
	return l.newline() + l.blanks(level) + bracket
}

// rows is how to append rows of a batch.
type rows struct {
	*layout
	label       value // nil if rows have none
	values      []field
	open, close string
}

// field is a column's value with its nulls.
type field struct {
	key   key
	write value
	nulls bool
	valid bitmap.Bits
}

func (s *style) rows(l *layout, columns []*column, labelled bool) *rows {
	r := &rows{layout: l, open: l.open("["), close: l.close(l.level+1, "]")}
	if l.object {
		r.open, r.close = l.open("{"), l.close(l.level+1, "}")
	}
	if labelled {
		r.label, columns = s.labelOf(columns[0]), columns[1:]
	}
	for i, c := range columns {
		r.values = append(r.values, field{key: l.keys[i], write: s.typed(c), nulls: c.nulls, valid: c.valid})
	}
	return r
}

func (r *rows) append(b []byte, row int) []byte {
	if r.label != nil {
		b = append(r.label(b, row), ':')
	}
	b = append(b, r.open...)
	for i := range r.values {
		f := &r.values[i]
		b = append(b, f.key...)
		if f.nulls && !f.valid.At(row) {
			b = append(b, null...)
		} else {
			b = f.write(b, row)
		}
	}
	return append(append(b, r.close...), r.after...)
}

// labelOf returns the labels of rows that a column holds.
func (s *style) labelOf(c *column) value {
	write := s.typed(c)
	if arrow.IsInteger(c.array.DataType().ID()) {
		write = quoted(write)
	}
	return func(b []byte, row int) []byte {
		if c.nulls && !c.valid.At(row) {
			return append(b, `"null"`...)
		}
		return write(b, row)
	}
}

func quoted(write value) value {
	return func(b []byte, row int) []byte { return append(write(append(b, '"'), row), '"') }
}

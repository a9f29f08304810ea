package mysqltext

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/seojaeohcode/atio/core/encode"
	"github.com/seojaeohcode/atio/core/encode/internal/fields"
)

// Style is what the text is for.
type Style int

// The styles.
const (
	Load   Style = iota // LOAD DATA
	Insert              // INSERT: rows in parentheses, each with a comma before it
)

// Column is a column of the table.
type Column struct {
	Name string
	Type string // DATA_TYPE of information_schema.columns, such as "bigint"
}

// IsBinary reports whether the fields of a column are hexadecimal digits.
func (c *Column) IsBinary() bool { return kindOf(c.Type) == binaryKind }

// Options say what is to be encoded.
type Options struct {
	Style Style
	// Columns are those that are written, in this order.
	Columns []Column
	// NaNIsNull makes a null of a float that is no number, as pandas means it.
	NaNIsNull bool
}

// Check returns an [*encode.UnsupportedError] for a column that is not encoded,
// and an [*encode.ValueError] if one has no column to go into, or the other way
// round.
func (o *Options) Check(schema *arrow.Schema) error { return o.table().Check(schema) }

func (o *Options) table() *fields.Table {
	t := &fields.Table{Format: "mysql", Rows: o.appendRows,
		Maker: func(t arrow.DataType, column int) maker { return o.maker(t, &o.Columns[column]) }}
	for _, c := range o.Columns {
		t.Columns = append(t.Columns, fields.Column{Name: c.Name, SQL: c.Type})
	}
	return t
}

// Encoder encodes batches. It is an [encode.Encoder]. Each piece that it writes
// holds whole rows.
type Encoder struct{ *fields.Encoder }

// NewEncoder begins to encode onto w. The encoder has to be closed or discarded
// after an error, too.
func NewEncoder(ctx context.Context, w io.Writer, o *Options, env encode.Env) (*Encoder, error) {
	e, err := fields.NewEncoder(ctx, w, o.table(), env)
	return &Encoder{e}, err
}

// appendRows appends rows as the style has them.
func (o *Options) appendRows(b []byte, of []field, lo, hi int) ([]byte, error) {
	before, between, behind := "", byte('\t'), byte('\n')
	if o.Style == Insert {
		before, between, behind = ",(", ',', ')'
	}
	for row := lo; row < hi; row++ {
		b = append(b, before...)
		for i, f := range of {
			if i > 0 {
				b = append(b, between)
			}
			var err error
			if b, err = f(b, row); err != nil {
				return nil, &fields.Failure{Column: i, Row: row, Err: err}
			}
		}
		b = append(b, behind)
	}
	return b, nil
}
